"""Which job does a spec? Told from its fingerprint; needs no engine."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from core.engine.tasks import Late, Task, find_task
from core.errors import BadRequest, Failed
from core.specs import Spec
from core.specs.nearest import Nearest, nearest
from core.store import JobFolder, Store, job_at, jobs_named, list_succeeded

T = TypeVar("T")
S = TypeVar("S", bound=Spec)
_ID_DIGITS = 10


def job_id(kind: str, spec: Spec) -> str:
    """Return the id of the job that does a spec.

    Raises:
        BadRequest: unknown kind, a spec of another kind, or a model, module or file that there is
            not.
    """
    return next(iter(_ids(kind, spec)))


def find(kind: str, spec: Spec, store: Store) -> JobFolder | None:
    """Return the job of a spec, in any state, or None.

    Raises:
        BadRequest: see `job_id`.
    """
    return next((job for name in _ids(kind, spec) if (job := job_at(store, kind, name))), None)


def find_succeeded(kind: str, spec: Spec, store: Store) -> JobFolder | None:
    """Return a job that has done a spec: the one that `find` returns, or a further one of the same spec; or None.

    Raises:
        BadRequest: see `job_id`.
    """
    jobs = (job for name in _ids(kind, spec) for job in jobs_named(store, kind, name))
    return next((job for job in jobs if job.status().state == "succeeded" and job.result()), None)


def find_nearest(kind: str, spec: S, store: Store) -> Nearest[S] | None:
    """Return what the succeeded job of a kind was asked for that is nearest to a spec, or None."""
    return nearest(spec, succeeded_specs(kind, type(spec), store))


def succeeded_specs(kind: str, of: type[S], store: Store) -> list[S]:
    """Return what the succeeded jobs of a kind were asked for, newest first; not what another version has written."""
    requests = list[S]()
    for job, _ in list_succeeded(store, kind):
        with suppress(BadRequest):
            requests.append(of.parse(job.spec))
    return requests


def found_or_made(find: Callable[[], T | None], make: Callable[[], JobFolder]) -> tuple[T, bool]:
    """Return what is found, made by a job if it is not there, and whether it was there.

    Raises:
        Failed: it is gone as soon as it is made; or as `make`.
    """
    found = find()
    if found is not None:
        return found, True
    job = make()
    found = find()
    if found is None:
        raise Failed(f"{job.id} succeeded, but what it made is gone from the store; request it again.")
    return found, False


def _ids(kind: str, spec: Spec) -> dict[str, None]:
    """Return the id of a spec's job, and the one it has if it was asked for before all of its context was known."""
    task = find_task(kind)
    if not isinstance(spec, task.spec):
        raise BadRequest(f"A {kind} job takes a {task.spec.__name__}, not a {type(spec).__name__}; give one.")
    context = task.context(spec)
    earlier = tuple("" if isinstance(part, Late) else part for part in context)
    return dict.fromkeys(_id(task, spec, parts) for parts in (context, earlier))


def _id(task: Task, spec: Spec, context: tuple[str, ...]) -> str:
    version = (task.version,) if task.version else ()
    return f"{task.prefix}-{spec.fingerprint(task.kind, *context, *version)[:_ID_DIGITS]}"
