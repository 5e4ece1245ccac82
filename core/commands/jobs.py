"""Submit a job to the engine and follow it to its end."""

from collections.abc import Callable
from typing import TypeVar

from core.commands.output import ProgressLine
from core.engine import client
from core.engine.lookup import found_or_made
from core.errors import BadRequest, Cancelled, Failed
from core.specs.base import Spec
from core.store import JobFolder, Store

Stored = TypeVar("Stored")


def ensure(find: Callable[[], Stored | None], kind: str, spec: Spec, store: Store) -> tuple[Stored, bool]:
    """Return what a job stores, and whether it was there already; make it if it was not.

    Raises:
        BadRequest, Failed, Cancelled: the job's own error.
    """
    return found_or_made(find, lambda: run(kind, spec, store))


def run(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder:
    """Submit a job, show its progress on stderr, and return it once it has succeeded.

    Ctrl-C cancels the job.

    Raises:
        BadRequest, Failed, Cancelled: the job's own error.
    """
    return follow(client.submit(kind, spec, store, again=again), store)


def follow(job: JobFolder, store: Store) -> JobFolder:
    """Show a submitted job's progress on stderr and return it once it has succeeded (see `run`)."""
    show, cancelled = ProgressLine(), f"{job.id} was cancelled; `python -m core runs resume {job.id}` continues it."
    try:
        status = client.wait(job, on_status=lambda status: show(job, status))
    except KeyboardInterrupt:
        client.cancel(job, store)
        raise Cancelled(cancelled) from None
    if status.state == "succeeded":
        return job
    if status.state == "cancelled":
        raise Cancelled(cancelled)
    reason = status.error or f"{job.id} was {status.state}; `python -m core runs show {job.id}` shows its log."
    raise (BadRequest if status.exit_code == BadRequest.exit_code else Failed)(reason)
