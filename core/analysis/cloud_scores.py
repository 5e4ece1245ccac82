"""How typical vectors are of a cloud, compared with the cloud's own held-out points."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.distances import kth_distance
from core.analysis.pca import Pca, fit_pca, off_plane
from core.array_types import Float32s, Float64s, Floats, Ints
from core.errors import BadRequest

if TYPE_CHECKING:
    from sklearn.covariance import LedoitWolf

INSIDE = 0.95
NEIGHBOUR = 5
"""The neighbour whose distance decides on support."""
N_DRAWN = 2
"""Principal components of the plane that the off-plane share refers to."""
MIN_POINTS = 10


@dataclass(frozen=True)
class Scores:
    """A score of vectors and of the cloud's held-out points; larger is farther out.

    Attributes:
        values: (n,) of the vectors.
        percentile: (n,) percentage of held-out points with a smaller score.
        inside_95: share of the vectors up to the 95 % quantile of the held-out points.
        held_out: (m,) of the held-out points, sorted.
    """

    values: Float64s
    percentile: Float64s
    inside_95: float
    held_out: Float64s


@dataclass(frozen=True)
class CloudScores:
    """The scores of vectors in a cloud.

    Attributes:
        mahalanobis: squared Mahalanobis distance under the shrunk fit.
        neighbour: distance to the k-th nearest distinct point of the fitted part.
        off_plane: share of the squared distance from the mean that the first two principal
            components do not show.
    """

    mahalanobis: Scores
    neighbour: Scores
    off_plane: Scores


@dataclass(frozen=True)
class FittedCloud:
    """A cloud in two parts: one to fit, one to compare with.

    Attributes:
        gaussian: fit with Ledoit–Wolf shrinkage.
        distinct: (m, d) distinct points of the fitted part.
        neighbour: k; less than `NEIGHBOUR` in a small cloud.
        plane: principal components of the fitted part.
        held_out: (h, d) the other part.
        n_fitted: number of points in the first part.
    """

    gaussian: "LedoitWolf"
    distinct: Float32s
    neighbour: int
    plane: Pca
    held_out: Float64s
    n_fitted: int

    def score(self, points: Floats) -> CloudScores:
        """Score vectors (n, d)."""
        own = self._scores(np.asarray(points, np.float64))
        return CloudScores(*(_compare(values, held) for values, held in zip(own, self._held_out_scores, strict=True)))

    @cached_property
    def _held_out_scores(self) -> tuple[Float64s, ...]:
        """Return the scores of the held-out points, each sorted, which are the same for all vectors."""
        return tuple(np.sort(values) for values in self._scores(self.held_out))

    def _scores(self, points: Float64s) -> tuple[Float64s, ...]:
        near = kth_distance(points, self.distinct, self.neighbour).astype(np.float64)
        hidden = off_plane(self.plane, points, N_DRAWN).share.astype(np.float64)
        return self.gaussian.mahalanobis(points), near, hidden


def fit_cloud(cloud: Floats, rng: np.random.Generator, documents: Ints | None = None) -> FittedCloud:
    """Fit four fifths of a cloud (m, d) and hold out the rest.

    In-sample distances average about d whatever the shape, so a fifth of the cloud is held out, by
    document if documents (m,) are known. The fit uses Ledoit–Wolf shrinkage.

    Raises:
        BadRequest: a cloud of fewer than ten points.
    """
    if len(cloud) < MIN_POINTS:
        raise BadRequest(
            f"A cloud of {len(cloud)} points is too small to compare vectors with; give at least {MIN_POINTS}."
        )
    from sklearn.covariance import LedoitWolf

    units = np.arange(len(cloud)) if documents is None else np.asarray(documents)
    names = np.unique(units)
    held = np.isin(units, rng.choice(names, size=max(1, len(names) // 5), replace=False))
    if held.all():
        held = np.arange(len(cloud)) % 5 == 0  # one document only: nothing to hold out but its own tokens
    fitted = np.asarray(cloud[~held], np.float64)
    distinct = np.unique(fitted.astype(np.float32), axis=0)
    return FittedCloud(
        gaussian=LedoitWolf().fit(fitted),
        distinct=distinct,
        neighbour=min(NEIGHBOUR, len(distinct)),
        plane=fit_pca(fitted, N_DRAWN),
        held_out=np.asarray(cloud[held], np.float64),
        n_fitted=len(fitted),
    )


def _compare(values: Float64s, held_out: Float64s) -> Scores:
    percentile = 100 * np.searchsorted(held_out, values) / len(held_out)
    inside = float((values <= np.quantile(held_out, INSIDE)).mean())
    return Scores(values, percentile, inside, held_out)
