import json

import numpy as np
import pytest

from core.errors import BadRequest, Failed
from core.priors.knn import Knn, KnnSpec
from tests.unit.priors.test_gaussian import cloud


def make(points: np.ndarray, **parameters) -> Knn:
    return Knn(KnnSpec.parse(parameters)).fit(points)


def kth_distance(x: np.ndarray, points: np.ndarray, k: int) -> np.ndarray:
    """Return the distance to the k-th nearest point, without the code under test."""
    return np.sort(np.linalg.norm(x[:, None].astype(float) - points[None].astype(float), axis=2), axis=1)[:, k - 1]


def test_every_sample_is_far_from_the_cloud():
    points = cloud(300, 6)
    prior = make(points, k=5)
    sample = prior.sample(400, np.random.default_rng(0))
    assert sample.dtype == np.float32
    assert kth_distance(sample, points, 5).min() > prior.threshold_ * (1 - 1e-5)


def test_the_quantile_of_candidates_is_the_share_thrown_away():
    prior = make(cloud(300, 6), quantile=0.8)
    assert prior.acceptance_ == pytest.approx(0.2, abs=2e-3)
    candidates = prior.candidates(4000, np.random.default_rng(9))
    assert (kth_distance(candidates, cloud(300, 6), 10) > prior.threshold_).mean() == pytest.approx(0.2, abs=0.04)


def test_the_quantile_of_the_cloud_leaves_each_point_itself_out():
    points = cloud(200, 3)
    prior = make(points, k=2, quantile=0.5, quantile_of="cloud")
    assert prior.threshold_ == pytest.approx(np.median(kth_distance(points, points, 3)), rel=1e-4)


def test_a_gap_between_two_clusters_is_found():
    """In a plane with two far clusters the samples avoid both."""
    rng = np.random.default_rng(0)
    centres = np.repeat([[-10.0, 0], [10, 0]], 200, axis=0)
    prior = make(centres + rng.standard_normal((400, 2)), quantile=0.5)
    sample = prior.sample(500, rng)
    assert np.linalg.norm(sample[:, None] - [[-10, 0], [10, 0]], axis=2).min() > 2
    assert (np.abs(sample[:, 0]) < 6).mean() > 0.2


def test_log_prob_integrates_to_one():
    prior = make(cloud(200, 2), quantile=0.5)
    low, high = prior.fit_.mean - 40, prior.fit_.mean + 40
    axes = [np.linspace(a, b, 301) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    assert np.exp(prior.log_prob(grid)).sum() * (80 / 300) ** 2 == pytest.approx(1, abs=0.05)


def test_a_flat_cloud_stays_in_its_range():
    prior = make(cloud(6, 40), k=2)
    sample = prior.sample(20, np.random.default_rng(0))
    assert np.linalg.matrix_rank(sample - prior.fit_.mean, tol=1e-2) == 5
    assert np.isfinite(prior.log_prob(sample)).all()
    assert np.isneginf(prior.log_prob(sample + np.float32(0.5))).all()


def test_the_generator_decides_alone():
    first, again = (make(cloud(50, 6)).sample(5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_report_is_json():
    report = json.loads(json.dumps(make(cloud(100, 5)).report()))
    medians = report["neighbour_distance"]["50%"]
    assert medians["candidates"] > medians["cloud"] > 0
    assert report["neighbour_distance"]["5%"]["candidates"] < report["threshold"]


def test_k_above_the_neighbours():
    message = r"^k 10 is too large for 5 reference points, of which each has 4 neighbours; choose at most 4\.$"
    with pytest.raises(BadRequest, match=message):
        make(cloud(5, 3))


def test_no_candidate_beyond_the_threshold():
    with pytest.raises(
        BadRequest, match=r"^None of 1024 candidates is farther .* raise widening above 0\.001 or lower"
    ):
        make(cloud(500, 2), widening=1e-3, quantile=0.99, quantile_of="cloud")


def test_gives_up_at_its_budget():
    message = r"accepted \d+ of the 100 vectors within its budget of 200 proposals .* or lower the quantile\.$"
    with pytest.raises(Failed, match=message):
        make(cloud(100, 4), draw_budget=200).sample(100, np.random.default_rng(0))
