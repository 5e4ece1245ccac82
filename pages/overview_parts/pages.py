"""What Overview shows below the pictures: the pages, the demo, and what is on this machine."""

from pathlib import Path

import pandas as pd
import streamlit as st

from core.sources.report import sources_report
from core.store import Store
from pages.overview_parts.demo import demo
from pages.widgets.choices import model_choice
from pages.widgets.layout import errors, plain
from pages.widgets.pages import link
from pages.widgets.state import View

_CARDS = {
    "activations": "Clouds of token activations at any site, by PCA or t-SNE.",
    "priors": "What a prior samples, before you pay for training.",
    "tune": "A short tuning job that you watch live.",
    "compare": "Priors and posteriors on one map, and what their vectors are worth.",
}


def show_pages(view: View, store: Store) -> None:
    """Draw links to the pages, then the demo beside what is on this machine."""
    for column, (name, text) in zip(st.columns(len(_CARDS)), _CARDS.items(), strict=True):
        with column.container(border=True, height="stretch"):
            link(name, f"**{name.capitalize()}**")
            st.caption(text)
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True), errors():
        st.subheader("Demo", anchor=False)
        model, facts = model_choice(store)
        demo(view, model, facts, store)
    with right, errors():
        st.subheader("What is here", anchor=False)
        _state(store)


@st.cache_data(ttl=60, show_spinner="Checking where models and texts come from …")
def _sources(root: Path) -> list[dict]:
    """Return what is here and where the rest would come from, without asking the hub."""
    return sources_report(Store(root), ask_hub=False)


def _state(store: Store) -> None:
    """Write where models and data sets are or would come from."""
    rows = [
        {
            "": "●" if row["source"] == "store" else "○" if row["available"] else "✕",
            "What": f"**{plain(row['name'])}**  \n:gray[{plain(row['title'])}]",
            "From": plain(row["note"]),
        }
        for row in _sources(store.root)
    ]
    st.table(pd.DataFrame(rows).set_index(""))
    st.caption("● on this machine · ○ downloaded or made on first use · ✕ not available here")
