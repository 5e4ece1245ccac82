"""N(mean, covariance) fitted on a reference cloud."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np

from core.array_types import Float32s, Float64s, Floats
from core.fits.moments import Moments, Reference
from core.priors.base import Prior
from core.priors.covariance import CovarianceField, GaussianFit, RankField, fit_gaussian
from core.priors.radial import Radii, chi_radii
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec, Scale


class GaussianSpec(PriorSpec, frozen=True):
    """A Gaussian fitted on the reference cloud."""

    title = "Fitted Gaussian"
    summary = "A normal distribution with the mean and covariance of the reference cloud."
    needs_reference = True
    differentiable = True
    sliders: ClassVar = {"rank": Scale(1, 512)}

    kind: Literal["gaussian"] = "gaussian"
    covariance: CovarianceField = "empirical"
    rank: RankField = 32


class Gaussian(Prior[GaussianSpec]):
    """N(mean, covariance).

    Source: 3.3, 4.2 and 4.4 of the paper (fitted on the vocabulary, or on token activations).
    Deviation: besides the paper's covariance, four others; the low-rank one leaves the remaining
        variance out.
    """

    spec_class = GaussianSpec
    fit_: GaussianFit

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Fit on points (n, d), or on the exact moments of their whole cloud where the estimate allows it.

        Raises:
            BadRequest: see `fit_gaussian`.
        """
        self.fit_ = fit_gaussian(points, moments, self.spec.covariance, self.spec.rank)
        self.d_model_ = points.shape[1]
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: the cloud is so large that a value does not fit into float32.
        """
        return self.fit_.colour(rng.standard_normal((n, self.fit_.dim)))

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d).

        For a singular fit it is the density on the fit's range, and −inf off it.
        """
        return self.fit_.density(x)

    def radii(self, x: Floats) -> Radii:
        """Return Mahalanobis distances of rows (n, d) under the fit, with the χ law of its rank."""
        return chi_radii(np.linalg.norm(self.fit_.whiten(x), axis=1), self.fit_.dim)

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return mean and total variance of the fit."""
        return self.fit_.mean, float(self.fit_.variances.sum())

    def report(self) -> JsonObject:
        """Return what was estimated from what, with rank, shrinkage and scale."""
        return dict(self.fit_.facts)
