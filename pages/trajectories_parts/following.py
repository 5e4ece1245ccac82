"""Trajectories: read from the store, or made by a short job that the page waits for."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.engine import client
from core.engine.lookup import find
from core.jobs.trajectory import Trajectories, find_trajectories
from core.specs import TrajectorySpec
from core.store import Store, list_succeeded
from pages.widgets.cite import cite_job
from pages.widgets.jobs import start
from pages.widgets.layout import duration, errors
from pages.widgets.offers import priced, under_way

PATIENCE_SECONDS = 4.0
"""How long the page waits for a short job before it shows the job's progress instead."""


def need_trajectories(specs: Sequence[TrajectorySpec], store: Store) -> list[Trajectories] | None:
    """Return the trajectories; start the missing ones (an answer when its button is pressed)."""
    with errors():
        for spec in specs:
            cite_job("trajectory", spec)
        found = _found(specs, store)
        if found:
            return found
        jobs = [find("trajectory", spec, store) for spec in specs]
        doing = [_doing(spec) for spec in specs]
        if not under_way(jobs, store, doing):
            box = st.empty()
            if specs[0].mode == "generate" and not _answer_pressed(box, specs, store):
                return None
            box.empty()
            jobs = [start("trajectory", spec, store) for spec in specs]
            with st.spinner("Reading the tokens …"):
                for job in filter(None, jobs):
                    client.wait(job, timeout=PATIENCE_SECONDS)
            found = _found(specs, store)
            if found:
                return found
            under_way(jobs, store, doing)
    return None


def _doing(spec: TrajectorySpec) -> str:
    what = "Answering" if spec.mode == "generate" else "Reading"
    return f"{what} after the prompt of {spec.run}" if spec.run else what


def _found(specs: Sequence[TrajectorySpec], store: Store) -> list[Trajectories]:
    """Return the trajectories of all specs, or an empty list while one is missing."""
    every = [find_trajectories(spec, store) for spec in specs]
    known = [found for found in every if found is not None]
    return known if len(known) == len(specs) else []


def _answer_pressed(box: DeltaGenerator, specs: Sequence[TrajectorySpec], store: Store) -> bool:
    """Draw the cost of an answer with a button into a box; return whether it was pressed."""
    spec = specs[0]
    seconds = _pace(spec, store)
    how = "with and without the prompt" if len(specs) > 1 else "after the prompt" if spec.run else "without a prompt"
    n_tokens = (len(spec.texts) or spec.n_texts) * len(specs) * spec.max_new_tokens
    cost = f", about {duration(seconds * n_tokens)}" if seconds else "; the pace is not known yet"
    with box:
        return priced(
            f"**No answer yet.** At most {spec.max_new_tokens} tokens, {how}{cost}.", "Answer", type="primary"
        )


def _pace(spec: TrajectorySpec, store: Store) -> float | None:
    """Return the seconds per generated token of the model's last such job on a warm worker."""
    for job, result in list_succeeded(store, "trajectory", 20):
        if result.get("seconds_a_token") and job.spec["model"] == spec.model.as_json():
            return result["seconds_a_token"]
    return None
