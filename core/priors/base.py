"""What a prior is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.radial import Radii
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec, prior_type

S = TypeVar("S", bound=PriorSpec)

N_MEASURED = 4096
"""Draws on which the spread of a prior is measured that cannot tell it."""


class Prior(ABC, Generic[S]):
    """A distribution over prompt vectors: `fit`, then `sample`.

    A subclass stands in its own file beside its spec, is tied to it by `spec_class`, and has a line
    in `core.specs.prior.PRIORS`.
    """

    spec_class: ClassVar[type[PriorSpec]]
    fit_: Any = None
    """The Gaussian (`GaussianFit`) of priors that are fitted as one."""

    def __init__(self, spec: S) -> None:
        """Keep the parameters; nothing is computed here."""
        self.spec = spec
        self.d_model_ = 0

    @property
    def rank(self) -> int:
        """Return the dimensions of the range on which `log_prob` is a density: d_model unless a fit is singular."""
        return self.fit_.dim if self.fit_ else self.d_model_

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Learn from a reference cloud; a prior that learns nothing takes the width alone.

        Args:
            points: (n, d) of the reference cloud. A prior that needs no reference reads only d.
            moments: exact moments of the whole cloud that `points` is a sample of, if they are
                known.
            further: what `spec.further()` asks for, in its order (`core.activations.references`
                collects it).

        Raises:
            BadRequest: fewer than two points, values that are not finite, or something of `further`
                is missing.
        """
        self.d_model_ = check_points(points[:0], least=0).shape[1]
        return self

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d) float32, decided by the generator alone."""

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d), or None where the prior has none.

        Args:
            x: a NumPy array, or a tensor where the arrays of this prior are tensors as well, and
                then the density has a gradient (`core.tuning.regularisers.density`);
                `core.priors.arrays` helps to write it once for both.
        """
        return None

    def extended_log_prob(self, x: Any) -> Any:
        """Return `log_prob`; where that is −∞, a prior may go on so that a gradient leads back."""
        return self.log_prob(x)

    def radii(self, x: Floats) -> Radii | None:
        """Return how far samples (n, d) lie from the mean in the prior's own metric, with the law; None without one."""
        return None

    def norm_density(self, norms: Float64s, n: int) -> Float64s | None:
        """Return the density (m,) of the norm of samples drawn n at once, or None where it has no closed form."""
        return None

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the total variance of samples drawn n at once.

        Exact where a prior knows them; otherwise measured on `N_MEASURED` draws, always the same.
        """
        drawn = self.sample(N_MEASURED, np.random.default_rng(0)).astype(np.float64)
        mean = drawn.mean(axis=0)
        return mean, float(np.square(drawn - mean).sum(axis=1).mean())

    def report(self) -> JsonObject:
        """Return what a person must know of this fit, JSON-able, keys in words."""
        return {}


def prior_class(spec: PriorSpec) -> type[Prior[Any]]:
    """Return the prior that belongs to a spec."""
    return prior_type(spec.kind)


def scale_facts(mean: Float64s, total_variance: float) -> dict[str, float]:
    """Return what a report says of place and scale, from the mean (d,) and the total variance."""
    return {
        "total_variance": total_variance,
        "norm_of_mean": float(np.linalg.norm(mean)),
        "typical_norm": float(np.sqrt(total_variance + np.square(mean).sum())),
    }


def check_points(points: Floats, least: int = 2) -> Floats:
    """Return the points if they can be fitted on.

    Raises:
        BadRequest: not (n, d), fewer than `least` rows, or not finite.
    """
    check_shape(points, least)
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points)).any(axis=1).sum())
        raise BadRequest(f"{bad} of {len(points)} reference points are not finite; leave them out.")
    return points


def check_shape(points: Floats, least: int = 2) -> None:
    """Check the shape of points without reading them.

    Raises:
        BadRequest: not (n, d), or fewer than `least` rows.
    """
    if points.ndim != 2 or points.shape[1] < 1:
        raise BadRequest(f"A reference cloud must have shape (n, d) but has {points.shape}; pass one row per point.")
    if len(points) < least:
        raise BadRequest(f"A reference cloud of {len(points)} points is too small; give at least {least}.")


def check_further(spec: PriorSpec, further: Sequence[Reference], d_model: int | None = None) -> Sequence[Reference]:
    """Return the further references if they are those that the spec asks for.

    Raises:
        BadRequest: another number of them, or one of another width than `d_model`.
    """
    wanted = len(spec.further())
    if len(further) != wanted:
        raise BadRequest(
            f"The prior {spec.kind!r} is fitted on {wanted} further clouds but got {len(further)}; pass what "
            "core.activations.references collects."
        )
    for reference in further:
        if d_model is not None and reference.points.shape[1] != d_model:
            raise BadRequest(
                f"{reference.name or 'A further cloud'} has width {reference.points.shape[1]} but the reference cloud "
                f"{d_model}; choose one of the same model."
            )
    return further
