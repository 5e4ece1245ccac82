"""Trajectories: read from the store, or made by a short job that the page waits for."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.engine import client
from core.engine.lookup import find, succeeded_specs
from core.jobs.trajectory import Trajectories, find_trajectories
from core.specs import TrajectorySpec
from core.specs.nearest import Nearest, nearest
from core.store import Store, list_succeeded
from core.store.read_only import read_only
from pages.widgets.cite import cite_job
from pages.widgets.jobs import start
from pages.widgets.layout import duration, errors
from pages.widgets.nearest import shown_instead
from pages.widgets.offers import priced, under_way

PATIENCE_SECONDS = 4.0
"""How long the page waits for a short job before it shows the job's progress instead."""


def need_trajectories(specs: Sequence[TrajectorySpec], store: Store) -> list[Trajectories] | None:
    """Return the trajectories; start the missing ones (an answer when its button is pressed).

    Where none may be started, or none is yet, those of other texts stand in and are named.
    """
    with errors():
        found = _found(specs, store)
        if found:
            return _cited(specs, found)
        near = _nearest(specs, store) if specs[0].mode == "generate" or read_only() else []
        with shown_instead(near):
            made = _make(specs, store)
        if made and near:
            st.rerun()  # without what stood in
        shown = specs if made else [one.spec for one in near]
        return _cited(shown, made or _found(shown, store)) if shown else None
    return None


def _cited(specs: Sequence[TrajectorySpec], found: list[Trajectories]) -> list[Trajectories]:
    for spec in specs:
        cite_job("trajectory", spec)
    return found


def _make(specs: Sequence[TrajectorySpec], store: Store) -> list[Trajectories]:
    """Start what is missing and wait for a moment; return the trajectories, or nothing while they are being made."""
    jobs = [find("trajectory", spec, store) for spec in specs]
    doing = [_doing(spec) for spec in specs]
    if under_way(jobs, store, doing):
        return []
    box = st.empty()
    if specs[0].mode == "generate" and not _answer_pressed(box, specs, store):
        return []
    box.empty()
    jobs = [start("trajectory", spec, store) for spec in specs]
    with st.spinner("Reading the tokens …"):
        for job in filter(None, jobs):
            client.wait(job, timeout=PATIENCE_SECONDS)
    found = _found(specs, store)
    if not found:
        under_way(jobs, store, doing)
    return found


def _nearest(specs: Sequence[TrajectorySpec], store: Store) -> list[Nearest[TrajectorySpec]]:
    """Return what is stored of other texts, the same for all specs and as these prompt the model; nothing else."""
    stored, found = succeeded_specs("trajectory", TrajectorySpec, store), list[Nearest[TrajectorySpec]]()
    for spec in specs:
        alike = [one for one in stored if _prompted(one) == _prompted(spec)]
        near = nearest(spec, [one for one in alike if not found or _texts(one) == _texts(found[0].spec)])
        if near is None:
            return []
        found.append(near)
    return found


def _prompted(spec: TrajectorySpec) -> tuple[str, str | None, str | None]:
    return spec.mode, spec.run, spec.posterior


def _texts(spec: TrajectorySpec) -> tuple[object, ...]:
    return spec.texts, spec.dataset, spec.n_texts, spec.seed


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
