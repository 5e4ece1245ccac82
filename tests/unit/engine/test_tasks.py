"""The list of kinds, and what decides where an engine runs."""

import asyncio
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.engine import client, hanging, queue, server, tasks
from core.engine.runner import run_job
from core.errors import BadRequest, Unreachable
from core.kinds import KINDS, Kind, load
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TuningSpec, parse_prior
from core.store import Store, create_job, list_jobs


def test_every_kind_has_a_prefix_and_a_lane_of_its_own_worker() -> None:
    kinds = ("model", "vocabulary", "capture", "tune", "projection", "measure")
    found = [tasks.find_task(kind) for kind in kinds]
    assert len({task.prefix for task in found}) == len(kinds)
    assert tasks.find_task("tune").lane_of(None) == "train"
    assert tasks.find_task("model").lane_of(ModelSpec()) == "heavy"
    assert tasks.find_task("projection").lane_of(ProjectionSpec(vocabulary=True)) == "quick"
    assert tasks.find_task("projection").lane_of(ProjectionSpec(vocabulary=True, method="tsne")) == "heavy"
    assert [task.kind for task in found if task.keeps] == ["tune", "measure"]


def test_the_store_checks_each_kind_by_its_own_spec() -> None:
    found = {kind: load(places.spec) for kind, places in KINDS.items()}
    assert found == {kind: tasks.find_task(kind).spec for kind in KINDS}


def test_a_file_that_changed_makes_another_job(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\n\ntwo")
    spec = CloudSpec(dataset=DatasetSpec(name="file", path=str(texts)))
    task = tasks.find_task("capture")
    first = task.context(spec)
    assert task.context(spec) == first
    texts.write_text("one\n\nthree")
    assert task.context(spec) != first


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (DatasetSpec(name="math", module="arithmetic__ad"), "Unknown module 'arithmetic__ad'"),
        (DatasetSpec(name="file", path="nowhere.txt"), "'nowhere.txt' cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_queued(store: Store, spec: DatasetSpec, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.submit("tune", TuningSpec(dataset=spec, prior=parse_prior("isotropic")), store)
    assert list_jobs(store) == []


def test_a_map_weight_without_a_density_is_refused_before_it_is_queued(store: Store) -> None:
    spec = TuningSpec(dataset=DatasetSpec(name="math"), prior=parse_prior("vae"), log_prior_weight=1.0)
    with pytest.raises(BadRequest, match=r"The prior 'vae' has no log density .* set log_prior_weight to 0"):
        client.submit("tune", spec, store)
    assert not list(store.root.glob("runs/*"))


def test_an_extra_module_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tasks.EXTRA_TASKS, "no.such.module")
    with pytest.raises(BadRequest, match=r"PRIORSCOPE_EXTRA_TASKS names the module 'no.such.module'.*correct or unset"):
        tasks.find_task("tune")


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_idle_minutes_out_of_range(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(server.IDLE_MINUTES, text)
    with pytest.raises(BadRequest, match=f"PRIORSCOPE_IDLE_MINUTES is '{text}'; give a number of minutes above 0"):
        server.idle_minutes()
    monkeypatch.delenv(server.IDLE_MINUTES)
    assert server.idle_minutes() == 30


def test_hang_minutes_out_of_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hanging.HANG_MINUTES, "never")
    with pytest.raises(BadRequest, match=r"PRIORSCOPE_HANG_MINUTES is 'never'; give .* above 0, or unset it for 30"):
        hanging.hang_minutes()


@pytest.mark.parametrize(
    ("visible", "environments"),
    [("", [{}]), ("1", [{}]), ("0, 2", [{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "2"}])],
)
def test_one_worker_a_device(monkeypatch: pytest.MonkeyPatch, visible: str, environments: list[dict[str, str]]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert server.device_environments() == environments


def cluster(*resources: dict[str, float]) -> Any:
    workers = {str(i): {"resources": offered} for i, offered in enumerate(resources)}
    return cast(Any, SimpleNamespace(scheduler_info=lambda n_workers: {"workers": workers}))


def test_workers_without_lanes_are_told_how_to_start() -> None:
    queue.require_lanes(cluster(), "tcp://host:1")
    queue.require_lanes(cluster({"train": 1, "heavy": 1}, {"quick": 1, "study": 1}), "tcp://host:1")
    with pytest.raises(
        Unreachable,
        match=r"No worker of tcp://host:1 offers heavy, quick, study; start the workers with "
        r"`dask worker tcp://host:1 --nthreads 4 --resources train=1,heavy=1,quick=1,study=1`",
    ):
        queue.require_lanes(cluster({"train": 1}), "tcp://host:1")


def failed_future() -> Any:
    return cast(Any, SimpleNamespace(status="error", exception=lambda timeout: FileNotFoundError("no\nfolder")))


def test_a_task_that_fails_before_the_job_begins_is_told(store: Store) -> None:
    job = create_job(store, "tune", {}, "t-1")
    job.update(task="t-1-new")
    queue.tell_failure(job, "t-1-old", failed_future())
    assert job.status().state == "queued", "an old task says nothing about the new one"
    queue.tell_failure(job, "t-1-new", failed_future())
    assert job.status().state == "failed"
    assert job.status().error == (
        "The worker could not begin the job (FileNotFoundError: no folder); "
        "workers need this program and this cache folder."
    )


def test_the_table_names_each_kind_as_its_task_does() -> None:
    found = {kind: tasks.find_task(kind) for kind in KINDS}
    assert {kind: task.kind for kind, task in found.items()} == {kind: kind for kind in KINDS}
    assert len({task.prefix for task in found.values()}) == len(KINDS)
    assert tasks.task_specs() == {kind: task.spec for kind, task in found.items()}


def test_a_new_kind_is_one_file_and_one_line(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shout.py").write_text(
        "from core.engine.tasks import Task\n"
        "from core.specs import Spec\n"
        "class ShoutSpec(Spec):\n"
        "    text: str\n"
        "def shout(spec, job, store, progress):\n"
        "    return {'text': spec.text.upper()}\n"
        "SHOUT = Task('shout', 'x', ShoutSpec, shout, 'quick')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(KINDS, "shout", Kind("shout:SHOUT", "shout:ShoutSpec"))
    task = tasks.find_task("shout")
    assert tasks.task_specs()["shout"] is task.spec
    job = create_job(store, "shout", task.parse({"text": "hello"}).model_dump(mode="json"), "x-1")
    assert run_job(job).state == "succeeded"
    assert job.result() == {"text": "HELLO"}


def test_a_worker_that_is_slow_to_end_keeps_no_other_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    class Nanny:
        def __init__(self, name: str) -> None:
            self.name = name

        async def close(self, timeout: float) -> str:
            if self.name == "slow":
                raise TimeoutError
            ended.append(self.name)
            return "OK"

    with caplog.at_level(logging.WARNING, "core.engine.server"):
        asyncio.run(server.end_workers([Nanny("slow"), Nanny("quick")]))
    assert ended == ["quick"]
    assert [record.message for record in caplog.records] == ["a worker was slow to end: TimeoutError: "]
