import json

import numpy as np
import pytest

from core.errors import BadRequest
from core.fits.moments import Moments
from core.priors import Prior, build_prior
from core.specs.prior import PriorSpec, parse_prior
from tests.unit.priors.test_gaussian import cloud

KINDS = ["isotropic", "xavier", "gaussian", "exclusion"]


def spread_of(sample: np.ndarray) -> float:
    return float(sample.astype(np.float64).var(axis=0).sum())


def density(prior: Prior, x: np.ndarray) -> np.ndarray:
    found = prior.log_prob(x)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_references_trace(kind: str):
    points = cloud(400, 12)
    prior = build_prior(parse_prior({"kind": kind, "match_trace": "reference"})).fit(points)
    sample = prior.sample(20_000, np.random.default_rng(0))
    assert sample.dtype == np.float32
    assert spread_of(sample) == pytest.approx(spread_of(points), rel=0.02)
    assert prior.spread(20)[1] == pytest.approx(spread_of(points), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_a_given_trace_and_keep_their_mean(kind: str):
    points = cloud(400, 12)
    plain = build_prior(parse_prior({"kind": kind})).fit(points)
    prior = build_prior(parse_prior({"kind": kind, "match_trace": "value", "target_trace": 3.0})).fit(points)
    sample = prior.sample(20_000, np.random.default_rng(0))
    assert spread_of(sample) == pytest.approx(3.0, rel=0.02)
    np.testing.assert_allclose(sample.mean(axis=0), plain.spread(20_000)[0], atol=0.02)
    report = json.loads(json.dumps(prior.report()))["matched_trace"]
    assert report["factor"] ** 2 * report["total_variance_before"] == pytest.approx(3.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_closed_form_of_the_spread_is_what_is_measured(kind: str):
    prior = build_prior(parse_prior({"kind": kind})).fit(cloud(400, 5))
    sample = prior.sample(40_000, np.random.default_rng(0)).astype(np.float64)
    mean, trace = prior.spread(40_000)
    np.testing.assert_allclose(sample.mean(axis=0), mean, atol=0.05)
    assert spread_of(sample) == pytest.approx(trace, rel=0.02)


@pytest.mark.parametrize("points", [cloud(400, 5), cloud(4, 30)])
def test_log_prob_is_that_of_a_gaussian_with_a_scaled_covariance(points: np.ndarray):
    trace = spread_of(points)
    prior = build_prior(parse_prior({"kind": "gaussian", "match_trace": "value", "target_trace": 4 * trace}))
    x = prior.fit(points).sample(20, np.random.default_rng(0))
    exact = points.astype(np.float64)
    wide = Moments(len(points), exact.mean(axis=0), 4 * np.cov(exact.T, bias=True))
    expected = density(build_prior(parse_prior("gaussian")).fit(points, wide), x)
    np.testing.assert_allclose(density(prior, x), expected, rtol=1e-4)


def test_moments_of_the_whole_cloud_count():
    moments = Moments(99, np.zeros(3), np.diag([1.0, 2.0, 5.0]))
    prior = build_prior(parse_prior({"kind": "isotropic", "match_trace": "reference"}))
    assert prior.fit(cloud(10, 3), moments).spread(20)[1] == 8.0


def test_an_unmatched_spec_keeps_its_fingerprint():
    assert parse_prior("isotropic").canonical_json() == '{"kind":"isotropic","reading":"std","std":0.02}'
    matched = parse_prior({"kind": "isotropic", "match_trace": "reference"})
    assert matched.as_json()["match_trace"] == "reference"
    assert parse_prior(matched.canonical_json()) == matched
    assert (matched.reads_reference, parse_prior("isotropic").reads_reference) == (True, False)


@pytest.mark.parametrize("data", [{"match_trace": "value"}, {"target_trace": 2.0}])
def test_value_and_target_go_together(data: dict):
    with pytest.raises(BadRequest, match=r"match_trace 'value' and target_trace go together; give both or neither"):
        parse_prior({"kind": "isotropic", **data})


def test_a_reference_without_spread():
    prior = build_prior(parse_prior({"kind": "isotropic", "match_trace": "reference"}))
    with pytest.raises(BadRequest, match=r"^The reference cloud has a total variance of 0, which nothing can be match"):
        prior.fit(np.ones((9, 3), np.float32))


def test_the_common_fields_stand_last():
    assert list(PriorSpec.described_last) == ["match_trace", "target_trace"]
