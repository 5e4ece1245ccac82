"""Items of a study in a real engine: a job that has others done, is cancelled with them, and survives their worker."""

from pathlib import Path

import pytest

from core.engine import client
from core.specs import DatasetSpec, ModelSpec, StudyItemSpec, StudySpec
from core.store import JobFolder, Store, list_jobs
from core.studies import shipped
from core.studies.check import check, finished_study
from core.studies.items import KIND, find_item
from tests.engine.conftest import kill_worker, until


@pytest.fixture
def study(tiny_folder: Path, tmp_path: Path) -> StudySpec:
    """Return a study whose soft runs take as many steps as they are given."""
    path = tmp_path / "sums.csv"
    path.write_text("q,a\n" + "".join(f"What is {i} plus {i}?,{2 * i}\n" for i in range(40)))
    sums = DatasetSpec(name="file", path=str(path), prompt_column="q", answer_column="a")
    return StudySpec(
        model=ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32"),
        questions=sums,
        soft_task=sums,
        n_vocabulary=80,
        n_seeds=1,
        n_examples=40,
        steps=2,
        batch_size=2,
        n_validation=4,
        n_generation=0,
        longest_example=64,
    )


def nested_run(store: Store, known: set[str]) -> JobFolder | None:
    """Return the tuning run that was asked for meanwhile, once it makes steps."""
    fresh = (job for job in list_jobs(store, "tune") if job.id not in known)
    return next((job for job in fresh if job.status().done >= 1), None)


def test_an_item_has_what_it_rests_on_made_and_is_kept(engine_store: Store, study: StudySpec) -> None:
    spec = StudyItemSpec(study=study, item="figure-8")
    assert find_item(spec, engine_store) is None
    job = client.submit(KIND, spec, engine_store)
    assert client.wait(job, timeout=120).state == "succeeded", job.log_tail()
    found = find_item(spec, engine_store)
    assert found is not None
    (runs,) = found.result.numbers["runs"]
    assert f"waiting for {runs[0]}" in job.log_tail()
    assert len(found.reproduced.picture.to_plotly_json()["data"]) >= 3
    assert client.submit(KIND, spec, engine_store).status().attempts == 1


def test_a_cancelled_item_cancels_the_run_it_waits_for(engine_store: Store, study: StudySpec) -> None:
    known = {job.id for job in list_jobs(engine_store, "tune")}
    spec = StudyItemSpec(study=study.model_copy(update={"steps": 100_000}), item="figure-6")
    job = client.submit(KIND, spec, engine_store)
    run = until(lambda: nested_run(engine_store, known), "a nested run makes steps")
    client.cancel(job, engine_store)
    assert client.wait(job, timeout=60).state == "cancelled"
    assert client.wait(run, timeout=60).state == "cancelled"


def test_an_item_goes_on_after_the_death_of_the_worker(engine_store: Store, study: StudySpec) -> None:
    known = {job.id for job in list_jobs(engine_store, "tune")}
    spec = StudyItemSpec(study=study.model_copy(update={"steps": 400}), item="figure-7")
    job = client.submit(KIND, spec, engine_store)
    run = until(lambda: nested_run(engine_store, known), "a nested run makes steps")
    kill_worker(engine_store, run.status().process)
    status = client.wait(job, timeout=180)
    assert status.state == "succeeded", job.log_tail()
    assert run.status().state == "succeeded"
    assert status.attempts == 2


def test_an_item_fails_with_the_reason_of_the_job_it_waits_for(engine_store: Store, study: StudySpec) -> None:
    short = study.model_copy(update={"longest_example": 8})
    job = client.submit(KIND, StudyItemSpec(study=short, item="figure-8"), engine_store)
    status = client.wait(job, timeout=120)
    assert (status.state, status.exit_code) == ("failed", 2)
    assert status.error.startswith("t-")
    assert "raise max_length" in status.error


def test_the_finished_study_of_stories260k_is_made_again_within_its_tolerances(
    stories_folder: Path, finished_folder: Path, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "FINISHED", finished_folder)
    monkeypatch.chdir(stories_folder.parent)  # the study names the model by its folder there
    found = check(finished_study("stories260k"), lambda kind, spec: _succeeded(client.submit(kind, spec, own_store)))
    assert {one.of for one in found} == {"figure-9", "deep-gaussian"}
    assert [one for one in found if not one.agrees] == []


def _succeeded(job: JobFolder) -> JobFolder:
    assert client.wait(job, timeout=600).state == "succeeded", job.log_tail()
    return job
