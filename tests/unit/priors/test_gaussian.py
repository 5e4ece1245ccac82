import json
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf

from core.errors import BadRequest
from core.fits.moments import Moments
from core.priors import covariance
from core.priors.gaussian import Gaussian, GaussianSpec

multivariate_normal: Any = stats.multivariate_normal  # its stub takes the covariance for an integer

ORACLES = {"empirical": EmpiricalCovariance, "ledoit_wolf": LedoitWolf, "oas": OAS}


def cloud(n: int, d_model: int, seed: int = 0) -> np.ndarray:
    """Return correlated float32 points around a mean that is not zero."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((d_model, d_model)) / np.sqrt(d_model) + np.diag(rng.gamma(2, size=d_model))
    return (rng.standard_normal((n, d_model)) @ mixing + 3 * rng.standard_normal(d_model)).astype(np.float32)


def make(points: np.ndarray, moments: Moments | None = None, **parameters) -> Gaussian:
    return Gaussian(GaussianSpec.parse(parameters)).fit(points, moments)


def moments_of(points: np.ndarray) -> Moments:
    exact = points.astype(np.float64)
    return Moments(len(points), exact.mean(axis=0), np.cov(exact.T, bias=True))


def rebuilt(prior) -> np.ndarray:
    fit = prior.fit_
    return (fit.basis * fit.variances) @ fit.basis.T


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize(("n", "d_model"), [(300, 24), (25, 24), (10, 24)])
def test_covariance_is_scikit_learns(name: str, n: int, d_model: int):
    points = cloud(n, d_model)
    prior = make(points, covariance=name)
    oracle = ORACLES[name]().fit(points.astype(np.float64))
    np.testing.assert_allclose(rebuilt(prior), oracle.covariance_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(prior.fit_.mean, oracle.location_, rtol=1e-12)
    if name != "empirical":
        assert prior.report()["shrinkage"] == pytest.approx(oracle.shrinkage_, rel=1e-9)
        assert prior.report()["rank"] == d_model


@pytest.mark.parametrize("name", ["empirical", "oas", "diagonal", "rank"])
def test_exact_moments_stand_for_the_points(name: str):
    points = cloud(200, 8)
    from_points = make(points, covariance=name, rank=3)
    from_moments = make(points[:2], moments_of(points), covariance=name, rank=3)
    np.testing.assert_allclose(rebuilt(from_moments), rebuilt(from_points), rtol=1e-9, atol=1e-12)
    assert from_moments.report()["fitted_on"] == "exact moments of 200 tokens"
    assert from_points.report()["fitted_on"] == "200 points"


def test_ledoit_wolf_reads_the_points_and_says_so():
    points = cloud(50, 8)
    prior = make(points, moments_of(cloud(400, 8)), covariance="ledoit_wolf")
    assert prior.report()["fitted_on"] == "50 points"
    np.testing.assert_allclose(rebuilt(prior), LedoitWolf().fit(points.astype(float)).covariance_, rtol=1e-7)


def test_chunks_do_not_change_the_fit(monkeypatch: pytest.MonkeyPatch):
    points = cloud(333, 16)
    whole = make(points, covariance="ledoit_wolf")
    monkeypatch.setattr(covariance, "CHUNK_VALUES", 16 * 50)
    np.testing.assert_allclose(rebuilt(make(points, covariance="ledoit_wolf")), rebuilt(whole), rtol=1e-10, atol=1e-13)


def test_diagonal_ignores_correlations_and_constant_coordinates():
    points = cloud(100, 6)
    points[:, 2] = 1.5
    prior = make(points, covariance="diagonal")
    np.testing.assert_allclose(rebuilt(prior), np.diag(points.astype(float).var(axis=0)), rtol=1e-9, atol=1e-15)
    assert prior.report()["rank"] == 5
    np.testing.assert_array_equal(prior.sample(9, np.random.default_rng(0))[:, 2], np.float32(1.5))


def test_rank_keeps_the_leading_components_and_tells_what_is_left_out():
    points = cloud(400, 12)
    prior = make(points, covariance="rank", rank=4)
    variances = np.linalg.eigvalsh(np.cov(points.astype(float).T, bias=True))[::-1]
    np.testing.assert_allclose(prior.fit_.variances, variances[:4], rtol=1e-9)
    report = prior.report()
    assert report["share_of_variance_kept"] == pytest.approx(variances[:4].sum() / variances.sum())
    assert report["total_variance"] == pytest.approx(variances[:4].sum())
    assert "rank 4 of 12" in report["rank_note"]
    assert np.linalg.matrix_rank(prior.sample(50, np.random.default_rng(0)) - prior.fit_.mean, tol=1e-3) == 4


def test_sample_has_the_mean_and_covariance():
    points = cloud(500, 10)
    prior = make(points)
    sample = prior.sample(40_000, np.random.default_rng(3))
    assert sample.dtype == np.float32
    white = prior.fit_.whiten(sample)
    inside = np.isfinite(prior.log_prob(sample))
    assert inside.all()
    np.testing.assert_allclose(np.cov(white.T), np.eye(10), atol=0.04)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=0.03)
    assert stats.kstest(np.square(white).sum(axis=1), stats.chi2(10).cdf).pvalue > 1e-3


def test_log_prob_is_scipys():
    points = cloud(200, 7)
    prior = make(points)
    oracle = multivariate_normal(points.astype(float).mean(axis=0), np.cov(points.astype(float).T, bias=True))
    x = cloud(20, 7, seed=5)
    np.testing.assert_allclose(prior.log_prob(x), oracle.logpdf(x), rtol=1e-6)


def test_fewer_points_than_width_stay_in_their_range():
    points = cloud(6, 40)
    prior = make(points)
    assert prior.report()["rank"] == 5
    assert "rank 5 of 40" in prior.report()["rank_note"]
    sample = prior.sample(30, np.random.default_rng(0))
    span = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][:5]
    offset = sample - points.mean(axis=0)
    np.testing.assert_allclose(offset @ span.T @ span, offset, atol=1e-4)
    oracle = multivariate_normal(prior.fit_.mean, rebuilt(prior), allow_singular=True)
    np.testing.assert_allclose(
        prior.log_prob(sample), oracle.logpdf(prior.fit_.mean + (offset @ span.T @ span)), rtol=1e-3
    )
    assert np.isneginf(prior.log_prob(sample + np.float32(0.5))).all()


def test_the_generator_decides_alone():
    prior = make(cloud(50, 6))
    np.testing.assert_array_equal(prior.sample(8, np.random.default_rng(4)), prior.sample(8, np.random.default_rng(4)))


def test_report_is_json():
    assert json.loads(json.dumps(make(cloud(30, 5), covariance="oas").report()))["d_model"] == 5


def bad_points(value: float) -> np.ndarray:
    points = cloud(5, 3)
    points[2, 1] = value
    return points


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (cloud(1, 3), r"A reference cloud of 1 points is too small; give at least 2\.$"),
        (np.ones((9, 3), np.float32), r"The 9 reference points are equal up to rounding.*give at least 2 different"),
        (np.full((9, 3), 0.1), r"equal up to rounding"),
        (bad_points(np.nan), r"^1 of 5 reference points are not finite; leave them out\.$"),
        (bad_points(np.inf), r"^1 of 5 reference points are not finite"),
        (cloud(9, 3).astype(float) * 1e200, r"reach .*e\+200, and their squares overflow; rescale them"),
    ],
)
@pytest.mark.parametrize("name", ["empirical", "ledoit_wolf", "oas", "diagonal", "rank"])
def test_clouds_that_cannot_be_fitted(points: np.ndarray, message: str, name: str):
    with pytest.raises(BadRequest, match=message):
        make(points, covariance=name, rank=1)


def test_a_rank_above_the_fits():
    with pytest.raises(BadRequest, match=r"rank 6 is above the 4 components that 5 points of width 9 have; choose at"):
        make(cloud(5, 9), covariance="rank", rank=6)


def test_samples_beyond_float32():
    prior = make(cloud(50, 3).astype(float) * 1e39)
    with pytest.raises(
        BadRequest, match=r"draws values up to .*beyond float32's 3\.4e\+38; rescale the reference cloud"
    ):
        prior.sample(100, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        (
            Moments(9, np.zeros(4), np.eye(4)),
            r"Moments of width \(4,\) and \(4, 4\) do not belong to points of width 3",
        ),
        (Moments(1, np.zeros(3), np.eye(3)), r"Moments over 1 tokens are too few; give at least 2"),
        (Moments(9, np.zeros(3), np.eye(3) * np.nan), r"moments are not finite; capture it again"),
    ],
)
def test_moments_that_do_not_fit(moments: Moments, message: str):
    with pytest.raises(BadRequest, match=message):
        make(cloud(5, 3), moments)
