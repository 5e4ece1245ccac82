"""Run one job to its end: state machine, heartbeat, progress, cancel, log, result.

This is what reaches a worker. It takes a folder and nothing else, so that a job can be taken up
again anywhere.
"""

import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.engine.hanging import Pulse, hang_minutes, say_hung, spent_by_this_thread
from core.engine.imports import import_everything
from core.engine.memory import give_back, keep_what_is_loaded
from core.engine.tasks import find_task
from core.errors import Busy, Cancelled, PriorscopeError
from core.store import JobFolder, Store
from core.store.files import disk_errors
from core.store.status import Status, this_process

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""A job whose process died this often is not started again: the job may be what kills it."""
HOLD_SECONDS = 10.0
PROGRESS_SECONDS = 0.3
HEARTBEAT_SECONDS = 2.0
CANCEL_SECONDS = 60.0
"""A job that was asked to stop and reports no step for this long is killed with its process."""
LOOK_SECONDS = 5.0
"""Between two looks at whether a job hangs."""


def run_task(folder: str, task: str) -> None:
    """Run a job in a Dask worker, unless another task has taken its place (see `Status.task`)."""
    logging.captureWarnings(True)
    logging.getLogger("core").setLevel(logging.INFO)
    job = JobFolder(Path(folder))
    if job.stored_status().task == task:
        run_job(job, in_worker=True)
        give_back()


def run_job(job: JobFolder, in_worker: bool = False) -> Status:
    """Run a job in this process and thread; one that has ended, or that another process runs, is left alone.

    Args:
        job: queued, or left by a process that died.
        in_worker: whether this is a worker process: it runs other jobs too, and may be killed when
            the job does not answer a cancel.
    """
    try:
        with job.held(HOLD_SECONDS):
            status = job.stored_status()
            if status.ended:
                return status
            if not job.readable():
                return job.update(state="damaged", error=f"{job.id} is damaged.", exit_code=1, finished=time.time())
            if job.cancel_requested():
                return job.update(state="cancelled", finished=time.time())
            if status.attempts >= MAX_ATTEMPTS:
                return _give_up(job, status)
            return _attempt(job, status, in_worker)
    except Busy:
        return job.status()


def _give_up(job: JobFolder, status: Status) -> Status:
    reason = (
        f"The process died {status.attempts} times in this job (limit {MAX_ATTEMPTS}), last at "
        f"{status.message or 'the start'!r}; look for too little memory, then `python -m core runs resume {job.id}`."
    )
    job.log(reason)
    return job.update(state="failed", error=reason, exit_code=1, finished=time.time())


def _attempt(job: JobFolder, before: Status, in_worker: bool) -> Status:
    now = time.time()
    store, lost = Store(job.path.parents[1]), job.set_aside()
    job.update(
        state="running",
        started=now,
        finished=0.0,
        error="",
        exit_code=0,
        attempts=before.attempts + 1,
        pace_since=now,
        pace_from=0,
        **this_process(),
    )
    with _log_to(job):
        logger.info("%s %s, attempt %d", job.kind, job.id, before.attempts + 1)
        if lost:
            logger.warning("set aside as damaged: %s", ", ".join(lost))
        with _Reporter(job, in_worker) as progress:
            end = _outcome(job, store, progress, in_worker)
        logger.info("%s", end["state"])
    return job.update(finished=time.time(), seal=_seal(job), **end)


def _seal(job: JobFolder) -> str:
    """Write the checksums of what the job made; where the disk is full it has none, as jobs of version 0.1.0."""
    try:
        return job.seal()
    except (OSError, PriorscopeError) as error:
        logger.warning("%s has no checksums: %s", job.id, error)
        return ""


def _outcome(job: JobFolder, store: Store, progress: "_Reporter", in_worker: bool) -> dict[str, str | int]:
    """Do the work and return the changes to the status that say how it ended."""
    try:
        if in_worker:
            import_everything()
            keep_what_is_loaded()
        task = find_task(job.kind)
        with disk_errors(store.root):
            job.write_result(task.run(task.parse(job.spec), job, store, progress))
    except Cancelled:
        return {"state": "cancelled"}
    except PriorscopeError as error:
        logger.exception("failed")
        return {"state": "failed", "error": str(error), "exit_code": error.exit_code}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a job raises, its folder must tell
        logger.error("%s", traceback.format_exc())
        return {"state": "failed", "error": _one_line(error), "exit_code": 1}
    return {"state": "succeeded", "message": ""}


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _Reporter:
    """The job's `Progress`: takes reports at no cost and writes them from a thread, which is the heartbeat as well."""

    def __init__(self, job: JobFolder, may_kill: bool) -> None:
        self._job = job
        self._may_kill = may_kill
        self._latest: tuple[int, int, str] | None = None
        self._guard = threading.Lock()
        self._reported = self._looked = time.monotonic()
        self._asked_to_stop: float | None = None
        self._pulse = Pulse(job, spent_by_this_thread())
        self._hangs_after = 60 * hang_minutes()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat {job.id}", daemon=True)

    def __enter__(self) -> "_Reporter":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._write()

    def __call__(self, done: int, total: int, message: str = "") -> None:
        """Take a report.

        Raises:
            Cancelled: the job was asked to stop.
        """
        with self._guard:
            self._latest = (int(done), int(total), message)
        self._reported = time.monotonic()
        self._pulse.felt()
        if self._job.cancel_requested():
            raise Cancelled(f"{self._job.id} was cancelled.")

    def _beat(self) -> None:
        written = time.monotonic()
        while not self._stop.wait(PROGRESS_SECONDS):
            if self._latest is None and time.monotonic() - written < HEARTBEAT_SECONDS:
                continue
            try:
                self._write()
                self._kill_if_deaf()
                self._kill_if_hanging()
            except (OSError, PriorscopeError) as error:  # a full disk may have room again; the job itself goes on
                logging.getLogger("core.engine").warning("%s: no heartbeat (%s)", self._job.id, error)
            written = time.monotonic()

    def _write(self) -> None:
        with self._guard:
            latest, self._latest = self._latest, None
        if latest is None:
            self._job.update()
            return
        done, total, message = latest
        before = self._job.stored_status()
        # The pace of a stage counts from its first unit, not from what is prepared before it.
        new_stage = total != before.total or done < before.done or done <= before.pace_from
        pace = {"pace_since": time.time(), "pace_from": done} if new_stage else {}
        self._job.update(done=done, total=total, message=message, **pace)

    def _kill_if_deaf(self) -> None:
        if not self._may_kill or not self._job.cancel_requested():
            self._asked_to_stop = None
            return
        now = time.monotonic()
        self._asked_to_stop = self._asked_to_stop or now
        if now - max(self._asked_to_stop, self._reported) > CANCEL_SECONDS:
            self._job.log(
                f"It took no step for {CANCEL_SECONDS:g} s after it was asked to stop, so its process is killed."
            )
            self._job.update(state="cancelled", finished=time.time())
            os.kill(os.getpid(), signal.SIGKILL)

    def _kill_if_hanging(self) -> None:
        if not self._may_kill or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if self._pulse.quiet() > self._hangs_after:
            say_hung(self._job, self._hangs_after)
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def _log_to(job: JobFolder) -> Iterator[None]:
    """Send what this thread logs or warns about to the job's `log.txt`."""
    handler = _JobLog(job)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _JobLog(logging.Handler):
    def __init__(self, job: JobFolder) -> None:
        super().__init__(logging.INFO)
        self._job = job
        self._thread = threading.get_ident()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._job.log(self.format(record))
