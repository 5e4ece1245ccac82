"""What this is, what is here already, and a demo that starts with one click."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from pathlib import Path

import pandas as pd

from core.sources.report import sources_report
from core.store import Store
from pages.overview_parts.demo import demo
from pages.widgets.choices import model_choice
from pages.widgets.layout import errors, plain
from pages.widgets.pages import link
from pages.widgets.state import View


@st.cache_data(ttl=60, show_spinner="Checking where models and texts come from …")
def sources(root: Path) -> list[dict]:
    """Return what is here and where the rest would come from, without asking the hub."""
    return sources_report(Store(root), ask_hub=False)


def about() -> None:
    """Say what this is."""
    st.markdown(
        "Prompt-tuning leaves a language model frozen and learns a few vectors that are put before the text. "
        "**priorscope** shows where those vectors start (a sample of a *prior*), where they end up (a *posterior*), "
        "and where both lie among the embeddings and activations that the model itself uses, with the numbers "
        "that say whether to believe the picture."
    )
    cards = (
        ("activations", "Clouds of token activations at any site, by PCA or t-SNE."),
        ("priors", "What a prior samples, before you pay for training."),
        ("tune", "A short tuning job that you watch live."),
        ("compare", "Priors and posteriors on one map, and what their vectors are worth."),
    )
    for column, (name, text) in zip(st.columns(4), cards, strict=True):
        with column.container(border=True, height="stretch"):
            link(name, f"**{name.capitalize()}**")
            st.caption(text)


def state(store: Store) -> None:
    """Write where models and data sets are or would come from."""
    rows = [
        {
            "": "●" if row["source"] == "store" else "○" if row["available"] else "✕",
            "What": f"**{plain(row['name'])}**  \n:gray[{plain(row['title'])}]",
            "From": plain(row["note"]),
        }
        for row in sources(store.root)
    ]
    st.table(pd.DataFrame(rows).set_index(""))
    st.caption("● on this machine · ○ downloaded or made on first use · ✕ not available here")


page_store, page_view = Store.default(), View("overview")
about()
left_side, right_side = st.columns([1, 1], gap="large")
with left_side, st.container(border=True), errors():
    st.subheader("Demo", anchor=False)
    chosen_model, known = model_choice(page_store)
    demo(page_view, chosen_model, known, page_store)
with right_side, errors():
    st.subheader("What is here", anchor=False)
    state(page_store)
