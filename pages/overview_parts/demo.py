"""The demo on Overview: its cost, its steps while they run, and what there is to see afterwards."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.activations.estimate import estimate
from core.engine import client
from core.engine.lookup import find
from core.jobs.costs import runs_cost, total
from core.jobs.demo import Planned, demo_plan, demo_runs, left_of
from core.sources.datasets import find_dataset
from core.sources.model_facts import ModelFacts
from core.sources.news import WHEEL as NEWS
from core.specs import CloudSpec, ModelSpec, TuningSpec
from core.specs.demo import DemoSpec
from core.store import Store
from core.store.endings import may_end_early
from pages.overview_parts.demo_pictures import show_picture
from pages.widgets.costs import NO_PACE, fetching, measured_seconds, vocabulary_bytes
from pages.widgets.jobs import ALIVE, MARKS, NO_JOBS, POLL_SECONDS, describe, follow, start, state_of
from pages.widgets.layout import duration, errors, plain, size
from pages.widgets.pages import link, page
from pages.widgets.reach import closed
from pages.widgets.state import View

TEXTS = {"news": "News", "math": "Sums (no download)"}
_WATCHED = "overview.demo_watched"


def demo(view: View, model: ModelSpec, facts: ModelFacts, store: Store) -> None:
    """Offer the demo, or show how far it is; if it ends while a person watches, open Compare."""
    spec = DemoSpec.parse({"model": model, "texts": view.segments("texts", "Texts", TEXTS)})
    plan = demo_plan(spec, store)
    left = left_of(plan, store)
    job = find("demo", spec, store)
    state = state_of(job, not left)
    if state in ALIVE:
        progress(spec, store.root)
    elif state == "open":
        st.caption(
            "Draws the vocabulary and the activations of texts, then tunes deep prompts from three priors and compares "
            f"them. {demo_cost(left, facts, store)}"
        )
        pressed = not closed(NO_JOBS) and st.button("Run the demo", type="primary", icon=":material/play_arrow:")
        if pressed and start("demo", spec, store):
            st.rerun()
    else:
        checklist(plan, store)
        if left and job:
            follow(job, store)
        else:
            finale(spec, plan, store)


@st.fragment(run_every=POLL_SECONDS)
@errors()
def progress(spec: DemoSpec, root: Path) -> None:
    """Show the steps while the demo's job does them, and the latest picture."""
    store = Store(root)
    job = find("demo", spec, store)
    if job is None or job.status().ended:
        st.rerun()
    st.session_state[_WATCHED] = True
    show_picture(spec, store)
    checklist(demo_plan(spec, store), store)
    if st.button("Cancel", key=f"cancel.{job.id}", icon=":material/stop_circle:"):
        client.cancel(job, store)
        st.toast("The demo stops at its next step; what is done is kept.")


def checklist(plan: Sequence[Planned], store: Store) -> None:
    """Write the steps below each other, each with its state, and how far the current one is."""
    jobs = [find(step.kind, step.spec, store) for step in plan]
    states = [state_of(job, step.made(store)) for step, job in zip(plan, jobs, strict=True)]
    st.markdown("  \n".join(f"{MARKS[state]} {plain(step.title)}" for step, state in zip(plan, states, strict=True)))
    for job, state in zip(jobs, states, strict=True):
        if job and state in ALIVE:
            status = job.status()
            st.progress(status.fraction, text=describe(status, time.time(), may_end_early(job)))


def finale(spec: DemoSpec, plan: Sequence[Planned], store: Store) -> None:
    """Open Compare if the demo was watched to its end; later, link to the pages that show what it made."""
    asked, usual = spec.model.as_json(), ModelSpec().as_json()
    view = {"model" if name == "name" else name: asked[name] for name in asked if asked[name] != usual[name]}
    runs = demo_runs(spec, store)
    compared = {"runs": json.dumps([run.id for run in runs])}
    if st.session_state.pop(_WATCHED, False):
        st.switch_page(page("compare"), query_params=compared)
    st.success("The demo is ready. See what it made:", icon=":material/celebration:")
    cloud = next(step.spec for step in plan if isinstance(step.spec, CloudSpec))
    site, samples = str(cloud.sites[0]), str(cloud.dataset.samples)
    seen = {"data": f'["{spec.texts}"]', "site": site, "samples": samples, "max_length": str(cloud.max_length)}
    with st.container(horizontal=True):
        link("compare", "Three priors and their posteriors", **compared)
        link("activations", f"Activations at site {site}", **view, **seen)
        link("priors", "A prior's sample", **view, prior='{"kind":"gaussian"}')
        link("tune", "A run", **view, run=runs[0].id)
    show_picture(spec, store)


def demo_cost(left: Sequence[Planned], facts: ModelFacts, store: Store) -> str:
    """Say what the remaining jobs of the demo cost; maps and measures cost little."""
    specs = [step.spec for step in left]
    words: list[str] = []
    costs: list[tuple[float | None, float | None]] = []
    for spec in specs:
        match spec:
            case ModelSpec():
                words.append(fetching(spec, facts))
                costs.append((vocabulary_bytes(facts), None))
            case CloudSpec():
                if spec.dataset.name == "news" and find_dataset(spec.dataset, store) is None:
                    words.append(f"The texts are downloaded: {size(NEWS.n_bytes)}.")
                cost = estimate(spec, store)
                costs.append((cost["bytes"], measured_seconds(cost)))
    if runs := [spec for spec in specs if isinstance(spec, TuningSpec)]:
        tuning = runs_cost(runs, store)
        costs.append((tuning.bytes, tuning.seconds))
    n_bytes, seconds = total(n for n, _ in costs), total(time for _, time in costs)
    if n_bytes:
        words.append(f"The results take {size(n_bytes)} of disk.")
    words.append(f"About {duration(seconds)}, at the pace measured here." if seconds else NO_PACE)
    return " ".join(word for word in words if word)
