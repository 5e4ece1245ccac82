"""The verdicts of the finished studies, as Overview shows them."""

from collections.abc import Sequence

import streamlit as st

from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.judgements import judgements
from core.studies.shipped import VERSION, FinishedStudy, finished_with
from pages.findings_parts.studies import matrix
from pages.widgets.layout import errors, plain
from pages.widgets.pages import link
from pages.widgets.state import View


def show_verdicts(view: View, finished: Sequence[FinishedStudy], store: Store) -> None:
    """Draw the matrix of verdicts, a column for each study, and a link to the claim that is chosen on it."""
    study = (finished_with([claim.item for claim in CLAIMS.values()], VERSION) or finished[0]).spec
    shown = [one.spec.without_seeds for one in finished]
    with st.container(border=True), errors():
        st.markdown("##### Which of the paper's claims hold")
        own = [one for one in judgements(store) if one.study.without_seeds in shown]
        number = view.read("claim", 1, lambda number: number in CLAIMS)
        matrix(view, study, number, own, lambda claim, _: view.keep("claim", claim, 1))
        for one in finished:
            if open_claims := [f"C{n}" for n, claim in CLAIMS.items() if one.why_not(claim.item)]:
                st.caption(plain(f"Not judged on {one.spec.model.label}: {', '.join(open_claims)}."))
        label = f"C{number} · {plain(CLAIMS[number].title)}"
        link("findings", label, claim=str(number), model=study.model.name)
