"""Maps as jobs: what they are fitted on, and that they are found again without torch."""

from pathlib import Path

import numpy as np
import pytest

from core.activations.clouds import find_cloud
from core.engine.projection import find_map, fit_projection
from core.errors import BadRequest, Cancelled
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.store import JobFolder, Store, create_job


@pytest.fixture
def model(tiny_folder: Path) -> ModelSpec:
    return ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")


@pytest.fixture
def cloud(model: ModelSpec, tmp_path: Path) -> CloudSpec:
    path = tmp_path / "own.txt"
    path.write_text("\n\n".join(f"Passage {i}: the cat sat on mat number {i * i}." for i in range(12)))
    dataset = DatasetSpec(name="file", path=str(path), samples=10)
    return CloudSpec(model=model, dataset=dataset, sites=(0, 2), rows=200, max_length=64)


@pytest.fixture
def job(store: Store) -> JobFolder:
    return create_job(store, "projection", {}, "p-1")


def test_a_map_of_vocabulary_and_cloud_is_made_once_and_found(
    store: Store, job: JobFolder, model: ModelSpec, cloud: CloudSpec
) -> None:
    spec = ProjectionSpec(model=model, vocabulary=True, clouds=(cloud,), n_points=60)
    assert find_map(spec, store) is None
    first = fit_projection(spec, job, store, silent)
    second = fit_projection(spec, job, store, silent)
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["key"] == second["key"]
    stored = find_map(spec, store)
    assert stored is not None
    assert stored.artifact.key == first["key"]
    assert stored.map.coordinates.shape == (120, 2)
    assert list(stored.reference["kind"]) == ["vocabulary"] * 60 + ["cloud"] * 60
    assert first["n_points"] == 120
    assert first["n_available"] > 120


def test_the_reference_says_which_rows_a_map_was_fitted_on(
    store: Store, job: JobFolder, model: ModelSpec, cloud: CloudSpec
) -> None:
    spec = ProjectionSpec(model=model, site=2, clouds=(cloud,), n_points=50, seed=3)
    fit_projection(spec, job, store, silent)
    stored, captured = find_map(spec, store), find_cloud(cloud, store)
    assert stored is not None
    assert captured is not None
    rows = stored.reference["row"].to_numpy()
    assert len(np.unique(rows)) == 50
    placed = stored.map.place(captured.points(2)[rows])
    np.testing.assert_allclose(placed.coordinates, stored.map.coordinates, atol=1e-4)


def test_another_seed_is_another_map(store: Store, job: JobFolder, model: ModelSpec) -> None:
    specs = [ProjectionSpec(model=model, vocabulary=True, n_points=50, seed=seed) for seed in (0, 1)]
    keys = {fit_projection(spec, job, store, silent)["key"] for spec in specs}
    assert len(keys) == 2


def test_a_site_not_captured_is_named(store: Store, job: JobFolder, model: ModelSpec, cloud: CloudSpec) -> None:
    spec = ProjectionSpec(model=model, site=1, clouds=(cloud,))
    with pytest.raises(BadRequest, match=r"The map is of site 1, but .* 'own.txt' has only 0, 2; add that site"):
        fit_projection(spec, job, store, silent)
    with pytest.raises(BadRequest, match="The map is of site 1"):
        find_map(spec, store)


def test_a_cancelled_fit_leaves_no_map(store: Store, job: JobFolder, model: ModelSpec) -> None:
    def cancel(done: int, total: int, message: str = "") -> None:
        if "fitting" in message:
            raise Cancelled("stop")

    spec = ProjectionSpec(model=model, vocabulary=True, n_points=50)
    with pytest.raises(Cancelled):
        fit_projection(spec, job, store, cancel)
    assert find_map(spec, store) is None
