"""Add seeds to a claim until it is decided: cost, budget, job."""

import pandas as pd
import streamlit as st

from core.analysis.verdict import UNDECIDED
from core.engine import lookup
from core.specs import DecideSpec
from core.store import Store
from core.studies.claims import Claim
from core.studies.decide import KIND
from core.studies.judgements import JudgedClaim
from pages.findings_parts.cost import cost_words
from pages.widgets.jobs import follow, start
from pages.widgets.layout import plain, table
from pages.widgets.state import View


def offer_seeds(view: View, claim: Claim, judged: JudgedClaim, store: Store) -> None:
    """Show how seeds were added, and offer to add more where the claim is undecided."""
    if judged.analyses:
        with st.expander(f"Interim analyses: {judged.judgement.stopped}"):
            frame = pd.DataFrame(judged.analyses)
            table(frame.rename(columns=lambda name: name.removeprefix("n_").capitalize()))
            st.caption(
                "Each further analysis has a smaller error rate, so adding seeds cannot produce a verdict by luck."
            )
    if judged.judgement.verdict != UNDECIDED:
        return
    with st.container(border=True):
        st.markdown("**Add seeds until decided**")
        with st.container(horizontal=True):
            minutes = view.number("minutes", "Budget (minutes)", 20.0, 1.0, 10_000.0)
            most = view.number("most", "Maximum seeds", 12, 2, 100)
        begin = judged.analyses[0].n_seeds if judged.analyses else judged.judgement.n_seeds
        asked = DecideSpec(
            study=judged.study.model_copy(update={"n_seeds": begin}),
            claim=claim.number,
            minutes=minutes,
            most_seeds=most,
        )
        job = lookup.find(KIND, asked, store)
        if job and not job.status().ended:
            follow(job, store)
            return
        more = judged.study.model_copy(update={"n_seeds": judged.judgement.n_seeds + 1})
        st.caption(
            f"One more seed: {cost_words(more, [claim.item], store)} {claim.also} Then the claim is judged again, with "
            "a smaller error rate at each interim analysis, until it is decided, the budget is used up, or the maximum "
            "is reached. If you cancel, the finished runs are kept."
        )
        if judged.judgement.stopped:
            st.caption(f"Last time: {plain(judged.judgement.stopped)}.")
        if job and job.status().state != "succeeded":
            follow(job, store)
        enough = most <= judged.judgement.n_seeds
        pressed = st.button("Add seeds", type="primary", icon=":material/add:", disabled=enough)
        if pressed and start(KIND, asked, store):
            st.rerun()
