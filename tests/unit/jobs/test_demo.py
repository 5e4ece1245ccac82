"""The demo on a tiny model: one job that has the others done, here and now, and goes on where it stands."""

import json
from pathlib import Path

import pytest

from core.engine import client
from core.engine.lookup import find, job_id
from core.engine.runner import run_job
from core.errors import Failed
from core.jobs import demo
from core.jobs.demo import CLOUD, PRIORS, PROMPTS, VOCABULARY, demo_plan, demo_runs, left_of, run_demo
from core.progress import silent
from core.specs import DatasetSpec, ModelSpec, TuningSpec
from core.specs.demo import DemoSpec
from core.store import JobFolder, Store, create_job

KINDS = ["vocabulary", "projection", "capture", "projection", "projection", *["tune"] * 3, *["measure"] * 3]


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoSpec:
    """Return the demo of a tiny model, on sums of a file and with few steps."""
    sums = tmp_path / "sums.jsonl"
    rows = [{"q": f"What is {i} + {i * i}?", "a": str(i + i * i)} for i in range(30)]
    sums.write_text("\n".join(map(json.dumps, rows)))
    data = DatasetSpec(name="file", path=str(sums), prompt_column="q", answer_column="a", samples=30)
    cloud, run = demo.demo_cloud, demo.demo_run
    fewer = {"dataset": data, "steps": 4, "n_validation": 4, "max_length": 64}
    monkeypatch.setattr(demo, "demo_cloud", lambda *asked: cloud(*asked).model_copy(update={"dataset": data}))
    monkeypatch.setattr(demo, "demo_run", lambda *asked: run(*asked).model_copy(update=fewer))
    return DemoSpec(model=ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32"), texts="math")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the kinds of the jobs that are asked for; each is done before the asking returns."""
    kinds: list[str] = []

    def submit(kind, spec, store, again=False) -> JobFolder:
        kinds.append(kind)
        job = client.prepare(kind, spec, store, again)
        run_job(job)
        return job

    monkeypatch.setattr(client, "submit", submit)
    return kinds


def job_of(spec: DemoSpec, store: Store) -> JobFolder:
    return find("demo", spec, store) or create_job(store, "demo", spec.as_json(), job_id("demo", spec))


def test_the_demo_does_all_its_jobs_in_order_and_none_twice(spec, asked, tmp_path):
    store = Store(tmp_path / "cache")
    result = run_demo(spec, job_of(spec, store), store, silent)
    assert asked == KINDS
    assert result["runs"] == [run.id for run in demo_runs(spec, store)]
    assert left_of(demo_plan(spec, store), store) == []
    assert [step.picture for step in demo_plan(spec, store) if step.picture] == [VOCABULARY, CLOUD, PROMPTS]
    run_demo(spec, job_of(spec, store), store, silent)
    assert asked == KINDS


def test_the_demo_goes_on_where_it_was_stopped(spec, asked, tmp_path):
    store = Store(tmp_path / "cache")
    for step in demo_plan(spec, store)[:3]:
        client.submit(step.kind, step.spec, store)
    asked.clear()
    run_demo(spec, job_of(spec, store), store, silent)
    assert asked == KINDS[3:]


def test_its_runs_differ_in_their_prior_alone_and_share_a_trunk(spec):
    runs = [demo.demo_run(spec, kind) for kind in PRIORS]
    assert {run.model_copy(update={"prior": runs[0].prior}) for run in runs} == {runs[0]}
    assert all(run.method == "deep" and run.cache_trunk and run.prompt_sites == (-1,) for run in runs)
    assert len({run.prior.kind for run in runs}) == len(PRIORS)


def test_an_inner_job_that_fails_ends_the_demo_with_its_reason(spec, tmp_path, monkeypatch):
    store = Store(tmp_path / "cache")

    def submit(kind, spec, store, again=False) -> JobFolder:
        job = client.prepare(kind, spec, store, again)
        job.update(state="failed", error="The disk is full.")
        return job

    monkeypatch.setattr(client, "submit", submit)
    with pytest.raises(Failed, match=r"v-\w+ did not succeed \(failed\): The disk is full\."):
        run_demo(spec, job_of(spec, store), store, silent)


def test_measures_are_planned_once_their_runs_have_ended(spec, tmp_path):
    plan = demo_plan(spec, Store(tmp_path / "cache"))
    assert [step.kind for step in plan] == KINDS[:-3]
    assert all(isinstance(step.spec, TuningSpec) for step in plan[-3:])
