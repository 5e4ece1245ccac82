"""Processes end the hard way, and the jobs come to the right end all the same."""

import os
import signal

import pytest

from core.engine import client, local
from core.engine.hanging import HANG_MINUTES
from core.store import Store
from core.store.status import is_alive
from tests.engine.conftest import kill_worker, until
from tests.engine.toy_tasks import ToySpec


def test_a_job_whose_worker_is_killed_goes_on_by_itself(engine_store: Store) -> None:
    job = client.submit("toy-train", ToySpec(name="killed", steps=40, pause=0.05), engine_store)
    until(lambda: len(list(job.events(event="step"))) >= 3, "three steps")
    kill_worker(engine_store, job.status().process)
    status = client.wait(job, timeout=60)
    assert (status.state, status.attempts, status.error) == ("succeeded", 2, "")
    assert sorted({event["step"] for event in job.events(event="step")}) == list(range(40))


def test_a_job_that_kills_its_worker_each_time_fails_after_three(engine_store: Store) -> None:
    job = client.submit("toy", ToySpec(name="deadly", fault="die"), engine_store)
    status = client.wait(job, timeout=60)
    assert status.state == "failed"
    assert status.error.startswith("The process died 3 times in this job (limit 3), last at 'counting'; ")
    assert f"`python -m core runs resume {job.id}`" in status.error


def test_a_job_that_does_not_answer_a_cancel_is_killed(engine_store: Store) -> None:
    job = client.submit("toy", ToySpec(name="deaf", fault="deaf"), engine_store)
    until(lambda: job.status().done == 1, "the job turns deaf")
    process = job.status().process
    client.cancel(job, engine_store)
    assert client.wait(job, timeout=60).state == "cancelled"
    until(lambda: not is_alive(process), "its worker is gone")
    assert "its process is killed" in job.log_tail()


def test_a_job_that_hangs_is_ended_with_a_word_and_others_go_on(own_store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(HANG_MINUTES, "0.1")
    other = client.submit("toy-train", ToySpec(name="other", steps=200, pause=0.1), own_store)
    until(lambda: other.status().done > 3, "the other is under way")
    job = client.submit("toy", ToySpec(name="hangs", fault="deaf"), own_store)
    status = client.wait(job, timeout=180)
    assert (status.state, status.exit_code, status.error) == (
        "failed",
        1,
        "The job hung: no progress for 0.1 minutes (limit PRIORSCOPE_HANG_MINUTES), last at 'counting', so its process "
        f"is ended; see what it waits for, then `python -m core runs resume {job.id}` goes on from what it has.",
    )
    assert status.error in job.log_tail()
    until(lambda: not is_alive(status.process), "its worker is gone")
    assert client.wait(other, timeout=180).state == "succeeded"
    assert sorted({event["step"] for event in other.events(event="step")}) == list(range(200))


def test_a_job_that_holds_the_interpreter_and_hangs_is_ended_by_the_engine(
    own_store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(HANG_MINUTES, "0.1")
    job = client.submit("toy", ToySpec(name="frozen", fault="frozen"), own_store)
    status = client.wait(job, timeout=180)
    assert status.state == "failed"
    assert status.error.startswith("The job hung: no progress for 0.1 minutes")
    until(lambda: not is_alive(status.process), "its worker is gone")
    later = client.submit("toy", ToySpec(name="later"), own_store)
    assert client.wait(later, timeout=180).state == "succeeded"


def test_jobs_of_a_killed_engine_are_taken_up_by_the_next(own_store: Store) -> None:
    running = client.submit("toy-train", ToySpec(name="running", steps=40, pause=0.05), own_store)
    waiting = client.submit("toy-train", ToySpec(name="waiting"), own_store)
    until(lambda: len(list(running.events(event="step"))) >= 3, "three steps")
    engine = local.find_engine(own_store)
    assert engine is not None
    worker = running.status().process
    os.kill(engine.process, signal.SIGKILL)
    until(lambda: not (is_alive(engine.process) or is_alive(worker)), "the worker follows its engine")
    assert not client.engine_state(own_store).running
    status = client.wait(running, timeout=60)
    assert (status.state, status.attempts, status.error) == ("succeeded", 2, "")
    assert sorted({event["step"] for event in running.events(event="step")}) == list(range(40))
    assert client.wait(waiting, timeout=60).state == "succeeded"


def test_a_stopped_engine_leaves_its_jobs_interrupted_for_the_next(own_store: Store) -> None:
    job = client.submit("toy", ToySpec(name="stopped", steps=40, pause=0.05), own_store)
    until(lambda: len(list(job.events(event="step"))) >= 3, "three steps")
    assert client.stop_engine(own_store)
    assert not client.stop_engine(own_store)
    assert job.status().state == "interrupted"
    assert "The engine was stopped" in job.status().error
    assert client.revive(own_store)
    assert not client.revive(own_store)
    until(lambda: job.status().state == "succeeded", "the next engine ends the job")
    assert sorted({event["step"] for event in job.events(event="step")}) == list(range(40))
