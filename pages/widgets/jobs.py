"""A job as a page shows it: its progress, the reason if it failed, and what to do next."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import streamlit as st

from core.engine import client
from core.specs import Spec
from core.store import JobFolder, Status, Store
from core.store.endings import may_end_early
from core.store.status import RESUMABLE
from pages.widgets.layout import duration, errors, plain
from pages.widgets.reach import closed

T = TypeVar("T")

POLL_SECONDS = 1.0
MARKS = {
    "open": ":material/circle:",
    "queued": ":material/schedule:",
    "running": ":material/progress_activity:",
    "succeeded": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
    "interrupted": ":material/pause_circle:",
    "damaged": ":material/broken_image:",
}
"""An icon per state of a job, and one for no job yet."""
ALIVE = ("queued", "running")
STOPPED = RESUMABLE
_SILENT_SECONDS = 10.0
NO_JOBS = "it starts no jobs"
"""What a read-only server says where a button would start one."""


def start(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder | None:
    """Submit a job; on an error or a read-only server, say so and return None."""
    if closed(NO_JOBS):
        return None
    with errors(), st.spinner("Submitting the job …"):
        return client.submit(kind, spec, store, again)
    return None


def start_several(submit: Callable[[], list[T]]) -> list[T]:
    """Submit several jobs at once; on an error or a read-only server, say so and return none."""
    if closed(NO_JOBS):
        return []
    with errors(), st.spinner("Submitting the jobs …"):
        return submit()
    return []


def state_of(job: JobFolder | None, made: bool) -> str:
    """Return a key of `MARKS` for what a job makes: 'succeeded' only while its result is there."""
    if made:
        return "succeeded"
    state = job.status().state if job else "open"
    return "open" if state == "succeeded" else state


def follow(job: JobFolder, store: Store, live: Callable[[JobFolder, Status], None] | None = None) -> Status:
    """Show a job and return its status, refreshed every second until the job has ended.

    `live` draws what else changes while the job runs; it is called once more when it has ended.
    """
    status = job.status()
    if status.ended:
        _ended(job, status, store)
        if live:
            live(job, status)
    else:
        _living(job.path, store.root, live)
    return status


@st.fragment(run_every=POLL_SECONDS)
@errors()
def _living(path: Path, root: Path, live: Callable[[JobFolder, Status], None] | None) -> None:
    job, store = JobFolder(path), Store(root)
    status = job.status()
    if status.ended:
        st.rerun()  # the whole page, which then shows the end without a fragment
    if closed("it shows this job and cannot stop it"):
        st.progress(status.fraction, text=describe(status, time.time(), may_end_early(job)))
        if live:
            live(job, status)
        return
    drawing = job.kind == "projection" and job.spec.get("method") == "tsne" and status.state == "running"
    bar, *keep, button = st.columns([6, 2, 1] if drawing else [6, 1], vertical_alignment="bottom")
    bar.progress(status.fraction, text=describe(status, time.time(), may_end_early(job)))
    if drawing and keep[0].button(
        "Stop and keep the map", key=f"enough.{job.id}", icon=":material/done:", width="stretch"
    ):
        job.say_enough()
        st.toast("The fit stops within a few iterations; the map is kept as it stands.")
    if button.button("Cancel", key=f"cancel.{job.id}", icon=":material/stop_circle:", width="stretch"):
        with errors():
            client.cancel(job, store)
        st.toast("The job stops at its next step.")
    if time.time() - max(status.heartbeat, status.created) > _SILENT_SECONDS:
        with errors():
            client.revive(store)
    if live:
        live(job, status)


def describe(status: Status, now: float, at_most: bool = False) -> str:
    """Return what a job is doing and the time left.

    Args:
        status: of the job.
        now: seconds since the epoch.
        at_most: whether the job may end before it has done all of its units.
    """
    if status.state == "queued":
        return "Queued, waiting for the engine"
    count = f"{status.done} of {status.total}" if status.total else ""
    left = status.seconds_left(now)
    about = "at most" if at_most else "about"
    parts = [plain(status.message or "Working"), count, f"{about} {duration(left)} left" if left is not None else ""]
    return " · ".join(part for part in parts if part)


def _ended(job: JobFolder, status: Status, store: Store) -> None:
    if status.state == "succeeded":
        return
    words = {
        "failed": "This job failed.",
        "cancelled": "This job was cancelled; its results so far are kept.",
        "interrupted": "This job was interrupted; it can resume from its last checkpoint.",
        "damaged": "Files of this job were changed or lost after it ended; *Resume* makes them again.",
    }[status.state]
    bad = status.state in ("failed", "damaged")
    box = st.error if bad else st.warning
    box(f"{words} {plain(status.error)}".strip(), icon=":material/error:" if bad else None)
    if not closed("it resumes no jobs") and st.button("Resume", key=f"resume.{job.id}", icon=":material/resume:"):
        with errors():
            client.resume(job, store)
            st.rerun()
    tail = job.log_tail()
    if tail:
        with st.expander("End of the log"):
            st.code(tail, language=None)
