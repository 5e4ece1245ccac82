"""What this is, what is here already, and a demo that starts with one click."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

import time
from pathlib import Path

import pandas as pd

from core.sources.models import ModelFacts
from core.sources.report import sources_report
from core.specs import ModelSpec
from core.store import JobFolder, Store
from core.store.endings import may_end_early
from core.store.read_only import read_only
from pages.overview_parts.demo import Step, demo_cloud, demo_cost, demo_steps
from pages.widgets.choices import model_choice
from pages.widgets.jobs import ALIVE, MARKS, NO_JOBS, POLL_SECONDS, STOPPED, describe, follow, start
from pages.widgets.layout import errors, plain
from pages.widgets.pages import link
from pages.widgets.reach import closed
from pages.widgets.state import View

TEXTS = {"news": "News", "math": "Sums (no download)"}


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


def demo(view: View, model: ModelSpec, facts: ModelFacts, store: Store) -> None:
    """Offer the demo, or show how far it is."""
    texts = view.segments("texts", "Texts", TEXTS)
    steps = demo_steps(model, facts, texts, store)
    left = [step for step in steps if step.state != "succeeded"]
    if left and (read_only() or not view.read("demo", False)):
        cost = demo_cost([step.spec for step in left], facts, store)
        st.caption(f"Reads the model, captures activations and tunes a prompt for 60 steps. {cost}")
        if not closed(NO_JOBS) and st.button("Run the demo", type="primary", icon=":material/play_arrow:"):
            view.keep("demo", True, False)
            st.rerun()
    elif left and not any(step.state in STOPPED for step in left):
        progress(model, facts, texts, store)
    else:
        checklist(steps)
        for step in left:
            if step.job and step.state in STOPPED:
                follow(step.job, store)
        if not left:
            finale(model, facts, texts, steps[-1].job)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def progress(model: ModelSpec, facts: ModelFacts, texts: str, store: Store) -> None:
    """Show the steps while they run, and start the next one when the one before is done."""
    steps = demo_steps(model, facts, texts, store)
    step = next((step for step in steps if step.state != "succeeded"), None)
    if step is None or step.state in STOPPED:
        st.rerun()
    if step.state == "open":
        start(step.kind, step.spec, store)
    checklist(steps)


def checklist(steps: list[Step]) -> None:
    """Write the steps, each with its state."""
    for step in steps:
        st.markdown(f"{MARKS[step.state]} {plain(step.title)}")
        if step.job and step.state in ALIVE:
            status = step.job.status()
            st.progress(status.fraction, text=describe(status, time.time(), may_end_early(step.job)))


def finale(model: ModelSpec, facts: ModelFacts, texts: str, run: JobFolder | None) -> None:
    """Link to the pages that show what the demo made."""
    st.success("The demo is ready. See what it made:", icon=":material/celebration:")
    cloud, usual = demo_cloud(model, facts, texts), ModelSpec().as_json()
    asked = {"model": model.name, "device": model.device, "dtype": model.dtype}
    usual["model"] = usual["name"]
    view = {name: value for name, value in asked.items() if value != usual[name]}
    middle = str(cloud.sites[1])
    seen = {"data": f'["{texts}"]', "site": middle, "max_length": str(cloud.max_length)}
    with st.container(horizontal=True):
        link("activations", f"Activations at site {middle}", **view, **seen)
        link("priors", "The prior's sample", **view, prior='{"kind":"gaussian"}')
        if run:
            link("tune", "The run", **view, run=run.id)
            link("compare", "Prior and posterior", **view, runs=f'["{run.id}"]')


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
