"""Tune a prompt: the form, the live loss and the moving prompt; or a sweep of many runs."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from collections.abc import Collection

from core.errors import PriorscopeError
from core.specs import TuningSpec
from core.store import JobFolder, Store, find_job, list_jobs
from core.store.endings import ending_of
from pages.tune_parts.costs import tuning_cost
from pages.tune_parts.form import tuning_form
from pages.tune_parts.run import show_run
from pages.tune_parts.sweeps.form import sweep_form
from pages.tune_parts.sweeps.live import chosen_sweep, launch_sweep
from pages.widgets.beside import sides
from pages.widgets.jobs import start
from pages.widgets.layout import empty, errors, plain
from pages.widgets.offers import priced
from pages.widgets.runs import label
from pages.widgets.state import View


def launch(view: View, spec: TuningSpec, store: Store) -> None:
    """Draw the cost and the button beside it; start the run when it is pressed."""
    pressed = priced(tuning_cost([spec], store), "Start tuning", type="primary")
    if pressed:
        job = start("tune", spec, store)
        if job:
            view.choose("run", job.id)


def chosen_run(view: View, store: Store) -> JobFolder | None:
    """Draw the list of runs and return the chosen one, the newest at first."""
    jobs = {job.id: job for job in list_jobs(store, "tune")}
    if view.key("run") not in st.session_state:
        _seed_run(view, store, jobs)
    if not jobs:
        return None
    states = {job_id: ending_of(job) or job.status().state for job_id, job in jobs.items()}
    chosen = view.choice(
        "run",
        "Run",
        list(jobs),
        next(iter(jobs)),
        pin=True,
        show=lambda job_id: f"{states[job_id]} · {label(jobs[job_id])}",
    )
    return jobs[chosen]


def _seed_run(view: View, store: Store, jobs: Collection[str]) -> None:
    """Choose the run that the address names, in full or by its beginning, until a person chooses."""
    asked = view.read("run", "")
    try:
        found = find_job(store, asked).id if asked and asked not in jobs else asked
    except PriorscopeError as error:
        st.warning(plain(error))
        return
    if found in jobs:
        view.choose("run", found)


def one_run(view: View, spec: TuningSpec | None, store: Store) -> None:
    """Draw the launch of a run and the run that is chosen."""
    if spec:
        launch(view, spec, store)
    run = chosen_run(view, store)
    if run is None:
        empty("model_training", "No run yet", "Choose a data set and a prior on the left, then start tuning.")
    else:
        show_run(view, run, store)


def sweep(view: View, spec: TuningSpec | None, store: Store) -> None:
    """Draw the axes of a sweep, its launch, and the sweep that is chosen."""
    wanted = sweep_form(view, spec) if spec else None
    if wanted:
        with errors():
            launch_sweep(view, wanted, store)
    chosen_sweep(view, store)


page_view, page_store = View("tune"), Store.default()
left_side, right_side = sides(2.2)
tuning_spec = None
with left_side, errors():
    tuning_spec = tuning_form(page_view, page_store)
with right_side, errors():
    mode = page_view.segments("mode", "What", {"one": "One run", "sweep": "Sweep"}, label_visibility="collapsed")
    (one_run if mode == "one" else sweep)(page_view, tuning_spec, page_store)
