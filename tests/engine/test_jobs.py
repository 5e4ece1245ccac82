"""Submit, wait, cancel, resume, against a real engine."""

import subprocess
import sys
import time

import pytest

from core.engine import client, local
from core.errors import BadRequest
from core.store import Store, find_job
from tests.engine.conftest import until
from tests.engine.toy_tasks import ToySpec

DASK_FORGETS_ORDER = 0.3
"""Seconds after which Dask calls a job younger than the last one; within 0.1 s two are of one age."""


def test_a_job_runs_to_its_end_and_leaves_result_events_and_log(engine_store: Store) -> None:
    seen = []
    job = client.submit("toy", ToySpec(name="whole", fault="warn"), engine_store)
    status = client.wait(job, on_status=seen.append, timeout=60)
    assert status.state == "succeeded"
    assert (status.done, status.total, status.attempts, status.engine) == (3, 3, 1, "local")
    assert job.result() == {"count": 3, "process": status.process}
    assert [event["step"] for event in job.events(event="step")] == [0, 1, 2]
    assert seen[-1] == status
    log = job.log_tail()
    assert "counting from 0" in log
    assert "a toy warning" in log


def test_the_same_spec_is_the_same_job_until_asked_again(engine_store: Store) -> None:
    first = client.submit("toy", ToySpec(name="same"), engine_store)
    client.wait(first, timeout=60)
    second = client.submit("toy", ToySpec(name="same"), engine_store)
    again = client.submit("toy", ToySpec(name="same"), engine_store, again=True)
    assert first.id.startswith("toy-")
    assert second.path == first.path
    assert second.status().attempts == 1
    assert again.id == f"{first.id}-2"
    assert client.wait(again, timeout=60).state == "succeeded"


def test_a_kind_whose_result_may_be_pruned_runs_again(engine_store: Store) -> None:
    first = client.submit("toy-stored", ToySpec(name="stored"), engine_store)
    started = client.wait(first, timeout=60).started
    second = client.submit("toy-stored", ToySpec(name="stored"), engine_store)
    assert second.path == first.path
    assert client.wait(second, timeout=60).started > started


def test_a_short_job_passes_a_training_job_and_a_second_training_job_waits(engine_store: Store) -> None:
    training = client.submit("toy-train", ToySpec(name="long", steps=2000, pause=0.05), engine_store)
    until(lambda: training.status().done >= 1, "the training job makes steps")
    waiting = client.submit("toy-train", ToySpec(name="second", steps=1), engine_store)
    time.sleep(DASK_FORGETS_ORDER)
    short = client.submit("toy", ToySpec(name="short"), engine_store)
    assert client.wait(short, timeout=60).state == "succeeded"
    assert training.status().state == "running"
    assert waiting.status().state == "queued"
    state = client.engine_state(engine_store)
    assert state.jobs_running == (training.id,)
    assert state.jobs_queued == (waiting.id,)
    assert client.cancel(waiting, engine_store).state == "cancelled"
    client.cancel(training, engine_store)
    assert client.wait(training, timeout=60).state == "cancelled"
    assert not list(waiting.events())


def test_the_runs_of_a_study_pass_a_study_that_waits(engine_store: Store) -> None:
    study = client.submit("toy-study", ToySpec(name="first study", steps=2000, pause=0.05), engine_store)
    until(lambda: study.status().done >= 1, "the study is under way")
    waiting = client.submit("toy-study", ToySpec(name="second study"), engine_store)
    time.sleep(DASK_FORGETS_ORDER)
    run = client.submit("toy-train", ToySpec(name="run of the first study"), engine_store)
    assert client.wait(run, timeout=60).state == "succeeded"
    assert (study.status().state, waiting.status().state) == ("running", "queued")
    client.cancel(waiting, engine_store)
    client.cancel(study, engine_store)
    assert client.wait(study, timeout=60).state == "cancelled"


def test_a_cancelled_job_resumes_from_its_checkpoint(engine_store: Store) -> None:
    job = client.submit("toy", ToySpec(name="resumed", steps=30, pause=0.05), engine_store)
    until(lambda: len(list(job.events(event="step"))) >= 3, "three steps")
    client.cancel(job, engine_store)
    assert client.wait(job, timeout=60).state == "cancelled"
    with pytest.raises(BadRequest, match="only a failed, cancelled, interrupted or damaged job"):
        client.resume(client.submit("toy", ToySpec(name="whole", fault="warn"), engine_store), engine_store)
    client.resume(job, engine_store)
    assert client.wait(job, timeout=60).state == "succeeded"
    assert [event["step"] for event in job.events(event="step")] == list(range(30))


@pytest.mark.parametrize(
    ("fault", "error", "exit_code"),
    [("error", "ZeroDivisionError: a fault in two lines", 1), ("bad data", "The toy has no data; give it some.", 2)],
)
def test_a_failed_job_says_why_in_one_line_and_keeps_the_traceback(
    engine_store: Store, fault: str, error: str, exit_code: int
) -> None:
    job = client.submit("toy", ToySpec(name="failing", fault=fault), engine_store)
    status = client.wait(job, timeout=60)
    assert (status.state, status.error, status.exit_code) == ("failed", error, exit_code)
    assert "Traceback" in job.log_tail()


def test_a_job_outlives_the_process_that_submitted_it(engine_store: Store) -> None:
    code = (
        "from pathlib import Path\n"
        "from core.engine import client\n"
        "from core.store import Store\n"
        "from tests.engine.toy_tasks import ToySpec\n"
        f"store = Store(Path({str(engine_store.root)!r}))\n"
        "print(client.submit('toy', ToySpec(name='orphan', fault='held'), store).id)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    job = find_job(engine_store, done.stdout.strip())
    assert not job.status().ended
    (job.path / "go").touch()
    assert client.wait(job, timeout=60).state == "succeeded"


def test_a_cluster_named_by_the_environment_takes_the_jobs(
    engine_store: Store, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = client.ensure_engine(engine_store).address
    monkeypatch.setenv(client.SCHEDULER, address)
    job = client.submit("toy", ToySpec(name="elsewhere"), store)
    status = client.wait(job, timeout=60)
    assert (status.state, status.engine) == ("succeeded", address)
    assert client.engine_state(store).running
    assert local.read_info(store) is None
