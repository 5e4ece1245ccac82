import numpy as np
import pytest
from scipy import integrate, stats

from core.errors import BadRequest
from core.priors import build_prior
from core.priors.radial import RadialLaw, Reading, critical_c, exclusion_curve, log_chi, log_scale, radial_density
from core.specs.prior import parse_prior
from tests.unit.priors.test_gaussian import cloud

DIMS = [1, 2, 3, 10, 64, 576, 768, 2048, 4096]


def law_of(dim: int, c: float = 5.0, reading: Reading = "later") -> RadialLaw:
    return RadialLaw(dim, log_scale(c, dim, reading))


def closed_form(law: RadialLaw, radius: np.ndarray) -> np.ndarray:
    """Return the law's distribution function from SciPy's χ² tails."""
    plain, wide = np.square(radius), np.square(radius) * np.exp(-law.log_scale)
    if law.keeps_outside:
        return 1 - (stats.chi2.sf(wide, law.dim) - stats.chi2.sf(plain, law.dim)) / law.acceptance
    return (stats.chi2.cdf(wide, law.dim) - stats.chi2.cdf(plain, law.dim)) / law.acceptance


@pytest.mark.parametrize(("dim", "expected"), [(2, 0.535), (64, 0.113), (768, 0.033), (2048, 0.020)])
def test_acceptance_at_c_5(dim: int, expected: float):
    assert law_of(dim).acceptance == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("c", [1.5, 5.0, 1e6, 1e30])
@pytest.mark.parametrize("reading", ["later", "earlier"])
def test_acceptance_is_the_mass_between_two_bounds(dim: int, c: float, reading: Reading):
    law = law_of(dim, c, reading)
    s = np.exp(law.log_scale)
    hole = dim * np.log(s) / (1 - 1 / s)
    assert law.excluded_radius == pytest.approx(np.sqrt(hole), rel=1e-9)
    assert law.acceptance == pytest.approx(abs(stats.chi2.cdf(hole, dim) - stats.chi2.cdf(hole / s, dim)), rel=1e-7)


@pytest.mark.parametrize("dim", [1, 2, 5, 30])
@pytest.mark.parametrize(("c", "reading"), [(5.0, "later"), (1.01, "later"), (5.0, "earlier"), (1.3, "earlier")])
def test_acceptance_is_the_integral_of_the_acceptance_probability(dim: int, c: float, reading: Reading):
    law = law_of(dim, c, reading)
    stretch = np.exp(law.log_scale / 2)

    def accepted(radius: float) -> float:
        plain = stats.chi.pdf(radius, dim)
        wide = stats.chi.pdf(radius, dim, scale=stretch)
        return max(float(wide - plain), 0.0)

    edges = (law.excluded_radius, 60 * stretch) if law.keeps_outside else (0, law.excluded_radius)
    assert law.acceptance == pytest.approx(integrate.quad(accepted, *edges, limit=500)[0], rel=1e-6)


@pytest.mark.parametrize("dim", DIMS)
def test_ratio_at_the_mean_is_c(dim: int):
    law = law_of(dim, 5.0)
    ratio = stats.norm.logpdf(0) * dim - stats.norm.logpdf(0, scale=np.exp(law.log_scale / 2)) * dim
    assert ratio == pytest.approx(np.log(5), rel=1e-8)
    assert law.excluded_radius**2 == pytest.approx(2 * np.log(5) / (1 - 5 ** (-2 / dim)))


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("c", [1.01, 1.5, 5.0, 1e6, 1e30])
@pytest.mark.parametrize("reading", ["later", "earlier"])
def test_quantiles_are_exact(dim: int, c: float, reading: Reading):
    law = law_of(dim, c, reading)
    probability = np.array([1e-6, 0.01, 0.2, 0.5, 0.8, 0.99, 1 - 1e-6])
    radius = law.quantile(probability)
    assert (np.diff(radius) > 0).all()
    np.testing.assert_allclose(closed_form(law, radius), probability, atol=2e-8)


@pytest.mark.parametrize("dim", DIMS)
def test_c_near_1_tends_to_the_first_order_law(dim: int):
    """For s → 1 the accepted density tends to χ(m)·(m² − dim)₊, whatever c is."""
    law = law_of(dim, 1 + 1e-12)
    assert law.excluded_radius == pytest.approx(np.sqrt(dim), rel=1e-9)
    assert law.acceptance == pytest.approx(2 * np.log(1 + 1e-12) * stats.chi2.pdf(dim, dim), rel=1e-6)
    radius = np.sqrt(dim) + np.linspace(0.1, 2, 9)
    unnormalised = log_chi(radius, dim) + np.log(radius**2 - dim)
    difference = law.log_density(radius) - unnormalised
    np.testing.assert_allclose(difference, difference[0], atol=1e-6)
    assert np.isfinite(law.sample(1000, np.random.default_rng(0))).all()


def test_nothing_is_drawn_in_the_excluded_region():
    outside, inside = law_of(64), law_of(64, 1.5, "earlier")
    rng = np.random.default_rng(0)
    assert outside.keeps_outside
    assert outside.sample(10_000, rng).min() >= outside.excluded_radius
    assert not inside.keeps_outside
    assert inside.sample(10_000, rng).max() <= inside.excluded_radius
    assert np.isneginf(outside.log_density(np.array([0.0, 0.99 * outside.excluded_radius]))).all()
    assert np.isneginf(inside.log_density(np.array([1.01 * inside.excluded_radius]))).all()


@pytest.mark.parametrize("dim", [1, 2, 8, 1000])
def test_earlier_reading_changes_side_at_the_critical_c(dim: int):
    c = critical_c(dim)
    assert np.exp(2 / dim) * np.log(c) == pytest.approx(1)
    assert log_scale(1.01 * c, dim, "earlier") > 0 > log_scale(1 + 0.99 * (c - 1), dim, "earlier")
    with pytest.raises(BadRequest, match=rf"gives s = 1 at {dim} dimensions .* choose c above {c:.6g}\.$"):
        log_scale(c, dim, "earlier")


@pytest.mark.parametrize("c", [1.0, 0.5, -2.0, float("nan")])
def test_c_must_be_above_1(c: float):
    with pytest.raises(BadRequest, match=r"gives no exclusion: it must be above 1; the paper uses 5"):
        log_scale(c, 10, "later")


def test_printed_formulas():
    assert np.exp(log_scale(5, 8, "later")) == pytest.approx(5 ** (2 / 8))
    assert np.exp(log_scale(5, 8, "earlier")) == pytest.approx(np.exp(2 / 8) * np.log(5))


@pytest.mark.parametrize("dim", [1, 2, 576])
@pytest.mark.parametrize("reading", ["later", "earlier"])
def test_curves_of_the_figure(dim: int, reading):
    curves = radial_density(dim, 5.0, reading, n_points=20_001)
    np.testing.assert_allclose(curves.gaussian, stats.chi.pdf(curves.radius, dim), rtol=1e-8, atol=1e-12)
    assert np.trapezoid(curves.gaussian, curves.radius) == pytest.approx(1, abs=1e-4)
    assert np.trapezoid(curves.exclusion, curves.radius) == pytest.approx(1, abs=1e-4)
    assert (curves.exclusion[curves.radius < curves.excluded_radius] == 0).all()


def test_exclusion_curve_over_dimension_is_the_laws_own():
    dims = [2, 64, 768, 2048]
    curve = exclusion_curve(dims, [5.0] * 4, "later")
    np.testing.assert_allclose(curve.acceptance, [0.535, 0.113, 0.033, 0.020], atol=5e-4)
    np.testing.assert_allclose(curve.excluded * np.sqrt(dims), [law_of(dim).excluded_radius for dim in dims])
    assert curve.outside.all()
    assert (np.diff(curve.push) < 0).all()


def test_exclusion_curve_has_a_gap_where_nothing_is_accepted():
    curve = exclusion_curve([8, 8, 8], [1.5, critical_c(8), 5.0], "earlier")
    assert np.isnan(curve.acceptance).tolist() == [False, True, False]
    assert curve.outside.tolist() == [False, False, True]
    assert curve.push[0] < 0 < curve.push[2]


@pytest.mark.parametrize(("kind", "dim"), [("isotropic", 20), ("gaussian", 20), ("exclusion", 20)])
@pytest.mark.parametrize("match", ["none", "reference"])
def test_samples_follow_the_law_of_their_radii(kind: str, dim: int, match: str):
    points = cloud(500, dim)
    prior = build_prior(parse_prior({"kind": kind, "match_trace": match})).fit(points)
    radii = prior.radii(prior.sample(4000, np.random.default_rng(1)))
    assert radii is not None
    cumulative = integrate.cumulative_trapezoid(radii.density, radii.radius, initial=0)
    assert cumulative[-1] == pytest.approx(1, abs=1e-3)
    assert stats.kstest(radii.values, lambda x: np.interp(x, radii.radius, cumulative)).pvalue > 0.01
    assert (radii.excluded_radius is not None) == (kind == "exclusion")


@pytest.mark.parametrize("prior", [{"kind": "isotropic", "std": 0.3}, {"kind": "xavier", "distribution": "normal"}])
def test_norms_follow_their_law(prior: dict):
    fitted = build_prior(parse_prior(prior)).fit(np.zeros((0, 30)))
    norms = np.linalg.norm(fitted.sample(4000, np.random.default_rng(0)), axis=1)
    grid = np.linspace(0, 2 * norms.max(), 4000)
    law = fitted.norm_density(grid, 4000)
    assert law is not None
    cumulative = integrate.cumulative_trapezoid(law, grid, initial=0)
    assert stats.kstest(norms, lambda x: np.interp(x, grid, cumulative)).pvalue > 0.01


def test_most_priors_have_no_law_of_radii_or_norms():
    fitted = build_prior(parse_prior("xavier")).fit(np.zeros((0, 3)))
    assert fitted.radii(np.ones((2, 3))) is None
    assert fitted.norm_density(np.ones(2), 2) is None
