"""Any cloud gives finite samples with the right rank, or one clear line."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadRequest
from core.fits.moments import Reference
from core.priors import Prior, build_prior
from core.priors.radial import RadialLaw, Reading, log_scale
from core.specs.prior import PriorSpec, parse_prior, prior_kinds

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
FEW = settings(max_examples=15, deadline=None, derandomize=True)
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
    largest = float(np.finfo(np.float32).max)
    return np.clip(scale * points, -largest, largest).astype(np.float32)


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


SMALL: dict[str, dict[str, Any]] = {
    "vae": {"d_latent": 3, "d_hidden": 8, "steps": 5},
    "knn": {"k": 2, "quantile": 0.5},
    "mixture": {"n_clusters": 2},
    "posterior": {"runs": "t-1", "draw": "rows"},
}
"""Parameters with which a kind is quick on few points; all others stand at their defaults."""
REASONS = (
    "too small",
    "equal up to rounding",
    "beyond float32",
    "too few",
    "too large for",
    "above the",
    "cannot be matched",
    "cannot be scaled",
    "nothing can be matched",
)


def small(kind: str, **more: Any) -> PriorSpec:
    return parse_prior({"kind": kind, **SMALL.get(kind, {}), **more})


def fit(spec: PriorSpec, points: np.ndarray) -> Prior[Any]:
    """Fit with the cloud itself in the place of whatever else the prior asks for."""
    return build_prior(spec).fit(points, None, [Reference(points) for _ in spec.further()])


@pytest.mark.parametrize("kind", list(prior_kinds()))
@pytest.mark.parametrize("match", ["none", "reference"])
@FEW
@given(points=clouds(), n=st.integers(1, 40))
def test_any_cloud_gives_finite_samples_or_a_reason(kind: str, match: str, points: np.ndarray, n: int):
    try:
        prior = fit(small(kind, match_trace=match), points)
        sample, again = (prior.sample(n, np.random.default_rng(3)) for _ in range(2))
    except BadRequest as error:
        reason = str(error)
    else:
        check_draws(prior, sample, again, (n, points.shape[1]))
        return
    assert any(words in reason for words in REASONS), reason


def check_draws(prior: Prior[Any], sample: np.ndarray, again: np.ndarray, shape: tuple[int, int]) -> None:
    assert sample.shape == shape
    assert sample.dtype == np.float32
    assert np.isfinite(sample).all()
    np.testing.assert_array_equal(sample, again)
    json.dumps(prior.report(), allow_nan=False)
    density = prior.log_prob(sample)
    assert density is None or not np.isnan(density).any()


@pytest.mark.parametrize("kind", list(prior_kinds()))
@pytest.mark.parametrize("d_model", [1, 2048])
def test_the_narrowest_and_the_widest_model(kind: str, d_model: int):
    points = np.random.default_rng(0).standard_normal((60, d_model)).astype(np.float32)
    prior = fit(small(kind), points)
    sample = prior.sample(5, np.random.default_rng(0))
    assert sample.shape == (5, d_model)
    assert np.isfinite(sample).all()
    density = prior.log_prob(sample)
    assert density is None or np.isfinite(density).all()


@pytest.mark.parametrize("kind", list(prior_kinds()))
@FEW
@given(seed=st.integers(0, 10**6), d_model=st.integers(1, 12), exponent=st.integers(-12, 12))
def test_samples_have_the_moments_that_the_prior_tells(kind: str, seed: int, d_model: int, exponent: int):
    rng = np.random.default_rng(seed)
    points = (10.0**exponent * (rng.standard_normal((80, d_model)) * rng.gamma(2, size=d_model) + 1)).astype(np.float32)
    prior = fit(small(kind), points)
    sample = prior.sample(3000, rng).astype(np.float64)
    mean, trace = prior.spread(3000)
    offset = np.square(sample.mean(axis=0) - mean).sum()
    assert offset <= 0.02 * trace + 1e-12 * np.square(mean).sum()
    assert sample.var(axis=0).sum() == pytest.approx(trace, rel=0.25)


@pytest.mark.parametrize("kind", list(prior_kinds()))
def test_many_vectors_at_once(kind: str):
    points = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    sample = fit(small(kind, **({"draw_budget": 10**6} if kind == "knn" else {})), points).sample(
        100_000, np.random.default_rng(0)
    )
    assert sample.shape == (100_000, 3)
    assert np.isfinite(sample).all()


KINDS = list(prior_kinds())


def answer(kind: str, points: np.ndarray, n: int = 6) -> tuple[Prior[Any] | None, np.ndarray | None]:
    """Return a fitted prior and a sample, or nothing after an error that says why."""
    reason = ""
    try:
        prior = fit(small(kind), points)
        return prior, prior.sample(n, np.random.default_rng(0))
    except BadRequest as error:
        reason = str(error)
    assert any(words in reason for words in (*REASONS, "not finite")), reason
    return None, None


def test_the_ten_kinds_are_these():
    known = "exclusion gaussian interpolation isotropic knn mixture posterior vae vocabulary xavier"
    assert " ".join(sorted(KINDS)) == known


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_points", [2, 12, 40])
def test_fewer_points_than_dimensions_stay_in_their_range(kind: str, n_points: int):
    """With N ≤ d a fitted prior draws in the affine hull of the points; the autoencoder's decoder knows no hull."""
    points = np.random.default_rng(n_points).standard_normal((n_points, 40)).astype(np.float32) + 3
    prior, sample = answer(kind, points)
    if prior is None or sample is None:
        assert n_points == 2 or kind == "vae"
        return
    assert np.isfinite(sample).all()
    if kind in ("isotropic", "xavier", "vae"):
        return
    centre = points.mean(axis=0, dtype=np.float64)
    basis = np.linalg.svd(points - centre, full_matrices=False)[2][: n_points - 1]
    offset = sample - centre
    np.testing.assert_allclose(offset @ basis.T @ basis, offset, atol=2e-4)
    rank = prior.report().get("rank", n_points - 1)
    assert rank == n_points - 1 or rank == [n_points - 1] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_points", [1, 2, 50])
@pytest.mark.parametrize("value", [0.0, 3.7, 1e30])
def test_one_place_is_drawn_exactly_or_refused(kind: str, n_points: int, value: float):
    points = np.full((n_points, 5), value, np.float32)
    prior, sample = answer(kind, points)
    if prior is None or sample is None:
        assert prior_kinds()[kind].needs_reference or n_points < 2
    elif kind in ("vocabulary", "posterior"):
        np.testing.assert_array_equal(sample, np.broadcast_to(points[0], sample.shape))
    else:
        assert kind in ("isotropic", "xavier")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_not_finite_is_refused_or_not_read(kind: str, value: float):
    points = np.random.default_rng(0).standard_normal((40, 4)).astype(np.float32)
    points[7, 2] = value
    prior, sample = answer(kind, points)
    assert (prior is None) == (kind not in ("isotropic", "xavier"))
    assert sample is None or np.isfinite(sample).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-20, 1e18, 1e38, 3e38])
def test_the_ends_of_float32(kind: str, scale: float):
    unit = np.random.default_rng(0).uniform(-1, 1, (40, 4))
    points = (scale * unit).astype(np.float32)
    prior, sample = answer(kind, points)
    if prior is None or sample is None:
        return
    assert np.isfinite(sample).all()
    json.dumps(prior.report(), allow_nan=False)
    if kind not in ("isotropic", "xavier"):
        assert float(np.abs(sample).max()) < 30 * max(float(np.abs(points).max()), 1e-44)


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_decides_the_sample(kind: str):
    prior, first = answer(kind, np.random.default_rng(1).standard_normal((60, 5)).astype(np.float32))
    assert prior is not None
    assert first is not None
    np.testing.assert_array_equal(prior.sample(6, np.random.default_rng(0)), first)
    assert not np.array_equal(prior.sample(6, np.random.default_rng(1)), first)


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(n=st.sampled_from([1, 2, 20, 999]), d_model=st.sampled_from([1, 2, 7, 130]))
def test_samples_lie_where_the_prior_says(kind: str, n: int, d_model: int):
    points = np.random.default_rng(d_model).standard_normal((60, d_model)).astype(np.float32)
    prior = fit(small(kind), points)
    sample = prior.sample(n, np.random.default_rng(0))
    assert sample.shape == (n, d_model)
    density = prior.log_prob(sample)
    assert density is None or np.isfinite(density).all()
    match kind:
        case "xavier":
            assert np.abs(sample).max() <= np.sqrt(6 / (n + d_model)) * (1 + 1e-6)
        case "exclusion":
            radii = prior.radii(sample)
            assert radii is not None
            assert radii.excluded_radius is not None
            assert radii.values.min() >= radii.excluded_radius * (1 - 1e-5)
        case "vocabulary" | "posterior":
            assert {row.tobytes() for row in sample} <= {row.tobytes() for row in points}
        case "knn":
            nearest = np.sort(np.linalg.norm(sample[:, None] - points[None], axis=2), axis=1)[:, 1]
            assert nearest.min() >= prior.report()["threshold"] * (1 - 1e-4)
