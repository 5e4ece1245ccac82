import numpy as np
import pytest

from core.analysis import distances
from core.analysis.collapse import collapse, nearest_rows, null_clouds
from core.fits.moments import Moments


@pytest.fixture
def vocabulary() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(400, 16)) @ np.diag(np.linspace(0.2, 2, 16)) + 1).astype(np.float32)


def test_nearest_rows_by_brute_force(vocabulary, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK_BYTES", 4 * 400 * 3)  # three points a block
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
    nulls = null_clouds(vocabulary[:20], vocabulary, np.random.default_rng(2))
    between = (vocabulary[:20] + vocabulary[20:40]) / 2
    found = collapse({"tokens": vocabulary[:20], "between": between}, vocabulary, nulls)
    assert found.nearest["tokens"].cosine.max() < 1e-5
    assert found.nearest["between"].euclidean == pytest.approx(nearest_rows(between, vocabulary).euclidean)
    assert set(found.nulls) == {"random directions", "matched Gaussian", "vocabulary rows"}
    medians = {name: float(np.median(null.cosine)) for name, null in found.nulls.items()}
    assert medians["random directions"] > medians["matched Gaussian"] > 0.01
    itself = nearest_rows(vocabulary[nulls.rows], vocabulary, nulls.rows)
    assert np.array_equal(found.nulls["vocabulary rows"].cosine_row, itself.cosine_row)


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


def test_nulls_of_another_cloud_have_its_name(vocabulary):
    nulls = null_clouds(vocabulary[:4], vocabulary, np.random.default_rng(0), rows_name="rows of news")
    assert list(nulls.clouds) == ["random directions", "matched Gaussian", "rows of news"]
