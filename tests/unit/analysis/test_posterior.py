import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from core.analysis import distances
from core.analysis.posterior import collapse, displacement, nearest_rows, null_clouds, place_in_cloud
from core.errors import BadRequest
from core.moments import Moments


@pytest.fixture
def vocabulary() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(400, 16)) @ np.diag(np.linspace(0.2, 2, 16)) + 1).astype(np.float32)


def test_displacement_in_closed_form():
    before = np.array([[2.0, 0, 0], [1, 0, 0], [0, 3, 0], [1, 0, 0]])
    after = np.array([[4.0, 0, 0], [0, 1, 0], [0, -3, 0], [1, 1e-6, 0]])
    moved = displacement(before, after)
    assert moved.angle[:3] == pytest.approx([0, 90, 180])
    assert moved.angle[3] == pytest.approx(np.degrees(1e-6), rel=1e-6)
    assert moved.distance[:3] == pytest.approx([2, np.sqrt(2), 6])
    assert moved.norm_before[0] == 2
    assert moved.norm_after[0] == 4


def test_displacement_wants_pairs():
    with pytest.raises(BadRequest, match=r"shape \(3, 2\) and a posterior of shape \(4, 2\) are not pairs"):
        displacement(np.ones((3, 2)), np.ones((4, 2)))


def test_nearest_rows_by_brute_force(vocabulary, monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK_BYTES", 4 * 400 * 3)  # three points a block
    points = np.random.default_rng(1).normal(size=(17, 16)).astype(np.float32)
    found = nearest_rows(points, vocabulary)
    euclidean = np.linalg.norm(points[:, None].astype(float) - vocabulary, axis=2)
    cosine = 1 - (points @ vocabulary.T) / np.outer(np.linalg.norm(points, axis=1), np.linalg.norm(vocabulary, axis=1))
    assert (found.euclidean_row == euclidean.argmin(axis=1)).all()
    assert (found.cosine_row == cosine.argmin(axis=1)).all()
    assert found.euclidean == pytest.approx(euclidean.min(axis=1), rel=1e-4)
    assert found.cosine == pytest.approx(cosine.min(axis=1), abs=1e-5)


def test_leaving_a_row_out_finds_the_next(vocabulary):
    rows = np.arange(10)
    itself = nearest_rows(vocabulary[rows], vocabulary)
    other = nearest_rows(vocabulary[rows], vocabulary, leave_out=rows)
    assert (itself.euclidean_row == rows).all()
    assert (other.euclidean_row != rows).all()
    assert (other.cosine_row != rows).all()


def test_distances_survive_a_cloud_far_from_the_origin():
    far = np.array([[1000.0, 1000], [1000, 1001]], np.float32)
    found = nearest_rows(far + np.float32(0.25), far)
    assert found.euclidean == pytest.approx([np.sqrt(0.125)] * 2, rel=1e-3)


def test_kth_distance_by_brute_force(vocabulary):
    points = vocabulary[:9] + 0.3
    expected = np.sort(np.linalg.norm(points[:, None].astype(float) - vocabulary, axis=2), axis=1)[:, 4]
    assert distances.kth_distance(points, vocabulary, 5) == pytest.approx(expected, rel=1e-3)


def test_collapse_tells_a_token_from_a_random_direction(vocabulary):
    rng = np.random.default_rng(2)
    found = collapse(vocabulary[:20], vocabulary, rng)
    assert found.nearest.cosine.max() < 1e-5
    assert set(found.nulls) == {"random directions", "matched Gaussian", "vocabulary rows"}
    nulls = {name: float(np.median(null.cosine)) for name, null in found.nulls.items()}
    assert nulls["random directions"] > nulls["matched Gaussian"] > 0.01


def test_random_directions_have_the_norms_asked_about(vocabulary):
    nulls = null_clouds(np.diag([1.0, 2, 4, 8] * 4), vocabulary, np.random.default_rng(0), n_null=50)
    norms = np.linalg.norm(nulls.clouds["random directions"], axis=1)
    assert set(norms.round(6)) == {1.0, 2.0, 4.0, 8.0}


def test_known_moments_give_the_same_nulls(vocabulary):
    known = Moments(len(vocabulary), vocabulary.mean(axis=0), np.cov(vocabulary.T, bias=True))
    drawn = [null_clouds(vocabulary[:4], vocabulary, np.random.default_rng(0), given) for given in (None, known)]
    for name, cloud in drawn[0].clouds.items():
        np.testing.assert_allclose(drawn[1].clouds[name], cloud, atol=1e-5)


def test_the_matched_gaussian_has_the_vocabularys_moments(vocabulary):
    nulls = null_clouds(vocabulary[:4], vocabulary, np.random.default_rng(0), n_null=20_000)
    gaussian = nulls.clouds["matched Gaussian"]
    assert np.allclose(gaussian.mean(axis=0), vocabulary.mean(axis=0), atol=0.06)
    assert np.allclose(np.cov(gaussian.T), np.cov(vocabulary.T), atol=0.2)


def test_vocabulary_rows_are_rows_each_once(vocabulary):
    nulls = null_clouds(vocabulary[:4], vocabulary, np.random.default_rng(0), n_null=10_000)
    assert np.array_equal(nulls.clouds["vocabulary rows"], vocabulary[nulls.rows])
    assert sorted(nulls.rows) == list(range(400))


def test_percentiles_of_the_clouds_own_law_are_uniform():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(10, 10))
    cloud, fresh = rng.normal(size=(6000, 10)) @ root, rng.normal(size=(3000, 10)) @ root
    placed = place_in_cloud(fresh, cloud, rng)
    assert placed.inside_95 == pytest.approx(0.95, abs=0.02)
    assert placed.percentile.mean() == pytest.approx(50, abs=3)
    assert placed.n_fitted + placed.n_held_out == 6000


def test_distances_are_those_of_the_held_in_fit():
    rng = np.random.default_rng(4)
    cloud = rng.normal(size=(200, 5))
    documents = np.repeat(np.arange(20), 10)
    held = np.isin(documents, np.random.default_rng(9).choice(np.arange(20), size=4, replace=False))
    placed = place_in_cloud(cloud[:3], cloud, np.random.default_rng(9), documents)
    oracle = LedoitWolf().fit(cloud[~held])
    assert placed.distance == pytest.approx(oracle.mahalanobis(cloud[:3]))
    assert placed.n_held_out == 40


def test_a_far_vector_is_beyond_all_and_one_document_still_holds_out():
    cloud = np.random.default_rng(5).normal(size=(100, 4))
    placed = place_in_cloud(np.full((2, 4), 30.0), cloud, np.random.default_rng(0), np.zeros(100, int))
    assert (placed.percentile == 100).all()
    assert placed.inside_95 == 0
    assert placed.n_held_out == 20


def test_a_cloud_too_small_to_hold_out_is_refused():
    with pytest.raises(BadRequest, match="A cloud of 9 points is too small to place vectors in; give at least 10"):
        place_in_cloud(np.ones((1, 2)), np.ones((9, 2)), np.random.default_rng(0))
