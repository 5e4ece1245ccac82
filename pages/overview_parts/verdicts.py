"""The verdicts of a finished study, as Overview shows them."""

import streamlit as st

from core.specs import StudySpec
from core.store import Store
from core.studies.claims import CLAIMS
from core.studies.judgements import judgements
from pages.findings_parts.studies import matrix
from pages.widgets.layout import errors, plain
from pages.widgets.pages import link
from pages.widgets.state import View


def show_verdicts(view: View, study: StudySpec, store: Store) -> None:
    """Draw the matrix of verdicts, and a link to the claim that is chosen on it."""
    with st.container(border=True), errors():
        st.markdown("##### Which of the paper's claims hold")
        own = [one for one in judgements(store) if one.study.without_seeds == study.without_seeds]
        number = view.read("claim", 1, lambda number: number in CLAIMS)
        matrix(view, study, number, own, lambda claim, _: view.keep("claim", claim, 1))
        label = f"C{number} · {plain(CLAIMS[number].title)}"
        link("findings", label, claim=str(number), model=study.model.name)
