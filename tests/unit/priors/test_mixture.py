import json
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from core.errors import BadRequest
from core.fits.moments import Moments
from core.priors.gaussian import Gaussian, GaussianSpec
from core.priors.mixture import Mixture, MixtureSpec
from tests.unit.priors.test_gaussian import cloud, multivariate_normal
from tests.unit.priors.test_matching import spread_of

logsumexp: Any = special.logsumexp  # its stub has no overload without signs

CENTRES = np.array([[10.0, 0, 0, 0], [-10, 0, 0, 0], [0, 20, 0, 0]])


def make(points: np.ndarray, moments: Moments | None = None, **parameters) -> Mixture:
    return Mixture(MixtureSpec.parse(parameters)).fit(points, moments)


def three_clusters(n: int = 900) -> np.ndarray:
    """Return points of three round clusters with the weights ½, ⅓ and ⅙."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [n // 2, n // 3, n // 6])
    return (CENTRES[labels] + rng.standard_normal((n, 4)) + 5).astype(np.float32)


@pytest.mark.parametrize("method", ["em", "kmeans"])
@pytest.mark.parametrize("components", [2, 32])
def test_finds_the_clusters_and_draws_from_them(method: str, components: int):
    prior = make(three_clusters(), n_clusters=3, method=method, components=components)
    assert sorted(prior.report()["weights"]) == pytest.approx([1 / 6, 1 / 3, 1 / 2], abs=1e-3)
    sample = prior.sample(3000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    distances = np.linalg.norm(sample[:, None] - (CENTRES + 5), axis=2)
    assert np.bincount(distances.argmin(axis=1)) / 3000 == pytest.approx([1 / 2, 1 / 3, 1 / 6], abs=0.03)
    assert stats.kstest(np.square(distances.min(axis=1)), stats.chi2(4).cdf).statistic < 0.1


@pytest.mark.parametrize("method", ["em", "kmeans"])
def test_log_prob_is_that_of_the_mixture(method: str):
    points = three_clusters()
    prior = make(points, n_clusters=3, method=method)
    unit = float(prior.fit_.variances[0])
    basis = prior.fit_.basis
    parts = [
        multivariate_normal(
            prior.fit_.mean + np.sqrt(unit) * basis @ part.mean, unit * basis @ part.covariance() @ basis.T
        )
        for part in prior.clusters_
    ]
    x = prior.sample(50, np.random.default_rng(0)).astype(np.float64)
    densities = [part.logpdf(x) + np.log(weight) for part, weight in zip(parts, prior.weights_, strict=True)]
    np.testing.assert_allclose(prior.log_prob(x), logsumexp(densities, axis=0), rtol=1e-5)


def test_log_prob_integrates_to_one_where_only_one_component_is_clustered():
    points = three_clusters()[:, :2]
    prior = make(points, n_clusters=2, components=1)
    axis = np.linspace(-50, 70, 601)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    assert np.exp(prior.log_prob(grid)).sum() * 0.2**2 == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("method", ["em", "kmeans"])
def test_spread_is_that_of_the_samples(method: str):
    prior = make(cloud(300, 8), n_clusters=4, method=method, components=3)
    sample = prior.sample(40_000, np.random.default_rng(0)).astype(np.float64)
    mean, trace = prior.spread(1)
    np.testing.assert_allclose(sample.mean(axis=0), mean, atol=0.1)
    assert spread_of(sample) == pytest.approx(trace, rel=0.02)


def test_soft_clusters_keep_mean_and_covariance_of_the_cloud():
    """Expectation and maximisation reproduces the first two moments of its points, whatever it finds."""
    points = cloud(300, 6)
    mean, trace = make(points, n_clusters=4).spread(1)
    np.testing.assert_allclose(mean, points.mean(axis=0), atol=1e-4)
    assert trace == pytest.approx(spread_of(points), rel=1e-4)


def test_one_cluster_is_the_fitted_gaussian():
    points = cloud(300, 6)
    ours, plain = make(points, n_clusters=1), Gaussian(GaussianSpec()).fit(points)
    x = plain.sample(30, np.random.default_rng(0))
    np.testing.assert_allclose(ours.log_prob(x), plain.log_prob(x), rtol=1e-3)


def test_the_rest_follows_the_moments_of_the_whole_cloud():
    moments = Moments(9999, np.zeros(4), np.diag([100.0, 50, 7, 3]))
    prior = make(three_clusters() - 5, moments, n_clusters=3, components=2)
    sample = prior.sample(20_000, np.random.default_rng(0))
    np.testing.assert_allclose(sample[:, 2:].var(axis=0), [7, 3], rtol=0.05)


@pytest.mark.parametrize("method", ["em", "kmeans"])
def test_few_points_and_copies_of_a_point(method: str):
    copies = np.repeat(np.array([[0.0, 0], [1, 0], [0, 1]], np.float32), 5, axis=0)
    prior = make(copies, n_clusters=3, method=method)
    sample = prior.sample(200, np.random.default_rng(0))
    assert np.linalg.norm(sample[:, None] - copies[::5], axis=2).min(axis=1).max() < 0.02
    flat = make(cloud(7, 40), n_clusters=2, method=method)
    assert np.isfinite(flat.log_prob(flat.sample(9, np.random.default_rng(0)))).all()


@pytest.mark.parametrize("method", ["em", "kmeans"])
def test_the_generator_decides_alone(method: str):
    first, again = (
        make(three_clusters(), n_clusters=3, method=method).sample(6, np.random.default_rng(2)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_report_is_json():
    report = json.loads(json.dumps(make(three_clusters(), n_clusters=3).report()))
    assert (report["n_clusters"], report["converged"], report["clustered_components"]) == (3, True, 4)
    assert report["total_variance_of_clusters"] == pytest.approx([4, 4, 4], rel=0.2)


def test_more_clusters_than_points():
    with pytest.raises(BadRequest, match=r"^n_clusters 8 is above the 5 reference points; choose at most 5\.$"):
        make(cloud(5, 3))
