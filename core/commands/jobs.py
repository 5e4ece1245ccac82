"""Submit a job to the engine and follow it to its end."""

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from core.commands.output import ProgressLine
from core.engine import client
from core.engine.lookup import found_or_made, job_id
from core.errors import BadRequest, Cancelled, Failed, Interrupted, Signalled
from core.specs.base import Spec
from core.store import JobFolder, Store, jobs_named

Stored = TypeVar("Stored")


def ensure(find: Callable[[], Stored | None], kind: str, spec: Spec, store: Store) -> tuple[Stored, bool]:
    """Return what a job stores, and whether it was there already; make it if it was not.

    Raises:
        BadRequest, Failed, Cancelled: the job's own error.
    """
    return found_or_made(find, lambda: run(kind, spec, store))


def run(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder:
    """Submit a job, show its progress on stderr, and return it once it has succeeded.

    Raises:
        BadRequest, Failed, Cancelled: the job's own error.
        Interrupted: see `interruptible`.
    """
    name = job_id(kind, spec)
    with interruptible(lambda: jobs_named(store, kind, name), store):
        job = client.submit(kind, spec, store, again=again)
        return follow(job, store)


def follow(job: JobFolder, store: Store) -> JobFolder:
    """Show a submitted job's progress on stderr and return it once it has succeeded (see `run`)."""
    show = ProgressLine()
    with interruptible(lambda: [job], store):
        status = client.wait(job, on_status=lambda status: show(job, status))
    if status.state == "succeeded":
        return job
    if status.state == "cancelled":
        raise Cancelled(f"{job.id} was cancelled; `python -m core runs resume {job.id}` continues it.")
    reason = (
        status.error or f"{job.id} did not succeed ({status.state}); `python -m core runs show {job.id}` shows its log."
    )
    raise (BadRequest if status.exit_code == BadRequest.exit_code else Failed)(reason)


@contextmanager
def interruptible(jobs: Callable[[], Iterable[JobFolder]], store: Store) -> Iterator[None]:
    """Decide about jobs when a signal stops the command: Ctrl-C cancels them, SIGTERM leaves them to the engine.

    Args:
        jobs: those that the command has asked for, some of which may have ended.
        store: the cache folder.

    Raises:
        Interrupted: with what becomes of them.
    """
    try:
        yield
    except Signalled as stop:
        living = {job.id: job for job in jobs() if job.status().state in ("queued", "running", "interrupted")}
        becomes = _cancelled if stop.number == signal.SIGINT else _left
        words = becomes(list(living.values()), store) if living else "no job of this command is in progress"
        raise Interrupted(f"stopped by {signal.Signals(stop.number).name}; {words}.", stop.number) from None


def _cancelled(living: Sequence[JobFolder], store: Store) -> str:
    try:
        for job in reversed(living):  # from the end, so that none begins because the one before was stopped
            client.cancel(job, store)
    except Signalled:
        return "not every job was cancelled: `python -m core runs list` shows which are still running"
    if len(living) == 1:
        return f"{living[0].id} was cancelled: `python -m core runs resume {living[0].id}` continues it"
    return f"{len(living)} jobs were cancelled: the same command continues them"


def _left(living: Sequence[JobFolder], _store: Store) -> str:
    if len(living) == 1:
        return f"{living[0].id} keeps running: `python -m core runs show {living[0].id}` shows how far it is"
    return f"{len(living)} jobs keep running: `python -m core runs list` shows how far they are"
