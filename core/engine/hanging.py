"""When a job hangs: for a time that can be set it reports nothing, writes no event and computes nothing."""

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from core.errors import BadRequest
from core.store import JobFolder

HANG_MINUTES = "PRIORSCOPE_HANG_MINUTES"
COMPUTES = 0.01
"""Share of a processor that counts as computing: a thread that only waits and looks takes less."""
QUIET_SECONDS = 15.0
"""Age of a heartbeat that is a sign of life to the engine."""


def minutes_set(variable: str, usual: float) -> float:
    """Return the minutes that an environment variable sets.

    Raises:
        BadRequest: it is not a positive number.
    """
    text = os.environ.get(variable, "")
    try:
        minutes = float(text or usual)
    except ValueError:
        minutes = 0.0
    if not minutes > 0:
        raise BadRequest(f"{variable} is {text!r}; give a number of minutes above 0, or unset it for {usual:g}.")
    return minutes


def hang_minutes() -> float:
    """Return after how many minutes without a sign of life a job is ended.

    Raises:
        BadRequest: the variable is not a positive number.
    """
    return minutes_set(HANG_MINUTES, 30)


class Pulse:
    """Signs of life of a job: what it reports, the events it writes, and the processor time it takes.

    A download reports its bytes, and a fit that reports nothing for an hour computes: neither hangs.
    """

    def __init__(self, job: JobFolder, spent: Callable[[], float]) -> None:
        """Begin to watch.

        Args:
            job: whose events count.
            spent: returns the processor time in seconds that the job has taken.
        """
        self._events: Path = job.path / "events.jsonl"
        self._spent = spent
        self._last = self._looked = time.monotonic()
        self._before = self._seen()

    def felt(self) -> None:
        """Take note of a report."""
        self._last = time.monotonic()

    def quiet(self) -> float:
        """Look, and return for how many seconds there has been no sign of life."""
        now, (size, spent) = time.monotonic(), self._seen()
        if size != self._before[0] or spent - self._before[1] > COMPUTES * (now - self._looked):
            self._last = now
        self._looked, self._before = now, (size, spent)
        return now - self._last

    def _seen(self) -> tuple[int, float]:
        return self._events.stat().st_size if self._events.exists() else 0, self._spent()


def spent_by_this_thread() -> Callable[[], float]:
    """Return a function, for any thread to call, of the processor time that the present thread has taken, in seconds.

    Where the system cannot tell (macOS, Windows), it is that of the whole process.
    """
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(clock)


def say_hung(job: JobFolder, seconds: float) -> None:
    """Record that a job ends because it has shown no sign of life for so long."""
    reason = (
        f"The job hung: no progress for {seconds / 60:g} minutes (limit {HANG_MINUTES}), last at "
        f"{job.stored_status().message or 'the start'!r}, so its process is ended; see what it waits for, then "
        f"`python -m core runs resume {job.id}` goes on from what it has."
    )
    job.log(reason)
    job.change(("running",), state="failed", error=reason, exit_code=1, finished=time.time())


class Watch:
    """Looks, from the engine's own process, after jobs that hold their worker so fast that its heart does not beat."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._pulses: dict[str, Pulse] = {}
        self._seconds = 60 * hang_minutes()

    def look(self, jobs: Iterable[JobFolder], workers: Collection[int]) -> None:
        """Kill those of these workers in which a job shows no sign of life, its heartbeat included, for too long."""
        pulses = {}
        for job in jobs:
            status = job.stored_status()
            if status.state != "running" or status.process not in workers:
                continue
            pulse = self._pulses.get(job.id) or Pulse(job, partial(_spent_by, status.process))
            if time.time() - status.heartbeat < QUIET_SECONDS:
                pulse.felt()
            if pulse.quiet() > self._seconds:
                # Killed first: it may hold the lock of the status.
                with suppress(ProcessLookupError):
                    os.kill(status.process, signal.SIGKILL)
                say_hung(job, self._seconds)
            pulses[job.id] = pulse
        self._pulses = pulses


def _spent_by(process: int) -> float:
    try:
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system
