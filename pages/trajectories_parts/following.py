"""Trajectories as the page needs them: read from the store, or made by a short job that it waits a moment for."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.engine import client
from core.jobs.trajectory import Trajectories, find_trajectories
from core.specs import TrajectorySpec
from core.store import Store, list_jobs
from pages.widgets.cite import cite_job
from pages.widgets.clouds import job_of
from pages.widgets.jobs import follow, start
from pages.widgets.layout import duration, errors, plain

PATIENCE_SECONDS = 4.0
"""So long the page waits for a short job by itself before it shows how far the job is."""


def need_trajectories(requests: Sequence[TrajectorySpec], store: Store) -> list[Trajectories] | None:
    """Return what was followed; where it was not yet, start the jobs (answers only when a button is pressed)."""
    with errors():
        for spec in requests:
            cite_job("trajectory", spec)
        found = _found(requests, store)
        if found:
            return found
        jobs = [job_of("trajectory", [spec], store) for spec in requests]
        under_way = [job for job in jobs if job and job.status().state != "succeeded"]
        if not under_way:
            box = st.empty()
            if requests[0].mode == "generate" and not _answer_pressed(box, requests, store):
                return None
            box.empty()
            submitted = [start("trajectory", spec, store) for spec in requests]
            with st.spinner("Following the tokens …"):
                for job in filter(None, submitted):
                    client.wait(job, timeout=PATIENCE_SECONDS)
            found = _found(requests, store)
            if found:
                return found
            under_way = [job for job in submitted if job]
        for job in under_way:
            run = job.spec["run"]
            st.markdown(
                f"**{'Answering' if job.spec['mode'] == 'generate' else 'Reading'}"
                f"{' after the prompt of ' + plain(run) if run else ''}**"
            )
            follow(job, store)
    return None


def _found(requests: Sequence[TrajectorySpec], store: Store) -> list[Trajectories]:
    """Return what was followed for all requests, or nothing."""
    every = [find_trajectories(spec, store) for spec in requests]
    known = [found for found in every if found is not None]
    return known if len(known) == len(requests) else []


def _answer_pressed(box: Any, requests: Sequence[TrajectorySpec], store: Store) -> bool:
    """Draw what an answer costs and the button beside it into a box, and return whether it was pressed."""
    spec = requests[0]
    seconds = _pace(spec, store)
    how = (
        "with and without the prompt" if len(requests) > 1 else "after the prompt" if spec.run else "by the model alone"
    )
    n_texts = len(spec.texts) or spec.n_texts
    cost = f", about {duration(seconds * n_texts * len(requests) * spec.max_new_tokens)}" if seconds else ""
    frame: dict[str, Any] = {"vertical_alignment": "center", "horizontal_alignment": "distribute"}
    with box, st.container(border=True, horizontal=True, **frame):
        st.markdown(
            f"**Not answered yet.** At most {spec.max_new_tokens} tokens, {how}{cost}"
            f"{'' if seconds else '; the pace is not known here yet'}.",
            width="content",
        )
        return st.button("Answer", type="primary", icon=":material/play_arrow:")


def _pace(spec: TrajectorySpec, store: Store) -> float | None:
    """Return seconds a generated token, from the last such job of the model on a warm worker."""
    for job in list_jobs(store, "trajectory")[:20]:
        result = job.result()
        if result and result.get("seconds_a_token") and job.spec["model"] == spec.model.as_json():
            return result["seconds_a_token"]
    return None
