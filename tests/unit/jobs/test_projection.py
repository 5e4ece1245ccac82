"""Maps as jobs: what they are fitted on, and that they are found again without torch."""

from pathlib import Path

import numpy as np
import pytest

from core.activations.clouds import find_cloud
from core.errors import BadRequest, Cancelled
from core.jobs.projection import clouds_of, find_map, fit_projection, load_map
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.store import JobFolder, Store, create_job
from core.store.vectors import keep_vectors


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
    placed = stored.map.overlay(captured.points(2)[rows])
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


def _tsne(model: ModelSpec, **changes) -> ProjectionSpec:
    asked = {"method": "tsne", "perplexity": 5, "n_points": 60, "n_early_iterations": 0, "n_iterations": 300, **changes}
    return ProjectionSpec.parse({"model": model, "vocabulary": True, **asked})


def test_a_map_stopped_with_what_is_drawn_is_the_map_of_fewer_iterations(
    store: Store, job: JobFolder, model: ModelSpec
) -> None:
    def watch(done: int, total: int, message: str = "") -> None:
        if done >= 100:
            job.say_enough()

    spec = _tsne(model)
    result = fit_projection(spec, job, store, watch)
    assert result["n_iterations"] == 99
    assert find_map(spec, store) is None
    shorter = find_map(_tsne(model, n_iterations=99), store)
    assert shorter is not None
    assert shorter.artifact.key == result["key"]
    assert shorter.spec.n_iterations == 99
    assert shorter.map.tsne is not None
    assert shorter.map.tsne.divergence > 0
    job.clear_enough()
    whole = fit_projection(spec, job, store, silent)
    assert (whole["n_iterations"], whole["cached"]) == (300, False)


def test_a_joint_fit_shows_the_vectors_and_says_so(store: Store, job: JobFolder, model: ModelSpec) -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 32)).astype(np.float32) * 50
    frozen = _tsne(model, n_iterations=50)
    spec = frozen.model_copy(update={"joined": keep_vectors(vectors, store)})
    keys = {fit_projection(each, job, store, silent)["key"] for each in (frozen, spec)}
    joint, alone = find_map(spec, store), find_map(frozen, store)
    assert joint is not None
    assert alone is not None
    assert len(keys) == 2
    assert joint.joint
    assert joint.joined.shape == (7, 2)
    assert not alone.joint
    assert len(alone.joined) == 0
    assert joint.artifact.info["n_points"] == 60
    assert list(joint.reference["kind"])[-8:] == ["vocabulary"] + ["vectors"] * 7
    assert np.array_equal(joint.joined, joint.map.coordinates[-7:])


def test_a_map_is_read_by_its_key_though_its_clouds_are_gone(
    store: Store, job: JobFolder, model: ModelSpec, cloud: CloudSpec
) -> None:
    spec = ProjectionSpec(model=model, clouds=(cloud,), vocabulary=True, n_points=60)
    key = fit_projection(spec, job, store, silent)["key"]
    stored = load_map(key, store)
    assert stored is not None
    assert stored.spec == spec
    kinds = [found.kind for found in clouds_of(stored, store) if found]
    assert kinds == ["vocabulary", "cloud"]
    for kind in kinds:
        for name in [name for of, name, _ in store.artifacts() if of == kind]:
            store.remove(kind, name)
    again = load_map(key, store)
    assert again is not None
    assert clouds_of(again, store) == [None, None]
    assert np.array_equal(again.map.coordinates, stored.map.coordinates)
    assert load_map("nothing", store) is None
