"""Token hygiene as a job."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.analysis.hygiene_measures import AS_CHOSEN, TITLES
from core.engine.lookup import job_id
from core.engine.tasks import find_task
from core.errors import BadRequest, Cancelled
from core.jobs.hygiene import find_hygiene, measure_hygiene
from core.progress import silent
from core.specs import DatasetSpec, HygieneSpec, ModelSpec
from core.store import Store, create_job


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path) -> HygieneSpec:
    datasets = []
    for name, text in {"cats": "the cat sat on mat {}.", "sums": "{0} + {0} = 2 * {0}"}.items():
        path = tmp_path / f"{name}.txt"
        path.write_text("\n\n".join(text.format(7**i) for i in range(12)))
        datasets.append(DatasetSpec(name="file", path=str(path), samples=12))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    return HygieneSpec(model=model, datasets=tuple(datasets), site=2, rows=400, max_length=64)


def test_each_switch_changes_the_numbers_by_what_it_lets_through(spec: HygieneSpec, store: Store) -> None:
    assert find_hygiene(spec, store) is None
    job = create_job(store, "hygiene", spec.as_json(), job_id("hygiene", spec))
    job.write_result(measure_hygiene(spec, job, store, silent))
    job.update(state="succeeded")
    found = find_hygiene(spec, store)
    assert found is not None
    table = found.table.set_index(["variant", "statistic", "cloud"])
    assert set(found.table["statistic"]) == set(TITLES)
    for number, name in enumerate(found.summary["names"]):
        kinds = found.summary["kinds"][number]
        n: dict[str, Any] = {
            variant: table.loc[(variant, "mean_norm", name), "n"] for variant in found.summary["variants"]
        }
        assert kinds["pad"] > 0
        assert n["padding kept"] == n[AS_CHOSEN] + kinds["pad"]
        assert kinds["first"] > 0
        assert n["first positions kept"] == n[AS_CHOSEN] + kinds["first"]
        assert n["every token"] == kinds["points"]
        chosen, padded = (table.loc[(variant, "mean_norm", name)] for variant in (AS_CHOSEN, "padding kept"))
        assert chosen["difference"] == 0
        assert padded["difference"] == pytest.approx(padded["value"] - chosen["value"])
    assert found.map["pad"].tolist().count(True) == sum(kinds["pad"] for kinds in found.summary["kinds"])
    assert np.isfinite(found.map[["x", "y"]].to_numpy()).all()
    assert found.summary["explained"][0] > found.summary["explained"][1] > 0


def test_it_stops_when_told_to(spec: HygieneSpec, store: Store) -> None:
    def stop(done: int, total: int, message: str = "") -> None:
        if message == "Measuring with padding kept":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        measure_hygiene(spec, create_job(store, "hygiene", {}, "h-1"), store, stop)


def test_requests_that_cannot_be_met_are_refused(spec: HygieneSpec) -> None:
    data = spec.as_json()
    for changes, message in (
        ({"datasets": []}, "token hygiene needs at least one data set; choose one"),
        ({"datasets": [data["datasets"][0]] * 2}, "the same data set is named twice; leave one out"),
        ({"sink_ratio": 1}, "sink_ratio: Input should be greater than 1"),
    ):
        with pytest.raises(BadRequest, match=message):
            HygieneSpec.parse({**data, **changes})
    Path(spec.datasets[0].path or "").unlink()
    with pytest.raises(BadRequest, match=r"cats\.txt"):
        find_task("hygiene").context(spec)
