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
from pages.overview_parts.demo import Step, demo_cloud, demo_cost, demo_steps
from pages.widgets.choices import model_choice
from pages.widgets.jobs import POLL_SECONDS, describe, follow, start
from pages.widgets.layout import errors, plain
from pages.widgets.pages import page
from pages.widgets.state import View

MARKS = {"done": ":material/check_circle:", "begun": ":material/progress_activity:", "open": ":material/circle:"}
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
        "that say whether to believe a "
        "picture."
    )
    cards = (
        ("activations", "Activations", "bubble_chart", "Clouds of token activations at any site, by PCA or t-SNE."),
        ("priors", "Priors", "flare", "What a prior samples, before you pay for training."),
        ("tune", "Tune", "model_training", "A short tuning job that you watch live."),
        ("compare", "Compare", "compare_arrows", "Priors and posteriors on one map, and what their vectors are worth."),
    )
    for column, (name, title, icon, text) in zip(st.columns(4), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(page(name), label=f"**{title}**", icon=f":material/{icon}:")
            st.caption(text)


def demo(view: View, model: ModelSpec, facts: ModelFacts, store: Store) -> None:
    """Offer the demo, or show how far it is."""
    texts = view.segments("texts", "Texts", TEXTS)
    active = view.read("demo", False)
    steps = demo_steps(model, facts, texts, store)
    finished = all(step.state == "done" for step in steps)
    if not active and not finished:
        left = [step.spec for step in steps if step.state != "done"]
        st.caption(
            f"Reads the model, captures activations and tunes a prompt for 60 steps. {demo_cost(left, facts, store)}"
        )
        if st.button("Run the demo", type="primary", icon=":material/play_arrow:"):
            view.keep("demo", True, False)
            st.rerun()
        return
    if finished or any(
        step.job and step.job.status().state in ("failed", "cancelled", "interrupted") for step in steps
    ):
        checklist(steps)
    else:
        progress(model, facts, texts, store)
        return
    if finished:
        finale(model, facts, texts, steps[-1].job)
        return
    for step in steps:
        if step.job and step.state != "done" and step.job.status().ended:
            follow(step.job, store)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def progress(model: ModelSpec, facts: ModelFacts, texts: str, store: Store) -> None:
    """Show the steps while they run, and start the next one when the one before is done."""
    steps = demo_steps(model, facts, texts, store)
    step = next((step for step in steps if step.state != "done"), None)
    if step is None or (step.job and step.job.status().ended and step.job.status().state != "succeeded"):
        st.rerun()
    if step.state == "open" or (step.job and step.job.status().state == "succeeded"):
        start(step.kind, step.spec, store)
    checklist(steps)


def checklist(steps: list[Step]) -> None:
    """Write the steps, each with its state."""
    for step in steps:
        status = step.job.status() if step.job else None
        st.markdown(f"{MARKS[step.state]} {plain(step.title)}")
        if step.state == "begun" and status and not status.ended:
            st.progress(status.fraction, text=describe(status, time.time()))


def finale(model: ModelSpec, facts: ModelFacts, texts: str, run: JobFolder | None) -> None:
    """Link to the pages that show what the demo made."""
    st.success("The demo is ready. See what it made:", icon=":material/celebration:")
    cloud = demo_cloud(model, facts, texts)
    default = ModelSpec()
    asked = {"model": model.name, "device": model.device, "dtype": model.dtype}
    usual = {"model": default.name, "device": default.device, "dtype": default.dtype}
    view = {name: value for name, value in asked.items() if value != usual[name]}
    middle = str(cloud.sites[1])
    seen = view | {"data": f'["{texts}"]', "site": middle, "max_length": str(cloud.max_length)}
    with st.container(horizontal=True):
        st.page_link(
            page("activations"),
            label=f"Activations at site {middle}",
            icon=":material/bubble_chart:",
            query_params=seen,
        )
        st.page_link(
            page("priors"),
            label="The prior's sample",
            icon=":material/flare:",
            query_params=view | {"prior": '{"kind":"gaussian"}'},
        )
        if run:
            st.page_link(
                page("tune"), label="The run", icon=":material/model_training:", query_params=view | {"run": run.id}
            )
            st.page_link(
                page("compare"),
                label="Prior and posterior",
                icon=":material/compare_arrows:",
                query_params=view | {"runs": f'["{run.id}"]'},
            )


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
