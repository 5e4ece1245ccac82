"""Points laid on a stored map: kept, found again, and the map as it was."""

from pathlib import Path

import numpy as np
import pytest

from core.activations.clouds import find_cloud
from core.errors import BadRequest, Cancelled
from core.jobs.overlay import find_placement, place, rows_of
from core.jobs.projection import fit_projection, load_map
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.specs.projection import PlacementSpec
from core.store import JobFolder, Store, create_job
from core.store.vectors import keep_vectors


@pytest.fixture
def cloud(tiny_folder: Path, tmp_path: Path) -> CloudSpec:
    path = tmp_path / "own.txt"
    path.write_text("\n\n".join(f"Passage {i}: the cat sat on mat number {i * i}." for i in range(12)))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    dataset = DatasetSpec(name="file", path=str(path), samples=10)
    return CloudSpec(model=model, dataset=dataset, sites=(0, 2), rows=200, max_length=64)


@pytest.fixture
def job(store: Store) -> JobFolder:
    return create_job(store, "place", {}, "l-1")


@pytest.fixture
def key(cloud: CloudSpec, job: JobFolder, store: Store) -> str:
    spec = ProjectionSpec.parse(
        {"model": cloud.model, "site": 2, "clouds": (cloud,), "method": "tsne", "perplexity": 5, "n_points": 120}
        | {"n_iterations": 50, "n_early_iterations": 20}
    )
    return fit_projection(spec, job, store, silent)["key"]


def test_a_cloud_is_laid_on_a_map_and_the_map_has_not_moved(cloud, key, job, store):
    folder = store.folder("map", key)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    spec = PlacementSpec(map=key, cloud=cloud, site=2, n_points=50, seed=4)
    assert find_placement(spec, store) is None
    result = place(spec, job, store, silent)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    found, captured = find_placement(spec, store), find_cloud(cloud, store)
    assert found is not None
    assert captured is not None
    assert found.coordinates.shape == (50, 2)
    assert result["n_inside"] == found.inside.sum() > 25
    assert np.isnan(found.coordinates[~found.inside]).all()
    stored = load_map(key, store)
    assert stored is not None
    direct = stored.map.overlay(captured.points(2)[rows_of(spec, captured)])
    assert np.array_equal(found.coordinates, direct.coordinates, equal_nan=True)
    assert np.array_equal(found.t_squared, direct.t_squared)
    assert place(spec, job, store, silent)["cached"]


def test_vectors_far_away_have_no_place(key, job, store):
    vectors = np.full((4, 32), 1e4, np.float32)
    spec = PlacementSpec(map=key, vectors=keep_vectors(vectors, store))
    assert place(spec, job, store, silent)["n_inside"] == 0


def test_a_map_that_is_gone_is_named(job, store):
    spec = PlacementSpec(map="gone", vectors=keep_vectors(np.ones((1, 32)), store))
    with pytest.raises(BadRequest, match="The map 'gone' is no longer in the store; draw it again"):
        place(spec, job, store, silent)
    assert find_placement(spec, store) is None


def test_a_cancelled_placement_leaves_nothing(cloud, key, job, store):
    def cancel(done: int, total: int, message: str = "") -> None:
        if "overlaying" in message:
            raise Cancelled("stop")

    spec = PlacementSpec(map=key, cloud=cloud, site=2, n_points=50)
    with pytest.raises(Cancelled):
        place(spec, job, store, cancel)
    assert find_placement(spec, store) is None
