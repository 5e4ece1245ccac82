"""Any cloud gives finite samples with the right rank, or one clear line."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadRequest
from core.priors import build_prior
from core.priors.radial import RadialLaw, Reading, log_scale
from core.specs.prior import parse_prior

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
COVARIANCES = ["empirical", "ledoit_wolf", "oas", "diagonal", "rank"]


@st.composite
def clouds(draw) -> np.ndarray:
    """Return float32 points of any width, number, rank, scale and offset."""
    d_model = draw(st.integers(1, 256))
    n = draw(st.one_of(st.integers(1, 20), st.integers(2, 1000)))
    rank = draw(st.integers(0, min(6, d_model)) | st.just(d_model))
    scale = 10.0 ** draw(st.integers(-36, 36))
    offset = draw(st.sampled_from([0.0, 1.0, 1e3]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    points = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d_model)) + offset
    return (scale * points).astype(np.float32)


@QUICK
@given(clouds(), st.sampled_from(COVARIANCES), st.sampled_from(["gaussian", "exclusion"]))
def test_finite_samples_of_the_fits_rank_or_a_reason(points: np.ndarray, covariance: str, kind: str):
    prior = build_prior(parse_prior({"kind": kind, "covariance": covariance, "rank": 1}))
    reason = "none"
    try:
        sample = prior.fit(points).sample(7, np.random.default_rng(0))
    except BadRequest as error:
        sample, reason = None, str(error)
    if sample is None:
        assert any(word in reason for word in ("too small", "equal up to rounding", "beyond float32"))
        return
    n, d_model = points.shape
    assert sample.shape == (7, d_model)
    assert np.isfinite(sample).all()
    report = prior.report()
    assert 1 <= report["rank"] <= d_model
    if covariance in ("empirical", "rank"):
        assert report["rank"] <= n - 1
    assert np.isfinite([value for value in report.values() if isinstance(value, float)]).all()
    density = prior.log_prob(sample)
    assert density is not None
    assert not np.isnan(density).any()


@QUICK
@given(st.integers(1, 6), st.integers(8, 128), st.integers(-30, 30), st.sampled_from([0.0, 1.0, 100.0]))
def test_rank_of_a_flat_cloud_is_found_at_any_scale(rank: int, d_model: int, exponent: int, offset: float):
    rng = np.random.default_rng(rank * d_model)
    points = rng.standard_normal((200, rank)) @ rng.standard_normal((rank, d_model)) + offset
    prior = build_prior(parse_prior("exclusion")).fit((points * 10.0**exponent).astype(np.float32))
    assert prior.report()["effective_dim"] == rank


@QUICK
@given(st.integers(1, 4096), st.floats(-12, 30), st.sampled_from(["later", "earlier"]))
def test_radial_law_is_sound_for_any_c(dim: int, exponent: float, reading: Reading):
    """c runs from 1 + 1e-12 to 1e30."""
    law = RadialLaw(dim, log_scale(1 + 10.0**exponent, dim, reading))
    radius = law.quantile(np.linspace(0, 1, 101))
    assert (np.diff(radius) > 0).all()
    assert np.isfinite(radius).all()
    assert 0 < law.acceptance <= 1
    beyond = radius - law.excluded_radius if law.keeps_outside else law.excluded_radius - radius
    assert (beyond >= 0).all()
    assert not np.isnan(law.log_density(np.concatenate([[0.0], radius]))).any()
