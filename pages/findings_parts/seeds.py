"""Add seeds to a claim until it is decided: cost, budget, job."""

import pandas as pd
import streamlit as st

from core.analysis.verdict import UNDECIDED
from core.engine import lookup
from core.specs import DecideSpec
from core.store import Store
from core.studies.analyses import planned
from core.studies.claims import Claim
from core.studies.decide import KIND
from core.studies.judgements import JudgedClaim
from pages.findings_parts.cost import cost_words, gone
from pages.widgets.jobs import NO_JOBS, follow, start
from pages.widgets.layout import plain, table
from pages.widgets.reach import closed
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
        if closed(NO_JOBS):
            return
        if gone(judged.study):
            return
        with st.container(horizontal=True):
            minutes = view.number("minutes", "Budget (minutes)", 20.0, 1.0, 10_000.0)
            most = view.number("most", "Maximum seeds", 12, 2, 100)
        asked = DecideSpec(study=judged.study, claim=claim.number, minutes=minutes, most_seeds=max(most, 2))
        job = lookup.find(KIND, asked, store)
        if job and not job.status().ended:
            follow(job, store)
            return
        further = planned(judged.judgement.n_seeds, asked.most_seeds)
        if further:
            more = judged.study.with_seeds(further[0])
            st.caption(
                f"The next analysis, with {further[0]} seeds: {cost_words(more, [claim.item], store)} {claim.also} The "
                f"claim is judged at {', '.join(map(str, further))} seeds, until it is decided or the budget is used "
                "up. Together, these analyses and all earlier ones are wrong as rarely as a single one (O'Brien and "
                "Fleming's spending function). If you cancel, the finished runs are kept."
            )
        if judged.judgement.stopped:
            st.caption(f"Last time: {plain(judged.judgement.stopped)}.")
        if job and job.status().state != "succeeded":
            follow(job, store)
        enough = most <= judged.judgement.n_seeds
        pressed = st.button("Add seeds", type="primary", icon=":material/add:", disabled=enough)
        if pressed and start(KIND, asked, store):
            st.rerun()
