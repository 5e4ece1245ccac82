"""Priors as shells: how far from their mean they draw, and what two of their coordinates show. In closed form."""

from dataclasses import dataclass

import numpy as np

from core.array_types import Float64s
from core.priors.radial import RadialLaw, chi_quantile, chi_radii, log_scale, radial_density

_LAST = 0.9995
"""Probability that the axis of a law ends at."""


@dataclass(frozen=True)
class Shell:
    """A prior around 0 with the fitted Gaussian's covariance as the unit.

    Attributes:
        dim: dimensions.
        points: (n, 2), two of the coordinates of n samples.
        radius: (m,) distance from the mean over √dim, around which the fitted Gaussian lies.
        gaussian: (m,), density of the fitted Gaussian.
        prior: (m,), density of the prior.
        excluded: radius in the same unit below which nothing is drawn; 0 for none.
        last: where both laws have ended.
    """

    dim: int
    points: Float64s
    radius: Float64s
    gaussian: Float64s
    prior: Float64s
    excluded: float
    last: float


def shell(dim: int, c: float | None, n: int, rng: np.random.Generator) -> Shell:
    """Return Gaussian exclusion of strength c, by the later text's formula, or the Gaussian itself for None.

    Raises:
        BadRequest: as `log_scale`.

    Source: 3.3 and 4.3 of the paper.
    """
    unit, share = np.sqrt(dim), rng.random(n)
    if c is None:
        curve = chi_radii(np.zeros(0), dim)
        radius, gaussian, prior, excluded = curve.radius, curve.density, curve.density, 0.0
        drawn, last = chi_quantile(share, dim), float(chi_quantile(np.array([_LAST]), dim)[0])
    else:
        law, curves = RadialLaw(dim, log_scale(c, dim, "later")), radial_density(dim, c)
        radius, gaussian, prior, excluded = curves.radius, curves.gaussian, curves.exclusion, curves.excluded_radius
        drawn, last = law.quantile(share), float(law.quantile(np.array([_LAST]))[0])
    direction = rng.standard_normal((n, dim))
    points = direction[:, :2] * (drawn / np.linalg.norm(direction, axis=1))[:, None]
    return Shell(dim, points, radius / unit, gaussian * unit, prior * unit, excluded / unit, last / unit)
