"""Which job does a spec: told from its fingerprint."""

from pathlib import Path

import pytest

import core.priors  # noqa: F401 - importing it defines the kinds
from core.engine.lookup import find, find_succeeded, found_or_made, job_id
from core.errors import Failed
from core.specs import (
    AtlasSpec,
    CloudSpec,
    DatasetSpec,
    MeasureSpec,
    ModelSpec,
    PathsSpec,
    Spec,
    TrajectorySpec,
    TuningSpec,
    parse_prior,
)
from core.store import JobFolder, Store, create_job

MODEL = ModelSpec()
SUMS = DatasetSpec(name="math", module="arithmetic__add_or_sub")
CLOUD = CloudSpec(model=MODEL, dataset=SUMS)


@pytest.mark.parametrize(
    ("kind", "spec", "name"),
    [
        ("model", MODEL, "m-377b66255e"),
        ("capture", CLOUD, "c-7f79aa8cd1"),
        ("tune", TuningSpec(model=MODEL, dataset=SUMS, prior=parse_prior("isotropic")), "t-3b270cfe7e"),
        ("measure", MeasureSpec(run="t-0123456789", posterior="0123456789abcdef"), "e-a1d8d86ae0"),
        ("trajectory", TrajectorySpec(model=MODEL, texts=("Once",)), "y-54b07a1c2c"),
        ("paths", PathsSpec(model=MODEL, dataset=SUMS), "w-4253e48d65"),
        ("atlas", AtlasSpec(model=MODEL, clouds=(CLOUD,)), "a-7c2012ed4c"),
    ],
)
def test_jobs_keep_their_ids_while_their_version_stays(kind: str, spec: Spec, name: str) -> None:
    assert job_id(kind, spec) == name


def put(store: Store, kind: str, spec: Spec, name: str, **status: str) -> JobFolder:
    job = create_job(store, kind, spec.as_json(), name)
    job.write_result({"made": name})
    job.update(**status)
    return job


def found(job: JobFolder | None) -> str | None:
    return job.id if job else None


def test_a_job_is_found_whatever_came_of_it_and_a_result_only_where_there_is_one(store: Store) -> None:
    name = job_id("capture", CLOUD)
    assert find("capture", CLOUD, store) is None
    job = put(store, "capture", CLOUD, name, state="failed")
    put(store, "capture", CLOUD.model_copy(update={"rows": 7}), "c-0", state="succeeded")
    assert found(find("capture", CLOUD, store)) == name
    assert find_succeeded("capture", CLOUD, store) is None
    put(store, "capture", CLOUD, f"{name}-2", state="succeeded")
    assert found(find_succeeded("capture", CLOUD, store)) == f"{name}-2"
    job.update(state="succeeded")
    assert found(find_succeeded("capture", CLOUD, store)) == name
    (job.path / "result.json").unlink()
    assert found(find_succeeded("capture", CLOUD, store)) == f"{name}-2"


def test_a_job_asked_for_before_its_model_was_here_is_found_after(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\n\ntwo")
    spec = PathsSpec(model=MODEL, dataset=DatasetSpec(name="file", path=str(texts)))
    monkeypatch.setattr("core.jobs.context.model_revision", lambda _: None)
    before = job_id("paths", spec)
    put(store, "paths", spec, before, state="succeeded")
    monkeypatch.setattr("core.jobs.context.model_revision", lambda _: "abc")
    assert job_id("paths", spec) != before
    assert found(find("paths", spec, store)) == before
    assert found(find_succeeded("paths", spec, store)) == before
    texts.write_text("one\n\nthree")
    assert find_succeeded("paths", spec, store) is None, "what was found in other texts does not count"


def test_what_is_there_is_not_made_and_what_is_gone_at_once_is_told(store: Store) -> None:
    made: list[str] = []

    def make() -> JobFolder:
        made.append("a cloud")
        return create_job(store, "capture", CLOUD.as_json(), "c-1")

    assert found_or_made(lambda: next(iter(made), None), make) == ("a cloud", False)
    assert found_or_made(lambda: next(iter(made), None), make) == ("a cloud", True)
    assert len(made) == 1
    with pytest.raises(Failed, match=r"c-1 succeeded, but what it made is gone from the store; request it again"):
        found_or_made(lambda: None, make)
