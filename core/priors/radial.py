"""How far from the mean Gaussian exclusion draws: a one-dimensional law at any width.

With proposals from N(mean, s·covariance), accepted with probability max(0, 1 − PDF/PDF_wide), the
direction is uniform and everything is decided by m, the Mahalanobis distance under N(mean,
covariance). With t = ln s

    ln(PDF/PDF_wide) = ½·(1 − 1/s)·(h² − m²),     h² = dim·t / (1 − 1/s),

so the accepted m has the density  f_wide(m) − f(m)  where that is positive, divided by the
acceptance rate. For s > 1 it is positive outside the radius h, for s < 1 inside it. The acceptance
rate is the χ² mass between h²/s and h², and these two differ by exactly dim·|t|.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import gammainc, gammainccinv, gammaincinv, gammaln

from core.array_types import Bools, Float64s
from core.errors import BadRequest
from core.priors.arrays import namespace

Reading = Literal["later", "earlier"]

_N_PANELS = 2048
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_LEFT_OUT = 1e-18
"""Probability that the tabulated law leaves out at either end."""
MARGIN = 0.01
"""Least ln(PDF_wide/PDF) down to which the extended law follows its own."""


def log_scale(c: float, dim: int, reading: Reading) -> float:
    """Return t = ln s, the logarithm of the factor that widens the covariance.

    Later text of the paper: s = c^(2/dim). Earlier text as printed: s = exp(2/dim)·ln c. `dim`
    counts the dimensions that follow the exclusion.

    Raises:
        BadRequest: c does not give a positive s, or gives s = 1, where nothing can be accepted.

    Source: 3.3.
    """
    if not c > 1:
        raise BadRequest(f"c = {c:g} gives no exclusion: it must be above 1; the paper uses 5.")
    log_c = float(np.log(c))
    if reading == "later":
        return 2 * log_c / dim
    t = 2 / dim + float(np.log(log_c))
    if abs(t) < 1e-12:
        raise BadRequest(
            f"c = {c:.6g} gives s = 1 at {dim} dimensions under the earlier text's formula, so no proposal can be "
            f"accepted; choose c above {critical_c(dim):.6g}."
        )
    return t


def critical_c(dim: int) -> float:
    """Return the c at which the earlier text's s is 1: below it the 'wide' Gaussian is the narrower one."""
    return float(np.exp(np.exp(-2 / dim)))


class RadialLaw:
    """The law of the Mahalanobis distance m of an accepted proposal.

    Attributes:
        dim: dimensions that follow the exclusion.
        log_scale: t = ln s, not 0.
        excluded_radius: h; nothing is drawn within it (s > 1) or beyond it (s < 1).
        acceptance: probability that a proposal is accepted.
    """

    def __init__(self, dim: int, log_scale: float) -> None:
        self.dim = dim
        self.log_scale = log_scale
        self._gain = -np.expm1(-log_scale)
        self._hole = dim * log_scale / self._gain
        self.excluded_radius = float(np.sqrt(self._hole))
        self.acceptance = self._acceptance()
        self._radius, self._cumulative, self._density = self._tabulate()

    @property
    def keeps_outside(self) -> bool:
        """Return whether s > 1: the centre is excluded. For s < 1 the outside is."""
        return self.log_scale > 0

    def log_accept(self, squared: Any) -> Any:
        """Return ln of the probability to accept a proposal at squared distance m² (n,); −inf where it is 0."""
        gap, xp = self._gain * (squared - self._hole) / 2, namespace(squared)
        with np.errstate(divide="ignore"):
            return xp.log(-xp.expm1(-gap.clip(min=0.0)))

    def extended_log_accept(self, squared: Any) -> Any:
        """Return `log_accept` (n,), below `MARGIN` of ln(PDF_wide/PDF) gone on as a straight line."""
        gap = -math.expm1(-self.log_scale) * (squared - self.excluded_radius**2) / 2
        kept, xp = gap.clip(min=MARGIN), namespace(gap)
        return xp.log(-xp.expm1(-kept)) + (gap - kept) / math.expm1(MARGIN)

    def widened(self, squared: Any) -> Any:
        """Return the log density (n,) of the widened Gaussian over the plain one's at squared distance m² (n,)."""
        return -math.expm1(-self.log_scale) * squared / 2 - self.dim * self.log_scale / 2

    def log_density(self, radius: Float64s) -> Float64s:
        """Return the log density of the law at radius (n,) ≥ 0."""
        wide = log_chi(radius * np.exp(-self.log_scale / 2), self.dim) - self.log_scale / 2
        return wide + self.log_accept(np.square(radius)) - np.log(self.acceptance)

    def quantile(self, probability: Float64s) -> Float64s:
        """Return the radius below which the law has the given probability, elementwise.

        The cumulative law is tabulated by Gauss quadrature; inside a panel it is a cubic through
        the values and the densities at both ends, and that is inverted by bisection. Its error is
        below 1e-8.
        """
        panel = np.clip(np.searchsorted(self._cumulative, probability, side="right") - 1, 0, _N_PANELS - 1)
        start, width = self._radius[panel], np.diff(self._radius)[panel]
        low, high = self._cumulative[panel], self._cumulative[panel + 1]
        slope_low, slope_high = self._density[panel] * width, self._density[panel + 1] * width
        square = 3 * (high - low) - 2 * slope_low - slope_high
        cube = slope_low + slope_high - 2 * (high - low)
        left, right = np.zeros_like(start), np.ones_like(start)
        for _ in range(52):
            middle = (left + right) / 2
            below = low + middle * (slope_low + middle * (square + middle * cube)) < probability
            left, right = np.where(below, middle, left), np.where(below, right, middle)
        return start + right * width

    def sample(self, n: int, rng: np.random.Generator) -> Float64s:
        """Draw n radii (n,)."""
        return self.quantile(rng.random(n))

    def mean_square(self) -> float:
        """Return the mean of m²; `dim` under the plain Gaussian."""
        return float(np.square(self.quantile((np.arange(8192) + 0.5) / 8192)).mean())

    def _acceptance(self) -> float:
        """Return the χ² mass between h²/s and h², by quadrature where a difference would cancel."""
        other = self._hole * np.exp(-self.log_scale)
        width = self.dim * abs(self.log_scale)
        if width < 1:
            squared = min(self._hole, other) + width * (_NODES + 1) / 2
            density = np.exp(log_chi(np.sqrt(squared), self.dim)) / (2 * np.sqrt(squared))
            return float(width / 2 * (_WEIGHTS @ density))
        return float(abs(chi2_cdf(self._hole, self.dim) - chi2_cdf(other, self.dim)))

    def _tabulate(self) -> tuple[Float64s, Float64s, Float64s]:
        """Return radii, cumulative probability and density at the ends of the panels.

        The panels narrow towards both ends, since the density leaves the excluded radius with a
        kink, and that on a scale of its own where s is large.
        """
        tail, stretch = _LEFT_OUT * self.acceptance, np.exp(self.log_scale / 2)
        low = stretch * np.sqrt(2 * gammaincinv(self.dim / 2, tail))
        high = stretch * np.sqrt(2 * gammainccinv(self.dim / 2, tail))
        if self.keeps_outside:
            low = max(low, self.excluded_radius)
        else:
            high = min(high, self.excluded_radius)
        step = np.linspace(0, 1, _N_PANELS + 1)
        ends = low + (high - low) * step**3 * (10 - 15 * step + 6 * step**2)
        half = np.diff(ends)[:, None] / 2
        inner = ends[:-1, None] + half * (_NODES + 1)
        mass = (np.exp(self.log_density(inner)) * half) @ _WEIGHTS
        total = mass.sum()
        cumulative = np.concatenate([[0.0], np.cumsum(mass) / total])
        return ends, cumulative, np.exp(self.log_density(ends)) / total


@dataclass(frozen=True)
class RadialDensity:
    """Curves for a figure: how likely each Mahalanobis distance is.

    Attributes:
        radius: (n,).
        gaussian: (n,), density of the fitted Gaussian.
        exclusion: (n,), density of the exclusion prior.
        excluded_radius: where the exclusion's density becomes 0.
    """

    radius: Float64s
    gaussian: Float64s
    exclusion: Float64s
    excluded_radius: float


def radial_density(dim: int, c: float = 5.0, reading: Reading = "later", n_points: int = 512) -> RadialDensity:
    """Return the density over the Mahalanobis distance of the fitted Gaussian and of the exclusion prior.

    `dim` is the rank of the fit, or the number of components that follow the exclusion; c and
    reading are the spec's.

    Raises:
        BadRequest: as `log_scale`.
    """
    law = RadialLaw(dim, log_scale(c, dim, reading))
    tails = law.quantile(np.array([1e-6, 1 - 1e-6]))
    low = min(tails[0], np.sqrt(2 * gammaincinv(dim / 2, 1e-6)))
    high = max(tails[1], np.sqrt(2 * gammainccinv(dim / 2, 1e-6)))
    radius = np.linspace(low if dim > 3 else 0.0, high, n_points)
    return RadialDensity(radius, np.exp(log_chi(radius, dim)), np.exp(law.log_density(radius)), law.excluded_radius)


@dataclass(frozen=True)
class Radii:
    """How far samples lie from a prior's mean in its own metric, beside the law that they must follow.

    Attributes:
        values: (m,) of the samples.
        radius: (n,) where the law is given.
        density: (n,) of the law.
        law: its name.
        excluded_radius: radius of the ball in which nothing is drawn, of a prior that has one.
    """

    values: Float64s
    radius: Float64s
    density: Float64s
    law: str
    excluded_radius: float | None = None


def chi_radii(values: Float64s, dim: int, n_points: int = 512) -> Radii:
    """Return Mahalanobis distances (m,) of a Gaussian of `dim` dimensions with their law, χ."""
    low, high = chi_quantile(np.array([1e-6, 1 - 1e-6]), dim)
    radius = np.linspace(low if dim > 3 else 0.0, high, n_points)
    return Radii(values, radius, np.exp(log_chi(radius, dim)), f"χ law, {dim} dimensions")


@dataclass(frozen=True)
class ExclusionCurve:
    """What exclusion comes to as one of its numbers moves; NaN where the formula accepts nothing. All (n,).

    Attributes:
        acceptance: share of proposals that are accepted.
        excluded: excluded radius over sqrt(dim), which is about the radius of the fitted Gaussian's
            shell.
        push: percent by which the median Mahalanobis distance is above the fitted Gaussian's.
        outside: whether the centre is excluded; otherwise what lies outside the radius is.
    """

    acceptance: Float64s
    excluded: Float64s
    push: Float64s
    outside: Bools


def exclusion_curve(dims: Sequence[int], strengths: Sequence[float], reading: Reading) -> ExclusionCurve:
    """Return the curve over pairs of dimensions that follow the exclusion (n,) and c (n,), in closed form."""
    rows = []
    for dim, c in zip(dims, strengths, strict=True):
        try:
            law = RadialLaw(dim, log_scale(c, dim, reading))
        except BadRequest:
            rows.append((np.nan, np.nan, np.nan, False))
            continue
        middle = np.array([0.5])
        push = 100 * (law.quantile(middle)[0] / chi_quantile(middle, dim)[0] - 1)
        rows.append((law.acceptance, law.excluded_radius / np.sqrt(dim), push, law.keeps_outside))
    acceptance, excluded, push, outside = np.array(rows, np.float64).reshape(-1, 4).T
    return ExclusionCurve(acceptance, excluded, push, outside.astype(bool))


def log_chi(radius: Float64s, dim: int) -> Float64s:
    """Return the log density of the χ law (the norm of a standard normal vector) at radius (n,)."""
    constant = (1 - dim / 2) * np.log(2) - gammaln(dim / 2)
    if dim == 1:
        return constant - np.square(radius) / 2
    with np.errstate(divide="ignore"):
        return constant + (dim - 1) * np.log(radius) - np.square(radius) / 2


def chi2_cdf(squared: float, dim: int) -> float:
    """Return the χ² distribution function."""
    return float(gammainc(dim / 2, squared / 2))


def chi_quantile(probability: Float64s, dim: int) -> Float64s:
    """Return quantiles of the χ law: the fitted Gaussian's own Mahalanobis distances."""
    return np.sqrt(2 * gammaincinv(dim / 2, probability))
