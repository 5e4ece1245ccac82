"""Ask for work and follow it: submit, wait, cancel, resume. What pages and the command line use.

The folder of a job is the truth about it; reading it needs no engine. Dask is imported when a job
is first submitted.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from core.engine.keys import KEYS
from core.engine.local import EngineInfo, answers, ensure_local, find_engine, read_info, stop_local, unfinished
from core.engine.lookup import job_id
from core.engine.tasks import Task, find_task
from core.errors import BadRequest, Unreachable
from core.specs import Spec
from core.specs.base import JsonObject
from core.store import JobFolder, Status, Store, create_job, damaged_folders, job_at, jobs_named, list_jobs
from core.store.allowed import require_allowed_spec
from core.store.read_only import read_only, require_writable
from core.store.status import RESUMABLE

SCHEDULER = "PRIORSCOPE_SCHEDULER"
ANSWER_SECONDS = 5.0
_POLL_SECONDS = (0.03, 0.5)
_LOOK_SECONDS = 2.0


def ensure_engine(store: Store) -> EngineInfo:
    """Return the engine that takes this cache folder's jobs; start it if there is none.

    With `PRIORSCOPE_SCHEDULER=tcp://host:port` that cluster is used; else the folder's own engine
    on this machine.

    Raises:
        BadRequest: the variable is not an address, or the program is read-only.
        Unreachable: nobody answers there.
        Busy, Failed: the local engine cannot be started.
    """
    require_writable("Starting a job")
    address = os.environ.get(SCHEDULER, "")
    if not address:
        return ensure_local(store)
    scheme, _, rest = address.partition("://")
    if scheme not in ("tcp", "tls") or not rest.rpartition(":")[2].isdecimal():
        raise BadRequest(f"{SCHEDULER} is {address!r}, which is not an address; write tcp://host:port, or unset it.")
    if not answers(address, ANSWER_SECONDS):
        raise Unreachable(
            f"No scheduler answers at {address} within {ANSWER_SECONDS:g} s ({SCHEDULER}); "
            "start it, correct the address, or unset the variable to use this machine."
        )
    return EngineInfo(address=address, keys=os.environ.get(KEYS, ""), name=address)


def submit(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder:
    """Queue a job and return its folder at once.

    The same spec is the same job. A job that is queued, running or has succeeded is returned as it
    is; one that failed, was cancelled or was interrupted continues from what it has.

    Args:
        kind: of job, see `core.engine.tasks`.
        spec: what is asked for.
        store: the cache folder.
        again: make a further job of the same spec, with -2, -3 … after its id.

    Raises:
        BadRequest: unknown kind, a spec of another kind, a model, module or file that there is not,
            or a file that may not be read (`core.store.allowed`), or the program is read-only.
        Unreachable, Busy, Failed: there is no engine and none could be started.
    """
    require_writable("Starting a job")
    require_allowed_spec(spec)
    first, task = job_id(kind, spec), find_task(kind)
    there = job_at(store, kind, first)
    if there and task.keeps and not again and there.status().state == "succeeded":
        return there
    engine = ensure_engine(store)
    with store.lock(f"submit-{kind}"):
        job = _folder(kind, spec, store, first, again)
        _queue(job, task, engine, store)
    return job


def prepare(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder:
    """Return the folder that `submit` would queue, made if there is none. Needs no engine.

    Raises:
        BadRequest: see `submit`.
    """
    return _folder(kind, spec, store, job_id(kind, spec), again)


def resume(job: JobFolder, store: Store) -> JobFolder:
    """Go on with a job that failed, was cancelled or interrupted, from its last checkpoint.

    Raises:
        BadRequest: it is queued or running, or has succeeded, or the program is read-only.
    """
    require_writable("Resuming a job")
    state = job.status().state
    if state not in RESUMABLE:
        raise BadRequest(f"{job.id} is {state}; only a failed, cancelled, interrupted or damaged job can be resumed.")
    engine = ensure_engine(store)
    with store.lock(f"submit-{job.kind}"):
        _queue(job, find_task(job.kind), engine, store)
    return job


def cancel(job: JobFolder, store: Store) -> Status:
    """Stop a job: at once if it waits, at its next step if it runs; what it has is kept. An ended job stays as it is.

    A job that reports no step for a minute is killed with its worker; others there go on from their
    checkpoints. Needs no engine: a cancelled job that reaches a worker later does nothing there.

    Raises:
        BadRequest: the program is read-only.
    """
    require_writable("Cancelling a job")
    with store.lock(f"submit-{job.kind}"):
        if job.status().state == "interrupted":
            return job.update(state="cancelled", finished=time.time())
        stopped = job.change(("queued",), state="cancelled", finished=time.time())
        if stopped is None and job.status().state == "running":
            job.request_cancel()
        return job.status()


def wait(job: JobFolder, on_status: Callable[[Status], None] | None = None, timeout: float | None = None) -> Status:
    """Follow a job to its end, or for `timeout` seconds; look at `Status.ended`.

    If the local engine dies meanwhile, another is started, which takes the job up again.

    Raises:
        Unreachable: the cluster that has the job no longer answers.
    """
    until = float("inf") if timeout is None else time.monotonic() + timeout
    looked, pause, last = time.monotonic(), _POLL_SECONDS[0], None
    while True:
        status = job.status()
        if status != last and on_status:
            on_status(status)
        last = status
        if status.ended or time.monotonic() >= until:
            return status
        if time.monotonic() - looked > _LOOK_SECONDS:
            _keep_engine(job, status)
            looked = time.monotonic()
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(1.3 * pause, _POLL_SECONDS[1])


def revive(store: Store) -> bool:
    """Start the local engine if jobs wait for one that is gone; cheap, for the start of an app.

    Returns:
        whether there was reason to.
    """
    if read_only() or find_engine(store) or not unfinished(store):
        return False
    ensure_local(store)
    return True


def stop_engine(store: Store) -> bool:
    """Stop the local engine of a cache folder; jobs in progress go on with the next one.

    Returns:
        whether there was one.
    """
    return stop_local(store)


@dataclass(frozen=True)
class WorkerState:
    """A process that runs jobs, and the memory it holds; 0 bytes if it is not known."""

    process: int
    memory_bytes: int


@dataclass(frozen=True)
class EngineState:
    """What a person may know of the engine.

    Attributes:
        engine: the one that runs; None if none does, or if a cluster was named that does not answer.
        address: of the engine; of the named cluster, whether it answers or not; empty if there is none.
        running: whether it answers.
        local: whether it is this machine's own.
        workers: of a local engine.
        outdated: whether it runs other code than this process.
        jobs_running: ids.
        jobs_queued: ids.
        jobs_damaged: ids.
    """

    engine: EngineInfo | None
    address: str
    running: bool
    local: bool
    workers: tuple[WorkerState, ...]
    outdated: bool
    jobs_running: tuple[str, ...]
    jobs_queued: tuple[str, ...]
    jobs_damaged: tuple[str, ...]

    def document(self) -> JsonObject:
        """Return all as JSON; what is known of the engine stands beside the rest."""
        told = asdict(self)
        engine = told.pop("engine") or {}
        return {**engine, **told}


def engine_state(store: Store) -> EngineState:
    """Return what a person may know of the engine, without starting one."""
    named = os.environ.get(SCHEDULER, "")
    info = EngineInfo(address=named, name=named) if named else find_engine(store) or read_info(store)
    running = answers(named, ANSWER_SECONDS) if named else find_engine(store) is not None
    engine = info if running else None
    jobs = [(job.id, job.status().state) for job in list_jobs(store)]
    damaged = [folder.job.id for folder in damaged_folders(store)]
    return EngineState(
        engine=engine,
        address=engine.address if engine else named,
        running=running,
        local=not named,
        workers=tuple(_worker(process) for process in engine.workers) if engine else (),
        outdated=bool(engine and engine.outdated),
        jobs_running=tuple(name for name, state in jobs if state == "running"),
        jobs_queued=tuple(name for name, state in jobs if state == "queued"),
        jobs_damaged=(*(name for name, state in jobs if state == "damaged"), *damaged),
    )


def _folder(kind: str, spec: Spec, store: Store, first: str, again: bool) -> JobFolder:
    """Return the folder of a spec's job, made if there is none; or of a further one, with -2, -3 … after its id."""
    names = (first, *(f"{first}-{n}" for n in range(2, len(jobs_named(store, kind, first)) + 2)))
    free = (name for name in names if not job_at(store, kind, name))
    return create_job(store, kind, spec.as_json(), next(free) if again else first)


def _queue(job: JobFolder, task: Task, engine: EngineInfo, store: Store) -> None:
    """Give a job to the engine unless it is there already, or done for good."""
    from core.engine import queue

    status = job.status()
    if status.state == "running" or (status.state == "succeeded" and task.keeps):
        return
    try:
        _hand_over(job, status, engine)
    except (OSError, TimeoutError, Unreachable):
        if engine.process == 0:
            raise
        queue.disconnect()  # it closed itself, or died, between two looks
        _hand_over(job, status, ensure_engine(store))


def _hand_over(job: JobFolder, status: Status, engine: EngineInfo) -> None:
    from core.engine import queue

    client = queue.connect(engine.address, engine.keys)
    if status.state == "queued" and status.task and queue.holds(client, status.task):
        return
    if engine.process == 0:
        queue.require_lanes(client, engine.address)
    if status.state == "damaged":
        job.set_aside()
    job.update(attempts=0)
    queue.enqueue(client, job, engine.name)
    queue.confirm(client, job.stored_status().task)


def _keep_engine(job: JobFolder, status: Status) -> None:
    if status.engine.startswith(("tcp://", "tls://")):
        if not answers(status.engine, ANSWER_SECONDS):
            raise Unreachable(
                f"The scheduler at {status.engine} no longer answers; {job.id} keeps what it has: "
                f"`python -m core runs resume {job.id}`."
            )
    else:
        revive(Store(job.path.parents[1]))


def _worker(process: int) -> WorkerState:
    import psutil

    try:
        return WorkerState(process, psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return WorkerState(process, 0)
