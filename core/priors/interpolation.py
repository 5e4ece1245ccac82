"""Between two clouds: a point of one mixed with a point of the other."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field
from scipy.special import betaincinv

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.base import Prior, check_further, scale_facts
from core.priors.covariance import CovarianceField, GaussianFit, RankField, as_float32, fit_gaussian, gaussian_of
from core.specs.base import JsonObject
from core.specs.dataset import DatasetSpec
from core.specs.prior import Further, PriorSpec, Scale, SecondCloud, VocabularyRows

VOCABULARY = "vocabulary"


def second_cloud(value: Any) -> Any:
    """Return 'vocabulary' or a data set as canonical JSON, from its name, JSON, a mapping or a `DatasetSpec`.

    Raises:
        ValueError: not a data set.
    """
    if value is None or (isinstance(value, str) and value.strip() in ("", VOCABULARY)):
        return VOCABULARY
    try:
        if isinstance(value, DatasetSpec):
            spec = value
        elif isinstance(value, str) and not value.strip().startswith("{"):
            spec = DatasetSpec.parse({"name": value.strip()})
        else:
            spec = DatasetSpec.parse(value)
    except BadRequest as error:
        raise ValueError(f"neither 'vocabulary' nor a data set ({error}); name one, or give one as JSON") from None
    return spec.canonical_json()


class InterpolationSpec(PriorSpec, frozen=True):
    """Mixtures αx + (1 − α)y of points of two fitted Gaussians."""

    title = "Interpolation"
    summary = "Between the reference cloud and a second one: αx + (1 − α)y, both from fitted Gaussians."
    needs_reference = True
    differentiable = ("alpha", "fixed")
    sliders: ClassVar = {"fixed_alpha": Scale(0, 1, even=True), "beta_a": Scale(0.1, 20), "beta_b": Scale(0.1, 20)}

    kind: Literal["interpolation"] = "interpolation"
    second: Annotated[str, BeforeValidator(second_cloud)] = Field(default=VOCABULARY, title="Second cloud")
    """'vocabulary', the name of a data set, or a data set as JSON; read at the reference's site."""
    path: Literal["linear", "spherical"] = Field(default="linear", title="Path")
    """linear: shrinks into the shell; between two equal clouds, a mixture keeps two thirds of the
    trace. spherical: sin(απ/2)·x + cos(απ/2)·y about the means, which keeps all of it."""
    alpha: Literal["uniform", "fixed", "beta"] = Field(default="uniform", title="α")
    """Share of the reference cloud, drawn for each vector: uniform on 0 to 1 (the paper), a fixed
    value, or from a Beta distribution."""
    fixed_alpha: float = Field(default=0.5, ge=0, le=1, title="Fixed α")
    """With 'fixed'; 1 is the reference cloud."""
    beta_a: float = Field(default=2.0, ge=0.05, le=1e3, title="Beta a")
    """With 'beta'; larger values pull α towards 1."""
    beta_b: float = Field(default=2.0, ge=0.05, le=1e3, title="Beta b")
    """With 'beta'; larger values pull α towards 0."""
    covariance: CovarianceField = "empirical"
    rank: RankField = 32

    def further(self) -> tuple[Further, ...]:
        """Return the second cloud."""
        return (VocabularyRows() if self.second == VOCABULARY else SecondCloud(DatasetSpec.parse(self.second)),)


class Interpolation(Prior[InterpolationSpec]):
    """e = αx + (1 − α)y with x and y from Gaussians fitted on two clouds.

    Source: 3.3 and 4.5 of the paper. Deviation: α can be fixed or Beta-distributed; the spherical
    path, for which the means are mixed as on the linear one, x and y are independent, and in many
    dimensions orthogonal, so that it is the great circle between them.
    """

    spec_class = InterpolationSpec
    fit_: GaussianFit
    second_: GaussianFit
    closed_: GaussianFit | None
    names_: tuple[str, str]

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Fit one Gaussian on points (n, d) and one on `further[0]`.

        Raises:
            BadRequest: see `fit_gaussian`; no second cloud, or one of another width.
        """
        spec = self.spec
        (second,) = check_further(spec, further, points.shape[1])
        self.fit_ = fit_gaussian(points, moments, spec.covariance, spec.rank)
        self.second_ = fit_gaussian(second.points, second.moments, spec.covariance, spec.rank)
        self.closed_ = None
        self.names_ = ("reference", second.name or "second")
        self.d_model_ = points.shape[1]
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
        """
        alpha = self.alphas(rng.random(n))
        first, second = self._weights(alpha)
        deviations = [
            weight[:, None] * fit.deviate(rng.standard_normal((n, fit.dim)))
            for weight, fit in ((first, self.fit_), (second, self.second_))
        ]
        return as_float32(self._mean(alpha) + deviations[0] + deviations[1])

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d) where α is fixed; there is no closed form where it is drawn."""
        fit = self.closed_form()
        return fit.density(x) if fit else None

    @property
    def rank(self) -> int:
        """Return the rank of the closed form, where there is one."""
        fit = self.closed_form()
        return fit.dim if fit else self.d_model_

    def closed_form(self) -> GaussianFit | None:
        """Return the Gaussian that the mixtures follow where α is fixed; worked out once a fit."""
        if self.closed_ or self.spec.alpha != "fixed":
            return self.closed_
        alpha = np.array([self.spec.fixed_alpha])
        (first,), (second,) = self._weights(alpha)
        covariance = first**2 * self.fit_.covariance() + second**2 * self.second_.covariance()
        self.closed_ = gaussian_of(self._mean(alpha)[0], covariance)
        return self.closed_

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the total variance, which has a closed form in the moments of α."""
        trace = self._trace()
        return self._mean(np.array([self._levels().mean()]))[0], sum(trace.values())

    def report(self) -> JsonObject:
        """Return how the scale of the mixtures compares with that of the two clouds."""
        levels, parts = self._levels(), self._trace()
        traces = [float(fit.variances.sum()) for fit in (self.fit_, self.second_)]
        mixed = float(levels.mean() * traces[0] + (1 - levels.mean()) * traces[1])
        mean, total = self.spread(1)
        return {
            "between": list(self.names_),
            "path": self.spec.path,
            "alpha": self.spec.alpha,
            "mean_of_alpha": float(levels.mean()),
            "rank": [self.fit_.dim, self.second_.dim],
            "d_model": self.d_model_,
            **scale_facts(mean, total),
            "total_variance_around_the_path": parts["around"],
            "total_variance_along_the_path": parts["along"],
            "total_variance_of_the_clouds": traces,
            "share_of_trace": parts["around"] / mixed,
            "distance_of_the_means": float(np.linalg.norm(self.fit_.mean - self.second_.mean)),
            "in_words": f"A vector's mean squared distance from the line of means is {parts['around'] / mixed:.0%} of "
            "the clouds' own: linear mixtures of uniform α keep two thirds, spherical ones all.",
        }

    def alphas(self, probability: Float64s) -> Float64s:
        """Return quantiles of α."""
        spec = self.spec
        if spec.alpha == "fixed":
            return np.full(probability.shape, spec.fixed_alpha)
        return probability if spec.alpha == "uniform" else betaincinv(spec.beta_a, spec.beta_b, probability)

    def _levels(self) -> Float64s:
        """Return evenly likely values of α: their averages are expectations."""
        return self.alphas((np.arange(4096) + 0.5) / 4096)

    def _weights(self, alpha: Float64s) -> tuple[Float64s, Float64s]:
        """Return what the deviations of the two clouds are multiplied by."""
        if self.spec.path == "linear":
            return alpha, 1 - alpha
        return np.sin(alpha * np.pi / 2), np.cos(alpha * np.pi / 2)

    def _mean(self, alpha: Float64s) -> Float64s:
        return alpha[:, None] * self.fit_.mean + (1 - alpha)[:, None] * self.second_.mean

    def _trace(self) -> dict[str, float]:
        """Return E‖e − mean‖² in two parts: around the line between the means, and along it."""
        levels = self._levels()
        first, second = (np.square(weight).mean() for weight in self._weights(levels))
        apart = np.square(self.fit_.mean - self.second_.mean).sum()
        return {
            "around": float(first * self.fit_.variances.sum() + second * self.second_.variances.sum()),
            "along": float(levels.var() * apart),
        }
