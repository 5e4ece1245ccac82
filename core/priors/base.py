"""What a prior is."""

from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import BadRequest
from core.moments import Moments
from core.specs.prior import PriorSpec

S = TypeVar("S", bound=PriorSpec)

_PRIORS: dict[type[PriorSpec], type["Prior[Any]"]] = {}


class Prior(Generic[S]):
    """A distribution over prompt vectors: `fit`, then `sample`.

    A subclass stands in its own file beside its spec, and is tied to it by `spec_class`.
    """

    spec_class: ClassVar[type[PriorSpec]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Tie the prior to its spec."""
        super().__init_subclass__(**kwargs)
        _PRIORS[cls.spec_class] = cls

    def __init__(self, spec: S) -> None:
        """Keep the parameters; nothing is computed here."""
        self.spec = spec
        self.d_model_ = 0

    def fit(self, points: NDArray[np.floating], moments: Moments | None = None) -> Self:
        """Learn from a reference cloud.

        Args:
            points: (n, d) of the reference cloud. A prior that needs no reference reads only d.
            moments: exact moments of the whole cloud that `points` is a sample of, if they are known.

        Raises:
            BadRequest: fewer than two points, or values that are not finite.
        """
        raise NotImplementedError

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw n vectors: (n, d) float32, decided by the generator alone."""
        raise NotImplementedError

    def log_prob(self, x: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Return the log density (n,) of rows (n, d), or None where the prior has none."""
        return None

    def report(self) -> dict[str, Any]:
        """Return what a person must know of this fit, JSON-able, keys in words."""
        return {}


def build_prior(spec: PriorSpec) -> Prior[Any]:
    """Return the unfitted prior that a spec describes."""
    return _PRIORS[type(spec)](spec)


def check_points(points: NDArray[np.floating], least: int = 2) -> NDArray[np.floating]:
    """Return the points if they can be fitted on.

    Raises:
        BadRequest: not (n, d), fewer than `least` rows, or not finite.
    """
    if points.ndim != 2 or points.shape[1] < 1:
        raise BadRequest(f"A reference cloud must have shape (n, d) but has {points.shape}; pass one row a point.")
    if len(points) < least:
        raise BadRequest(f"A reference cloud of {len(points)} points is too small; give at least {least}.")
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points)).any(axis=1).sum())
        raise BadRequest(f"{bad} of {len(points)} reference points are not finite; leave them out.")
    return points
