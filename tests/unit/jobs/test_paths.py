import numpy as np
import pytest

from core.analysis.trajectory_statistics import NULLS, STATISTICS, UNIFORM, trajectory_statistics
from core.engine.lookup import job_id
from core.engine.runner import run_job
from core.engine.tasks import find_task
from core.errors import Cancelled
from core.jobs.paths import find_paths, paths
from core.jobs.trajectory import Trajectories, trajectory, trajectory_spec
from core.progress import silent
from core.specs import PathsSpec
from core.store import create_job


@pytest.fixture
def spec(tiny_folder, tmp_path) -> PathsSpec:
    texts = tmp_path / "tales.txt"
    texts.write_text("\n\n".join([*(f"Tale {i} is of {i * 37} cats." for i in range(12)), "No."]))
    return PathsSpec.parse(
        {
            "model": {"name": str(tiny_folder), "device": "cpu", "dtype": "float32"},
            "dataset": {"name": "file", "path": str(texts), "samples": 13},
            "sites": (0, 2, "final"),
            "n_draws": 5,
            "max_length": 32,
        }
    )


def found(spec, store):
    status = run_job(create_job(store, "paths", spec.as_json(), job_id("paths", spec)))
    assert status.state == "succeeded", status.error
    tables = find_paths(spec, store)
    assert tables is not None
    return tables


def test_documents_are_measured_at_each_site(store, spec):
    tables = found(spec, store)
    summary, table = tables.summary, tables.table("paths")
    assert (summary["n_documents"], summary["n_groups"], summary["n_too_short"]) == (12, 12, 1)
    assert list(table["site"].unique()) == [0, 2, "final"]
    assert len(table) == 3 * (len(STATISTICS) * (1 + len(NULLS)) - 1)
    bounds = table.query("null == ''")[["low", "value", "high"]].to_numpy(np.float64)
    assert (np.diff(bounds, axis=1) >= 0).all()
    documents = tables.table("documents")
    for site in summary["sites"]:
        rows = documents[documents["site"] == site]
        value = table[(table["site"] == site) & (table["null"] == "") & (table["statistic"] == "step")]["value"]
        assert value.item() == pytest.approx(rows["step"].mean())
        ratio = table[(table["site"] == site) & (table["null"] == UNIFORM) & (table["statistic"] == "step")]["value"]
        assert ratio.item() == pytest.approx((rows["step"] / rows[f"step, {UNIFORM}"]).mean())
    assert not list((store.root / "tmp").iterdir())


def test_a_documents_path_is_the_one_that_a_trajectory_shows(store, spec):
    documents = found(spec, store).table("documents")
    from core.sources.datasets import load_dataset

    record = load_dataset(spec.dataset, store).records[0]
    asked = trajectory_spec(store, model=spec.model.model_dump(), texts=(record.text,))
    job = create_job(store, "trajectory", asked.as_json(), job_id("trajectory", asked))
    job.write_result(trajectory(asked, job, store, silent))
    shown = Trajectories(job)
    kept = (~shown.tokens["special"] & ~shown.tokens["first"]).to_numpy()
    for site in spec.sites:
        row = documents[(documents["site"] == site) & (documents["record"] == record.id)]
        for name, value in trajectory_statistics(shown.streams(site)[kept]).items():
            assert row[name].item() == pytest.approx(float(value), rel=1e-3)


def test_the_same_seed_gives_the_same_numbers_and_another_does_not(store, spec):
    first = found(spec, store).table("paths")
    again = found(spec.model_copy(update={"n_documents": 199}), store).table("paths")
    other = found(spec.model_copy(update={"seed": 1}), store).table("paths")
    assert first.equals(again)
    assert not first.equals(other)


def test_sinks_can_be_left_out(store, spec):
    tokens = spec.tokens.model_copy(update={"sink_ratio": 1.05})
    tables = found(spec.model_copy(update={"tokens": tokens, "sites": (0,)}), store)
    assert tables.summary["n_sinks"] > 0
    assert tables.summary["n_far"] == {"0": 0}


def test_too_few_documents_are_told(store, spec, tmp_path):
    (tmp_path / "short.txt").write_text("One.\n\nTwo.\n\nThis is the only long one.")
    dataset = spec.dataset.model_copy(update={"path": str(tmp_path / "short.txt"), "samples": 3})
    short = spec.model_copy(update={"dataset": dataset})
    status = run_job(create_job(store, "paths", short.as_json(), job_id("paths", short)))
    assert status.error == (
        "1 of 3 documents, of 1 groups, have paths of at least 4 tokens, and 2 groups are needed; give more or longer "
        "texts, or keep more tokens."
    )


def test_a_cancelled_job_leaves_nothing_behind(store, spec):
    def stop(done, total, message=""):
        if message.startswith("Measuring"):
            raise Cancelled("stopped")

    job = create_job(store, "paths", spec.as_json(), job_id("paths", spec))
    with pytest.raises(Cancelled):
        paths(spec, job, store, stop)
    assert not list((store.root / "tmp").iterdir())
    assert find_paths(spec, store) is None


def test_path_jobs_are_heavy_and_stand(store, spec):
    task = find_task("paths")
    assert task.lane_of(spec) == "heavy"
    assert task.keeps
    assert len(task.context(spec)) == 2
