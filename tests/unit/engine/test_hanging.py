"""Signs of life of a job, by a clock that the test sets."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from core.engine import hanging, runner, tasks
from core.engine.hanging import HANG_MINUTES, Pulse, Watch, spent_by_this_thread
from core.engine.tasks import Task
from core.errors import Cancelled
from core.progress import Progress
from core.specs import ModelSpec
from core.store import JobFolder, Store, create_job
from core.store.status import this_process


class Clock:
    """Seconds that pass when the test says so, and how many of them a job computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.spent = 1000.0, 0.0
        monkeypatch.setattr(hanging.time, "monotonic", lambda: self.now)

    def passes(self, seconds: float, share: float = 0.0) -> None:
        self.now += seconds
        self.spent += share * seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def job(store: Store) -> JobFolder:
    return create_job(store, "tune", {}, "t-1")


def test_reports_events_and_computing_are_signs_of_life_and_waiting_is_none(job: JobFolder, clock: Clock):
    pulse = Pulse(job, lambda: clock.spent)
    clock.passes(10, share=0.001)
    assert pulse.quiet() == 10, "a thread that only looks now and then is waiting"
    pulse.felt()
    clock.passes(5)
    assert pulse.quiet() == 5
    job.append(event="step")
    assert pulse.quiet() == 0
    clock.passes(3600, share=0.05)
    assert pulse.quiet() == 0, "a fit that says nothing for an hour computes"
    clock.passes(60)
    assert pulse.quiet() == 60


def test_a_thread_knows_what_it_has_computed_itself():
    spent = spent_by_this_thread()
    before, until = spent(), time.thread_time() + 0.05
    while time.thread_time() < until:
        pass
    assert spent() - before >= 0.05


@contextmanager
def killing(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    killed = threading.Event()
    monkeypatch.setattr(os, "kill", lambda process, number: number == signal.SIGKILL and killed.set())
    yield killed


@pytest.mark.parametrize("in_worker", [True, False])
def test_a_job_that_hangs_is_ended_only_where_that_is_allowed(
    store: Store, monkeypatch: pytest.MonkeyPatch, in_worker: bool
):
    monkeypatch.setattr(tasks, "registered", {})
    monkeypatch.setattr(runner, "PROGRESS_SECONDS", 0.01)
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(runner, "import_everything", lambda: None)
    monkeypatch.setenv(HANG_MINUTES, "0.003")
    with killing(monkeypatch) as killed:

        def run(spec: ModelSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
            progress(1, 3, "asking a server")
            if killed.wait(30 if in_worker else 1):
                raise Cancelled("so that the test ends")
            return {}

        tasks.register(Task("odd", "o", ModelSpec, run, "quick"))
        job = create_job(store, "odd", ModelSpec().as_json(), "o-1")
        runner.run_job(job, in_worker)
    assert killed.is_set() is in_worker
    said = "The job hung: no progress for 0.003 minutes (limit PRIORSCOPE_HANG_MINUTES), last at 'asking a server'"
    assert (said in job.log_tail()) is in_worker


@pytest.fixture
def running(job: JobFolder) -> Callable[..., None]:
    def update(**changes: Any) -> None:
        job.update(state="running", message="reading", **{**this_process(), **changes})

    return update


def test_the_engine_ends_a_job_whose_heart_stands_still(
    job: JobFolder, clock: Clock, running: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: SimpleNamespace(user=0.0, system=0.0))
    with killing(monkeypatch) as killed:
        watch = Watch()
        running()
        watch.look([job], [os.getpid()])
        clock.passes(60 * 60)
        watch.look([job], [os.getpid()])
        assert not killed.is_set(), "its heartbeat is fresh"
        running(heartbeat=time.time() - 120)
        clock.passes(29 * 60)
        watch.look([job], [os.getpid()])
        assert not killed.is_set()
        clock.passes(2 * 60)
        watch.look([job], [])
        assert not killed.is_set(), "a process of somebody else's"
        watch.look([job], [os.getpid()])
        clock.passes(31 * 60)
        watch.look([job], [os.getpid()])
        assert killed.is_set()
    status = job.stored_status()
    assert (status.state, status.exit_code) == ("failed", 1)
    assert status.error.startswith("The job hung: no progress for 30 minutes")
