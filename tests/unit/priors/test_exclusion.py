import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.errors import BadRequest, Failed
from core.fits.moments import Moments
from core.priors.exclusion import Exclusion, ExclusionSpec
from core.priors.gaussian import Gaussian, GaussianSpec
from core.specs.prior import parse_prior
from tests.unit.priors.test_gaussian import cloud

multivariate_normal: Any = stats.multivariate_normal  # its stub takes the covariance for an integer
ks_2samp: Any = stats.ks_2samp  # its stub has no pvalue


def make(points: np.ndarray, moments=None, **parameters) -> Exclusion:
    return Exclusion(ExclusionSpec.parse(parameters)).fit(points, moments)


def distances(points: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return Mahalanobis distances of x from the points' own mean and covariance, without the code under test."""
    exact = points.astype(np.float64)
    offset = x - exact.mean(axis=0)
    return np.sqrt(np.sum(offset @ np.linalg.inv(np.cov(exact.T, bias=True)) * offset, axis=1))


@pytest.mark.parametrize("reading", ["later", "earlier"])
@pytest.mark.parametrize("d_model", [2, 20, 96])
def test_exact_and_rejection_samplers_agree(d_model: int, reading: str):
    points = cloud(600, d_model)
    exact = make(points, reading=reading)
    reference = make(points, reading=reading, sampler="rejection")
    ours, theirs = (prior.sample(3000, np.random.default_rng(i)) for i, prior in enumerate((exact, reference)))
    assert ks_2samp(distances(points, ours), distances(points, theirs)).pvalue > 1e-3
    for axis in range(2):
        assert ks_2samp(ours[:, axis], theirs[:, axis]).pvalue > 1e-3


def test_with_one_seed_exclusion_and_the_fitted_gaussian_draw_along_the_same_directions():
    """Runs of one seed from these two priors start side by side, which whoever compares them must know."""
    points = cloud(600, 96)
    mean, samples = points.mean(axis=0, dtype=np.float64), []
    for prior in (make(points), Gaussian(GaussianSpec()).fit(points)):
        offset = prior.sample(20, np.random.default_rng(3)) - mean
        samples.append(offset / np.linalg.norm(offset, axis=1, keepdims=True))
    assert (samples[0] * samples[1]).sum(axis=1) == pytest.approx(np.ones(20), abs=1e-5)


@pytest.mark.parametrize("sampler", ["exact", "rejection"])
@pytest.mark.parametrize("d_model", [2, 96])
def test_every_sample_lies_outside_the_ball(d_model: int, sampler: str):
    points = cloud(600, d_model)
    prior = make(points, sampler=sampler)
    radius = prior.report()["excluded_radius"]
    assert radius == pytest.approx(np.sqrt(2 * np.log(5) / (1 - 5 ** (-2 / d_model))))
    sample = prior.sample(3000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    assert distances(points, sample).min() >= radius * (1 - 1e-5)


def test_directions_are_uniform():
    points = cloud(600, 6)
    white = make(points).fit_.whiten(make(points).sample(20_000, np.random.default_rng(0)))
    unit = white / np.linalg.norm(white, axis=1, keepdims=True)
    np.testing.assert_allclose(unit.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(unit.T @ unit / len(unit), np.eye(6) / 6, atol=0.01)


@pytest.mark.parametrize(("d_model", "c", "reading"), [(2, 5, "later"), (64, 5, "later"), (3, 1.5, "earlier")])
def test_reported_acceptance_is_the_paper_procedures(d_model: int, c: float, reading: str):
    """Draw as the paper says, with SciPy's densities, and count."""
    points = cloud(400, d_model)
    report = make(points, c=c, reading=reading).report()
    exact = points.astype(np.float64)
    mean, covariance = exact.mean(axis=0), np.cov(exact.T, bias=True)
    plain, wide = (multivariate_normal(mean, factor * covariance) for factor in (1.0, report["s"]))
    x = wide.rvs(20_000, random_state=np.random.default_rng(0))
    probability = np.maximum(0, 1 - np.exp(plain.logpdf(x) - wide.logpdf(x)))
    assert probability.mean() == pytest.approx(report["acceptance"], rel=0.05)
    far = distances(points, x) > report["excluded_radius"]
    np.testing.assert_array_equal(probability > 0, far if report["excluded_region"] == "inside" else ~far)


def test_log_prob_is_the_normalised_accepted_density():
    points = cloud(300, 5)
    prior = make(points)
    report = prior.report()
    exact = points.astype(np.float64)
    mean, covariance = exact.mean(axis=0), np.cov(exact.T, bias=True)
    plain, wide = (multivariate_normal(mean, factor * covariance) for factor in (1.0, report["s"]))
    x = prior.sample(50, np.random.default_rng(0)).astype(np.float64)
    expected = np.log(wide.pdf(x) - plain.pdf(x)) - np.log(report["acceptance"])
    np.testing.assert_allclose(prior.log_prob(x), expected, rtol=1e-6)
    assert np.isneginf(prior.log_prob(mean[None])).all()


@pytest.mark.parametrize("components", [None, 1, 2])
def test_log_prob_integrates_to_one(components: int | None):
    points = np.random.default_rng(0).standard_normal((500, 2)) * [1.0, 2.0]
    prior = make(points, components=components)
    wide, narrow = np.linspace(-110, 110, 2201), np.linspace(-15, 15, 301)
    grid = np.stack(np.meshgrid(narrow, wide), axis=-1).reshape(-1, 2)
    assert np.exp(prior.log_prob(grid)).sum() * 0.1 * 0.1 == pytest.approx(1, abs=2e-3)


def test_only_the_leading_components_are_excluded():
    points = cloud(600, 12)
    prior = make(points, components=2)
    white = prior.fit_.whiten(prior.sample(4000, np.random.default_rng(0)))
    radius = np.linalg.norm(white[:, :2], axis=1)
    report = prior.report()
    assert report["effective_dim"] == 2
    assert report["rank"] == 12
    assert report["acceptance"] == pytest.approx(0.535, abs=5e-4)
    assert radius.min() >= report["excluded_radius"] * (1 - 1e-5)
    assert stats.kstest(np.square(white[:, 2:]).sum(axis=1), stats.chi2(10).cdf).pvalue > 1e-3
    leading = np.linalg.eigh(np.cov(points.astype(float).T))[1][:, ::-1][:, :2]
    np.testing.assert_allclose(np.abs(leading.T @ prior.fit_.basis[:, :2]), np.eye(2), atol=1e-6)


def test_the_rank_is_the_dimension_of_a_singular_fit():
    points = cloud(7, 30)
    report = make(points).report()
    assert (report["rank"], report["effective_dim"]) == (6, 6)
    assert report["excluded_radius"] == pytest.approx(np.sqrt(2 * np.log(5) / (1 - 5 ** (-2 / 6))))
    assert make(cloud(400, 30), covariance="rank", rank=3).report()["effective_dim"] == 3


def test_report_at_model_width():
    d_model = 576
    moments = Moments(50_000, np.ones(d_model), np.diag(np.linspace(1, 9, d_model)))
    prior = make(np.zeros((2, d_model), np.float32), moments, covariance="diagonal")
    report = json.loads(json.dumps(prior.report()))
    assert report["effective_dim"] == d_model
    assert report["acceptance"] == pytest.approx(0.0378, abs=1e-4)
    assert report["s"] == pytest.approx(5 ** (2 / 576))
    assert report["radius_quantiles"]["50%"]["gaussian"] == pytest.approx(stats.chi(d_model).median())
    assert report["pushed_out_percent"] == pytest.approx(3.7, abs=0.05)
    assert report["in_words"].endswith("the hole is invisible.")


def test_report_says_when_the_formula_turns_round():
    report = make(cloud(400, 30), c=1.5, reading="earlier").report()
    assert report["excluded_region"] == "outside"
    assert report["s"] < 1
    assert "the opposite of what exclusion is for. Choose c above" in report["in_words"]
    assert "shows the hole" in make(cloud(50, 2)).report()["in_words"]


@pytest.mark.parametrize("sampler", ["exact", "rejection"])
def test_the_generator_decides_alone(sampler: str):
    prior = make(cloud(50, 6), sampler=sampler)
    np.testing.assert_array_equal(prior.sample(8, np.random.default_rng(4)), prior.sample(8, np.random.default_rng(4)))


def test_no_vector_asked_for():
    assert make(cloud(50, 6)).sample(0, np.random.default_rng(0)).shape == (0, 6)


def test_rejection_gives_up_at_its_budget():
    prior = make(cloud(600, 96), sampler="rejection", draw_budget=500)
    message = (
        r"^Rejection sampling accepted \d+ of the 100 vectors within its budget of 500 proposals "
        r"\(acceptance 0\.0923\); set draw_budget to (\d+) or more, or use the sampler 'exact'\.$"
    )
    with pytest.raises(Failed, match=message) as caught:
        prior.sample(100, np.random.default_rng(0))
    remedy = int(str(caught.value).split("draw_budget to ")[1].split()[0])
    again = make(cloud(600, 96), sampler="rejection", draw_budget=remedy)
    assert len(again.sample(100, np.random.default_rng(0))) == 100


def test_more_components_than_the_fit_has():
    with pytest.raises(BadRequest, match=r"^components 9 is above the 4 principal components .* choose at most 4\.$"):
        make(cloud(5, 30), components=9)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"c": 1}, r"c: Input should be greater than 1 \(got 1\)"),
        ({"c": 1e13}, r"c: Input should be less than or equal to 1000000000000 \(got 10000000000000\.0\)"),
        ({"components": 0}, r"components: Input should be greater than or equal to 1 \(got 0\)"),
        ({"reading": "third"}, r"reading: Input should be 'later' or 'earlier' \(got 'third'\)"),
        ({"covariance": "full"}, r"covariance: Input should be 'empirical', .* \(got 'full'\)"),
        ({"sigma": 1}, r"sigma: there is no such field"),
    ],
)
def test_parameters_out_of_range(parameters: dict, message: str):
    with pytest.raises(BadRequest, match=message):
        parse_prior({"kind": "exclusion"} | parameters)
