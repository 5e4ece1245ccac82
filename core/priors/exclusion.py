"""Gaussian exclusion: a fitted Gaussian with its dense middle cut out."""

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.arrays import namespace
from core.priors.base import Prior
from core.priors.covariance import CovarianceField, GaussianFit, RankField, fit_gaussian
from core.priors.radial import (
    RadialDensity,
    RadialLaw,
    Radii,
    Reading,
    chi_quantile,
    critical_c,
    log_scale,
    radial_density,
)
from core.priors.rejection import draw_accepted
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec, Scale


class ExclusionSpec(PriorSpec, frozen=True):
    """A widened fitted Gaussian from which the fitted Gaussian's own region is rejected."""

    title = "Gaussian exclusion"
    summary = "A widened fitted Gaussian whose dense middle is rejected, so that the prompt starts outside it."
    needs_reference = True
    differentiable = True
    sliders: ClassVar = {"c": Scale(1.05, 1e6), "rank": Scale(1, 512)}

    kind: Literal["exclusion"] = "exclusion"
    c: float = Field(default=5.0, gt=1, le=1e12, title="c")
    """Strength. With the later formula, the fitted Gaussian is c times as dense at its mean as the
    widened one. At the width of a model even a large c moves the shell out by a few percent only,
    and no hole is visible."""
    reading: Reading = Field(default="later", title="Formula")
    """How the covariance is widened. later: the later text of the paper, s = c^(2/dim); earlier:
    the earlier text as printed, s = exp(2/dim)·ln c."""
    components: int | None = Field(default=None, ge=1, le=65_536, title="Exclude in components")
    """Exclude in the first k principal components only and keep the fitted Gaussian in the others;
    empty: exclude in all."""
    covariance: CovarianceField = "empirical"
    rank: RankField = 32
    sampler: Literal["exact", "rejection"] = Field(default="exact", title="Sampler")
    """exact: draws the distance to the mean from its own distribution; rejection: as in the paper,
    slow if few proposals are accepted."""
    draw_budget: int = Field(default=1_000_000, ge=1, le=1_000_000_000, title="Draw budget")
    """How many proposals the rejection sampler may draw before it gives up."""


class Exclusion(Prior[ExclusionSpec]):
    """Proposals from N(mean, s·covariance), accepted with probability max(0, 1 − PDF/PDF_wide).

    Source: 3.3 and 4.3 of the paper, both of its texts. Deviation: drawn exactly by default; `dim`
    is the rank of the fit, or the number of chosen components.
    """

    spec_class = ExclusionSpec
    fit_: GaussianFit
    law_: RadialLaw

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Fit on points (n, d), or on the exact moments of their whole cloud where the estimate allows it.

        Raises:
            BadRequest: see `fit_gaussian`; more components than the fit has; a c at which nothing
                is accepted.
        """
        spec = self.spec
        self.fit_ = fit_gaussian(points, moments, spec.covariance, spec.rank)
        self.d_model_ = points.shape[1]
        dim = spec.components or self.fit_.dim
        if dim > self.fit_.dim:
            raise BadRequest(
                f"components {dim} is above the {self.fit_.dim} principal components that this fit has; choose at "
                f"most {self.fit_.dim}."
            )
        self.law_ = RadialLaw(dim, log_scale(spec.c, dim, spec.reading))
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
            Failed: the rejection sampler used up its budget.
        """
        excluded = self._exact(n, rng) if self.spec.sampler == "exact" else self._by_rejection(n, rng)
        rest = rng.standard_normal((n, self.fit_.dim - self.law_.dim))
        return self.fit_.colour(np.concatenate([excluded, rest], axis=1))

    def log_prob(self, x: Any) -> Any:
        """Return the normalised log density (n,) of rows (n, d); −inf in the excluded region.

        For a singular fit it is the density on the fit's range, and −inf off it.
        """
        return self._log_prob(x, self.law_.log_accept)

    def extended_log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d), in the excluded region gone on linearly in m².

        Deviation: −∞ there pulls nowhere; the line pushes a vector out.
        """
        return self._log_prob(x, self.law_.extended_log_accept)

    def radii(self, x: Floats) -> Radii:
        """Return Mahalanobis distances of rows (n, d) in the dimensions that follow the exclusion, with their law."""
        values = np.linalg.norm(self.fit_.whiten(x)[:, : self.law_.dim], axis=1)
        curves = self.radial_density()
        law = f"exclusion's law, {self.law_.dim} dimensions"
        return Radii(values, curves.radius, curves.exclusion, law, curves.excluded_radius)

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean, which exclusion leaves in its place, and the total variance."""
        law, variances = self.law_, self.fit_.variances
        stretch = law.mean_square() / law.dim
        return self.fit_.mean, float(stretch * variances[: law.dim].sum() + variances[law.dim :].sum())

    def radial_density(self, n_points: int = 512) -> RadialDensity:
        """Return the curves over the Mahalanobis distance for this fit's dimension."""
        return radial_density(self.law_.dim, self.spec.c, self.spec.reading, n_points)

    def report(self) -> JsonObject:
        """Return acceptance, excluded radius, s, radii against the plain Gaussian's, and the fit's own facts."""
        law = self.law_
        levels = np.array([0.05, 0.5, 0.95])
        ours, plain = law.quantile(levels), chi_quantile(levels, law.dim)
        return {
            "acceptance": law.acceptance,
            "excluded_radius": law.excluded_radius,
            "excluded_region": "inside" if law.keeps_outside else "outside",
            "effective_dim": law.dim,
            "c": self.spec.c,
            "s": float(np.exp(law.log_scale)),
            "formula": self.spec.reading,
            "sampler": self.spec.sampler,
            "radius_quantiles": {
                f"{level:.0%}": {"exclusion": float(a), "gaussian": float(b)}
                for level, a, b in zip(levels, ours, plain, strict=True)
            },
            "pushed_out_percent": float(100 * (ours[1] / plain[1] - 1)),
            "in_words": self._in_words(ours[1], plain[1]),
            **self.fit_.facts,
        }

    def _log_prob(self, x: Any, log_accept: Callable[[Any], Any]) -> Any:
        law, white = self.law_, self.fit_.whiten(x)
        squared = namespace(x).square(white[:, : law.dim]).sum(axis=1)
        density = self.fit_.log_prob(white) + law.widened(squared) + log_accept(squared) - math.log(law.acceptance)
        return self.fit_.on_range(x, density)

    def _in_words(self, ours: float, plain: float) -> str:
        law, push = self.law_, 100 * (ours / plain - 1)
        if not law.keeps_outside:
            return (
                f"s = {np.exp(law.log_scale):.3g} is below 1, so the formula keeps the middle and excludes what lies "
                f"beyond radius {law.excluded_radius:.3g}: the opposite of what exclusion is for. Choose c above "
                f"{critical_c(law.dim):.4g}."
            )
        if law.dim <= 3:
            return (
                f"Nothing is drawn within Mahalanobis radius {law.excluded_radius:.3g}: a picture of these {law.dim} "
                "dimensions shows the hole."
            )
        return (
            f"In {law.dim} dimensions the fitted Gaussian is itself a thin shell of radius {plain:.3g}; exclusion "
            f"pushes that shell out by {push:.2g} %, to {ours:.3g}. In a picture of two or three of the dimensions "
            "the hole is invisible."
        )

    def _exact(self, n: int, rng: np.random.Generator) -> Float64s:
        """Return coordinates (n, dim): a uniform direction times a radius of the law."""
        direction = rng.standard_normal((n, self.law_.dim))
        radius = self.law_.sample(n, rng) / np.linalg.norm(direction, axis=1)
        return direction * radius[:, None]

    def _by_rejection(self, n: int, rng: np.random.Generator) -> Float64s:
        """Return coordinates (n, dim) as the paper draws them."""
        law = self.law_

        def propose(n_batch: int) -> Float64s:
            proposal = rng.standard_normal((n_batch, law.dim)) * np.exp(law.log_scale / 2)
            log_accept = law.log_accept(np.square(proposal).sum(axis=1))
            return proposal[-rng.standard_exponential(n_batch) < log_accept]

        remedy = "use the sampler 'exact'"
        return draw_accepted(n, law.dim, propose, law.acceptance, self.spec.draw_budget, "draw_budget", remedy)
