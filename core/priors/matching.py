"""A prior scaled until its samples have the total variance that was asked for."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.base import Prior, check_points, prior_class
from core.priors.covariance import as_float32
from core.priors.radial import Radii
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec


def build_prior(spec: PriorSpec) -> Prior[Any]:
    """Return the unfitted prior that a spec describes."""
    prior = prior_class(spec)(spec)
    return prior if spec.match_trace == "none" else Matched(prior)


class Matched(Prior[PriorSpec]):
    """Any prior with its samples scaled about its mean.

    Deviation: the paper compares priors of different scale.
    """

    def __init__(self, prior: Prior[Any]) -> None:
        super().__init__(prior.spec)
        self.prior = prior
        self.target_ = 0.0
        self._spreads: dict[int, tuple[Float64s, float]] = {}

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Fit the prior, and take the target from the spec or from the reference cloud.

        Raises:
            BadRequest: as the prior, or a reference cloud that has no spread.
        """
        self.prior.fit(points, moments, further)
        return self.match(points, moments)

    def match(self, points: Floats, moments: Moments | None = None) -> Self:
        """Take the target from the spec or from the reference cloud; the prior itself is fitted.

        Raises:
            BadRequest: a reference cloud that has no spread.
        """
        self.d_model_ = self.prior.d_model_
        self._spreads.clear()
        self.target_ = self.spec.target_trace or _trace(points, moments)
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: as the prior, samples without any spread, or values that do not fit into
                float32.
        """
        mean, factor = self.map_for(n)
        return as_float32(mean + factor * (self.prior.sample(n, rng).astype(np.float64) - mean))

    @property
    def rank(self) -> int:
        """Return the prior's own."""
        return self.prior.rank

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d), on the prior's range where it is singular."""
        return self._scaled(x, self.prior.log_prob)

    def extended_log_prob(self, x: Any) -> Any:
        """Return the prior's own of rows (n, d), scaled."""
        return self._scaled(x, self.prior.extended_log_prob)

    def radii(self, x: Floats) -> Radii | None:
        """Return those of rows (n, d) before they were scaled."""
        mean, factor = self.map_for(len(x))
        return self.prior.radii(mean + (x - mean) / factor)

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the target."""
        return self.map_for(n)[0], self.target_

    def report(self) -> JsonObject:
        """Return the prior's own report, which is that before scaling, and what the scaling does."""
        report = self.prior.report()
        n = report.get("rows", 20)
        mean, factor = self.map_for(n)
        return {
            **report,
            "matched_trace": {
                "to": self.spec.match_trace,
                "total_variance": self.target_,
                "total_variance_before": self.target_ / factor**2,
                "factor": factor,
                "typical_norm": float(np.sqrt(self.target_ + np.square(mean).sum())),
            },
            "matched_note": "All other numbers are those of the prior before it was scaled about its mean.",
        }

    def map_for(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the factor about it that samples drawn n at once are scaled by."""
        if n not in self._spreads:
            self._spreads[n] = self.prior.spread(n)
        mean, trace = self._spreads[n]
        if not trace > 0:
            raise BadRequest(
                f"Samples of the prior {self.spec.kind!r} have a total variance of {trace:g}, which cannot be scaled "
                f"to {self.target_:g}; set match_trace to 'none'."
            )
        return mean, float(np.sqrt(self.target_ / trace))

    def _scaled(self, x: Any, log_prob: Callable[[Any], Any]) -> Any:
        mean, factor = self.map_for(len(x))
        density = log_prob(mean + (x - mean) / factor)
        return None if density is None else density - self.rank * math.log(factor)


def _trace(points: Floats, moments: Moments | None) -> float:
    """Return the total variance of the reference cloud."""
    if moments is not None:
        trace = float(np.trace(moments.covariance))
    else:
        trace = float(check_points(points).astype(np.float64).var(axis=0).sum())
    if not 0 < trace < np.inf:
        raise BadRequest(
            f"The reference cloud has a total variance of {trace:g}, which nothing can be matched to; choose another "
            "reference, or give match_trace 'value' and a target_trace."
        )
    return trace
