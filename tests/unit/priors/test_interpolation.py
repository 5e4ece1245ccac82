import json

import numpy as np
import pytest
from scipy import stats

from core.errors import BadRequest
from core.fits.moments import Reference
from core.priors.interpolation import Interpolation, InterpolationSpec
from core.specs.dataset import DatasetSpec
from core.specs.prior import SecondCloud, VocabularyRows, parse_prior
from tests.unit.priors.test_gaussian import cloud, moments_of, multivariate_normal
from tests.unit.priors.test_matching import density, spread_of


def make(first: np.ndarray, second: np.ndarray, **parameters) -> Interpolation:
    prior = Interpolation(InterpolationSpec.parse(parameters))
    return prior.fit(first, moments_of(first), [Reference(second, moments_of(second), name="other")])


FIRST, SECOND = cloud(400, 12), cloud(300, 12, seed=5)


@pytest.mark.parametrize(("path", "share"), [("linear", 2 / 3), ("spherical", 1.0)])
def test_share_of_the_trace_that_equal_clouds_keep(path: str, share: float):
    """E‖e − mean‖² is ⅔ of the trace on the linear path, all of it on the spherical one."""
    prior = make(FIRST, FIRST, path=path)
    assert prior.report()["share_of_trace"] == pytest.approx(share, abs=1e-6)
    sample = prior.sample(20_000, np.random.default_rng(0)).astype(np.float64)
    squared = np.square(sample - FIRST.astype(np.float64).mean(axis=0)).sum(axis=1)
    assert squared.mean() / spread_of(FIRST) == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize("path", ["linear", "spherical"])
@pytest.mark.parametrize("alpha", ["uniform", "fixed", "beta"])
def test_closed_form_of_mean_and_trace(path: str, alpha: str):
    prior = make(FIRST, SECOND, path=path, alpha=alpha, fixed_alpha=0.3, beta_a=0.5, beta_b=3)
    sample = prior.sample(40_000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    mean, trace = prior.spread(20)
    np.testing.assert_allclose(sample.mean(axis=0), mean, atol=0.1)
    assert spread_of(sample) == pytest.approx(trace, rel=0.02)


def test_beta_follows_scipy():
    prior = make(FIRST, SECOND, alpha="beta", beta_a=2, beta_b=5)
    drawn = prior.alphas(np.random.default_rng(0).random(2000))
    assert stats.kstest(drawn, stats.beta(2, 5).cdf).pvalue > 1e-3
    assert prior.report()["mean_of_alpha"] == pytest.approx(2 / 7, abs=1e-4)


@pytest.mark.parametrize(("alpha", "end"), [(1.0, FIRST), (0.0, SECOND)])
@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_the_ends_are_the_fitted_gaussians(path: str, alpha: float, end: np.ndarray):
    prior = make(FIRST, SECOND, path=path, alpha="fixed", fixed_alpha=alpha)
    sample = prior.sample(4000, np.random.default_rng(0))
    exact = end.astype(np.float64)
    root = np.linalg.cholesky(np.linalg.inv(np.cov(exact.T, bias=True)))
    squared = np.square((sample - exact.mean(axis=0)) @ root).sum(axis=1)
    assert stats.kstest(squared, stats.chi2(12).cdf).pvalue > 1e-3


def test_spherical_is_the_great_circle_in_many_dimensions():
    """Two independent vectors are nearly orthogonal, so slerp between them is the quarter circle."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 50, 4096))
    angle = np.arccos((x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1))[:, None]
    for alpha in (0.2, 0.5, 0.9):
        slerp = (np.sin(alpha * angle) * x + np.sin((1 - alpha) * angle) * y) / np.sin(angle)
        ours = np.sin(alpha * np.pi / 2) * x + np.cos(alpha * np.pi / 2) * y
        assert np.linalg.norm(slerp - ours, axis=1).max() < 0.05 * np.linalg.norm(x, axis=1).min()


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_log_prob_of_a_fixed_alpha_is_scipys(path: str):
    prior = make(FIRST, SECOND, path=path, alpha="fixed", fixed_alpha=0.3)
    first, second = (0.3, 0.7) if path == "linear" else (np.sin(0.15 * np.pi), np.cos(0.15 * np.pi))
    covariances = [np.cov(points.astype(np.float64).T, bias=True) for points in (FIRST, SECOND)]
    mean = 0.3 * FIRST.astype(np.float64).mean(axis=0) + 0.7 * SECOND.astype(np.float64).mean(axis=0)
    mixed = first**2 * covariances[0] + second**2 * covariances[1]
    x = prior.sample(20, np.random.default_rng(0))
    np.testing.assert_allclose(density(prior, x), multivariate_normal(mean, mixed).logpdf(x), rtol=1e-6)
    assert make(FIRST, SECOND).log_prob(x) is None


def test_ranges_of_two_flat_clouds_add_up():
    prior = make(cloud(4, 30), cloud(6, 30, seed=2), alpha="fixed")
    sample = prior.sample(40, np.random.default_rng(0)).astype(np.float64)
    assert np.linalg.matrix_rank(sample - sample.mean(axis=0), tol=1e-2) == 3 + 5
    assert np.isfinite(density(prior, sample)).all()
    assert prior.report()["rank"] == [3, 5]


def test_the_generator_decides_alone():
    first, again = (make(FIRST, SECOND).sample(5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_report_is_json():
    report = json.loads(json.dumps(make(FIRST, SECOND).report()))
    assert report["between"] == ["reference", "other"]
    along = np.square(FIRST.mean(axis=0, dtype=float) - SECOND.mean(axis=0, dtype=float)).sum() / 12
    assert report["total_variance_along_the_path"] == pytest.approx(along, rel=1e-5)


MATH = DatasetSpec(name="math")


@pytest.mark.parametrize("written", ["math", MATH, MATH.canonical_json(), {"name": "math"}, MATH.as_json()])
def test_the_second_cloud_can_be_written_in_many_ways(written):
    spec = parse_prior({"kind": "interpolation", "second": written})
    assert spec.further() == (SecondCloud(MATH),)
    assert parse_prior(spec.canonical_json()) == spec


@pytest.mark.parametrize("written", [None, "", "vocabulary"])
def test_the_second_cloud_is_the_vocabulary_by_default(written):
    assert parse_prior({"kind": "interpolation", "second": written}) == InterpolationSpec()
    assert InterpolationSpec().further() == (VocabularyRows(),)


@pytest.mark.parametrize("written", ["maths", "{oh", {"name": "file"}, 3])
def test_no_second_cloud(written):
    with pytest.raises(BadRequest, match=r"^second: neither 'vocabulary' nor a data set \(.*\); name one, or give one"):
        parse_prior({"kind": "interpolation", "second": written})


def test_second_cloud_of_another_width():
    with pytest.raises(BadRequest, match=r"^other has width 5 but the reference cloud 12; choose one of the same mode"):
        make(FIRST, cloud(20, 5))
