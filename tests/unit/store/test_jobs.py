"""Job folders: one writer of each line, many readers, and an honest status."""

import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.errors import BadRequest, Busy, DamagedArtifact, UnknownName
from core.specs import TuningSpec, parse_prior
from core.store import JobFolder, Status, Store, create_job, damaged_folders, find_job, list_jobs
from core.store.record_files import write_digested
from core.store.status import GONE_SECONDS, SILENT_SECONDS, is_alive, this_process

TUNING = TuningSpec(prior=parse_prior("isotropic")).as_json()


@pytest.fixture
def job(store: Store) -> JobFolder:
    return create_job(store, "toy", {"samples": 3}, "c-1")


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_new_job_is_queued_and_knows_what_was_asked(store: Store, job: JobFolder) -> None:
    assert (job.id, job.kind, job.spec) == ("c-1", "toy", {"samples": 3})
    assert job.status().state == "queued"
    assert job.path.parent.name == "jobs"
    assert create_job(store, "tune", TUNING, "t-1").path.parent.name == "runs"
    job.update(state="running", **this_process())
    assert create_job(store, "toy", {"samples": 4}, "c-1").status().state == "running", "an existing job stays"


def test_a_change_happens_only_from_the_states_named(job: JobFolder) -> None:
    changed = job.change(("queued",), state="cancelled")
    assert changed is not None
    assert changed.state == "cancelled"
    assert job.change(("queued", "running"), state="running") is None
    assert job.status().state == "cancelled"


def test_changes_from_many_threads_are_all_kept(job: JobFolder) -> None:
    def raise_field(name: str) -> None:
        for value in range(1, 11):
            job.update(**{name: value})

    fields = ("done", "total", "pace_from", "attempts")
    threads = [threading.Thread(target=raise_field, args=(name,)) for name in fields]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [getattr(job.status(), name) for name in fields] == [10] * len(fields)


def test_fields_of_a_newer_program_are_left_alone(job: JobFolder) -> None:
    write_digested(job.path / "status.json", {**asdict(job.stored_status()), "invented": 1})
    assert job.status().state == "queued"


def test_a_status_that_cannot_be_read_counts_as_damaged_and_can_be_deleted(job: JobFolder) -> None:
    (job.path / "status.json").write_text("{")
    assert job.status().state == "damaged"
    assert "c-1 is damaged: status.json cannot be read" in job.status().error
    job.delete()
    assert not job.path.exists()


def test_a_job_is_lost_when_its_process_is_gone_or_long_silent(gone: int) -> None:
    here = socket.gethostname()
    now = time.time()
    running = Status(state="running", heartbeat=now - GONE_SECONDS - 1, process=gone, host=here)
    assert running.judged(now).state == "interrupted"
    assert running.judged(now).error == "The job's process is gone; resume it."
    assert replace(running, heartbeat=now - GONE_SECONDS / 2).judged(now).state == "running"
    assert replace(running, **this_process()).judged(now).state == "running"
    assert replace(running, host="another-machine").judged(now).state == "running", "its processes cannot be seen"
    silent = replace(running, heartbeat=now - SILENT_SECONDS - 1)
    assert replace(silent, host="another-machine").judged(now).state == "interrupted"
    assert replace(silent, **this_process()).judged(now).state == "interrupted"
    assert replace(silent, state="queued").judged(now).state == "queued"
    future = replace(running, heartbeat=now + 3600)
    assert future.judged(now).state == "interrupted", "the clock was set back since its process died"


def test_a_process_that_waits_to_be_buried_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    end = time.monotonic() + 30
    while is_alive(process.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not is_alive(process.pid), "a zombie"
    process.wait()
    assert is_alive(this_process()["process"])  # pyright: ignore[reportArgumentType]
    assert not is_alive(0)


def test_time_left_follows_the_pace_of_the_present_stage() -> None:
    status = Status(state="running", started=100.0, done=30, total=50, pace_since=200.0, pace_from=20)
    assert status.seconds_left(210.0) == pytest.approx(20.0)
    assert status.fraction == pytest.approx(0.6)
    assert replace(status, pace_from=30).seconds_left(210.0) is None
    assert replace(status, done=50).seconds_left(210.0) is None
    assert replace(status, state="queued").seconds_left(210.0) is None
    assert Status().fraction == 0.0


def test_events_are_filtered_and_a_half_written_line_waits(job: JobFolder) -> None:
    assert list(job.events()) == []
    job.append(event="step", step=1, token="é")
    job.append(event="evaluation", step=1)
    assert [event["token"] for event in job.events(event="step")] == ["é"]
    with (job.path / "events.jsonl").open("ab") as file:
        file.write('{"event":"step","token":"é'.encode()[:-1])
    assert len(list(job.events())) == 2
    job.append(event="step", step=2)
    assert [event["step"] for event in job.events(event="step")] == [1, 2], "the cut line is skipped, the next is whole"


def test_the_log_keeps_its_end(job: JobFolder) -> None:
    assert job.log_tail() == ""
    for number in range(30):
        job.log(f"line {number}\n")
    assert len(job.log_tail(5).splitlines()) == 5
    assert job.log_tail(5).endswith("line 29")


def test_the_cancel_flag_goes_up_and_down(job: JobFolder) -> None:
    assert not job.cancel_requested()
    job.request_cancel()
    assert job.cancel_requested()
    job.clear_cancel()
    job.clear_cancel()
    assert not job.cancel_requested()


def test_a_result_is_there_once_written(job: JobFolder) -> None:
    assert job.result() is None
    job.write_result({"key": "k", "folder": Path("x")})
    assert job.result() == {"key": "k", "folder": "x"}


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_that_goes_on_is_not_deleted(job: JobFolder, state: str) -> None:
    job.update(state=state, **this_process())
    with pytest.raises(BadRequest, match=f"c-1 is {state}; cancel it before deleting it"):
        job.delete()
    job.update(state="cancelled")
    with job.held(), pytest.raises(BadRequest, match="is still stopping; try again"):
        job.delete()
    job.delete()
    assert not list(job.path.parent.iterdir())


def test_a_job_is_held_by_one(job: JobFolder) -> None:
    with job.held(), pytest.raises(Busy, match="Another process has held the job of c-1 for over 0 s"), job.held():
        pytest.fail("two hold one job")


def test_jobs_are_listed_newest_first_and_damaged_ones_apart(store: Store) -> None:
    for name, kind in (("c-old", "toy"), ("t-mid", "tune"), ("c-new", "toy"), ("m-bad", "model")):
        create_job(store, kind, TUNING if kind == "tune" else {}, name)
    (store.root / "jobs" / "m-bad" / "spec.json").write_text("{")
    assert [job.id for job in list_jobs(store)] == ["c-new", "t-mid", "c-old"]
    assert [job.id for job in list_jobs(store, "toy")] == ["c-new", "c-old"]
    (found,) = damaged_folders(store)
    assert found.job.id == "m-bad"
    assert "m-bad is damaged: spec.json cannot be read" in found.reason
    assert "delete it with `python -m core runs delete m-bad`" in found.reason
    with pytest.raises(DamagedArtifact, match="m-bad is damaged"):
        find_job(store, "m-bad")
    find_job(store, "m-b", damaged=True).delete()
    assert not damaged_folders(store)


def test_a_job_is_found_by_the_beginning_of_its_name(store: Store) -> None:
    for name in ("c-1234", "c-1299", "c-12"):
        create_job(store, "toy", {}, name)
    assert find_job(store, "c-123").id == "c-1234"
    assert find_job(store, "c-12").id == "c-12", "a whole name goes before a beginning"
    with pytest.raises(UnknownName, match="Unknown run or job 'c-1'; known: c-12, c-1234, c-1299"):
        find_job(store, "c-1")
    with pytest.raises(UnknownName, match="`python -m core runs list` shows them"):
        find_job(store, "")
