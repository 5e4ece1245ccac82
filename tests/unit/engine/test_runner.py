"""The state machine of one job, run in this very process."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.engine import runner, tasks
from core.engine.tasks import Task
from core.errors import Cancelled, Diverged, UnknownName
from core.progress import Progress
from core.specs import ModelSpec
from core.store import JobFolder, Store, create_job
from core.store.status import this_process

Work = Callable[[Progress], dict[str, Any]]


@pytest.fixture
def make_job(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], JobFolder]:
    """Return a function that makes a job out of what it does."""
    monkeypatch.setattr(tasks, "registered", {})

    def make(work: Work) -> JobFolder:
        def run(spec: ModelSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
            return work(progress)

        tasks.register(Task("odd", "o", ModelSpec, run, "quick"))
        return create_job(store, "odd", ModelSpec().as_json(), "o-1")

    return make


def test_a_job_goes_from_queued_to_succeeded(make_job: Callable[[Work], JobFolder]) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        progress(2, 4, "half")
        return {"answer": 42}

    job = make_job(work)
    status = runner.run_job(job)
    assert (status.state, status.done, status.total, status.attempts) == ("succeeded", 2, 4, 1)
    assert status.process == os.getpid()
    assert status.started <= status.finished
    assert job.result() == {"answer": 42}
    assert runner.run_job(job).attempts == 1, "an ended job is not run again"


def test_progress_is_written_while_the_job_works(make_job: Callable[[Work], JobFolder]) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        progress(1, 8, "loading")
        end = time.monotonic() + 30
        while job.stored_status().message != "loading" and time.monotonic() < end:
            time.sleep(0.01)
        progress(3, 20, "training")
        return {"seen": job.stored_status().message}

    job = make_job(work)
    status = runner.run_job(job)
    assert job.result() == {"seen": "loading"}
    assert (status.done, status.total, status.pace_from) == (3, 20, 3), "a new total starts a new pace"
    assert status.pace_since > status.started


def test_the_pace_counts_from_the_first_unit_and_not_from_what_is_prepared_before(
    make_job: Callable[[Work], JobFolder],
) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        since = list[float]()
        for message in ("Baseline: no prompt", "Baseline: instruction"):
            progress(0, 100, message)
            end = time.monotonic() + 30
            while job.stored_status().message != message and time.monotonic() < end:
                time.sleep(0.01)
            since.append(job.stored_status().pace_since)
        progress(1, 100, "Step 1")
        return {"since": since}

    job = make_job(work)
    status = runner.run_job(job)
    first, second = (job.result() or {})["since"]
    assert first < second
    assert (status.done, status.pace_since) == (1, second)


def test_the_heart_beats_through_a_long_step(
    make_job: Callable[[Work], JobFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PROGRESS_SECONDS", 0.01)
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.02)

    def work(progress: Progress) -> dict[str, Any]:
        first, end = job.stored_status().heartbeat, time.monotonic() + 30
        while job.stored_status().heartbeat == first and time.monotonic() < end:
            time.sleep(0.01)
        return {"beat": job.stored_status().heartbeat > first}

    job = make_job(work)
    runner.run_job(job)
    assert job.result() == {"beat": True}


def test_a_cancelled_job_stops_at_its_next_report(make_job: Callable[[Work], JobFolder]) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        progress(1, 4, "first")
        job.request_cancel()
        progress(2, 4, "second")
        pytest.fail("went on after the cancel")

    job = make_job(work)
    assert runner.run_job(job).state == "cancelled"
    assert job.result() is None


def test_a_job_cancelled_while_it_waited_is_not_begun(make_job: Callable[[Work], JobFolder]) -> None:
    job = make_job(lambda progress: pytest.fail("begun"))
    job.request_cancel()
    status = runner.run_job(job)
    assert (status.state, status.attempts) == ("cancelled", 0)


@pytest.mark.parametrize(
    ("fault", "error", "exit_code"),
    [
        (ValueError("two\nlines"), "ValueError: two lines", 1),
        (MemoryError(), "MemoryError", 1),
        (SystemExit(3), "SystemExit: 3", 1),
        (Diverged("The loss is NaN at step 3; lower the learning rate."), "The loss is NaN at step 3; lower", 1),
    ],
)
def test_whatever_is_raised_ends_in_the_folder(
    make_job: Callable[[Work], JobFolder], fault: BaseException, error: str, exit_code: int
) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        raise fault

    job = make_job(work)
    status = runner.run_job(job)
    assert status.state == "failed"
    assert status.error.startswith(error)
    assert status.exit_code == exit_code
    assert type(fault).__name__ in job.log_tail()


def test_a_spec_that_is_not_valid_fails_as_a_bad_request(make_job: Callable[[Work], JobFolder], store: Store) -> None:
    make_job(lambda progress: {})
    job = create_job(store, "odd", {"dtype": "int3"}, "o-2")
    status = runner.run_job(job)
    assert (status.state, status.exit_code) == ("failed", 2)
    assert "dtype" in status.error


def test_a_job_whose_process_died_is_begun_again_three_times(make_job: Callable[[Work], JobFolder]) -> None:
    job = make_job(lambda progress: {})
    job.update(state="running", attempts=2, message="loading", **this_process())
    assert runner.run_job(job).attempts == 3
    job.update(state="running", attempts=3, message="loading")
    status = runner.run_job(job)
    assert status.state == "failed"
    assert status.error == (
        "The process died 3 times in this job (limit 3), last at 'loading'; "
        "look for too little memory, then `python -m core runs resume o-1`."
    )


def test_a_job_that_another_process_runs_is_left_alone(
    make_job: Callable[[Work], JobFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "HOLD_SECONDS", 0.05)
    job = make_job(lambda progress: pytest.fail("run twice"))
    with job.held():
        assert runner.run_job(job).state == "queued"


def test_a_task_that_was_replaced_does_nothing(make_job: Callable[[Work], JobFolder]) -> None:
    job = make_job(lambda progress: pytest.fail("the old task ran"))
    job.update(task="new")
    runner.run_task(str(job.path), "old")
    assert job.status().state == "queued"


def test_only_this_jobs_thread_is_logged(make_job: Callable[[Work], JobFolder]) -> None:
    def work(progress: Progress) -> dict[str, Any]:
        logging.getLogger("core.mine").warning("mine")
        other = threading.Thread(target=lambda: logging.getLogger("core.other").warning("not mine"))
        other.start()
        other.join()
        return {}

    job = make_job(work)
    runner.run_job(job)
    assert "WARNING core.mine: mine" in job.log_tail()
    assert "not mine" not in job.log_tail()
    logging.getLogger("core.mine").warning("later")
    assert "later" not in job.log_tail()


def test_a_deaf_job_is_killed_only_where_that_is_allowed(
    make_job: Callable[[Work], JobFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = threading.Event()
    monkeypatch.setattr(runner, "PROGRESS_SECONDS", 0.01)
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(runner, "CANCEL_SECONDS", 0.05)
    monkeypatch.setattr(runner.os, "kill", lambda process, number: number == signal.SIGKILL and killed.set())

    def work(progress: Progress) -> dict[str, Any]:
        job.request_cancel()
        assert killed.wait(30)
        raise Cancelled("so that the test ends")

    job = make_job(work)
    assert runner.run_job(job, in_worker=True).state == "cancelled"
    assert "It took no step for 0.05 s after it was asked to stop" in job.log_tail()


def test_a_kind_nobody_registered_is_named(store: Store) -> None:
    status = runner.run_job(create_job(store, "tuen", {}, "x-1"))
    assert status.error.startswith("Unknown kind of job 'tuen'; known: ")
    assert "Did you mean 'tune'?" in status.error
    assert status.exit_code == UnknownName.exit_code
