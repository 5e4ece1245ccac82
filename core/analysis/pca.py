"""Principal components, fitted once and frozen, and what a map of them hides."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from core.array_types import Float32s, Float64s, Floats, Indices, Int64s
from core.errors import BadRequest

KEPT_COMPONENTS = 50
"""Number of components that are kept: for the bars of explained variance, and as the input of
t-SNE."""
CHUNK = 8192
"""Rows that are read at a time."""


@dataclass(frozen=True)
class Pca:
    """Frozen principal components.

    Attributes:
        mean: (d,) float64 of the fitted points.
        components: (k, d) float64, orthonormal rows, strongest first; the largest entry of each row
            is positive.
        variance: (k,) float64 along each component, with divisor n - 1.
        total_variance: trace of the covariance.
    """

    mean: Float64s
    components: Float64s
    variance: Float64s
    total_variance: float

    @property
    def explained(self) -> Float64s:
        """Return the share of the total variance along each component, (k,)."""
        return self.variance / self.total_variance if self.total_variance > 0 else np.zeros_like(self.variance)

    def transform(self, points: Floats, n_components: int | None = None) -> Float32s:
        """Return the coordinates (n, n_components) float32 of points (n, d).

        Raises:
            BadRequest: points with another width than the map.
        """
        check_width(points, len(self.mean))
        basis = self.components[:n_components].astype(np.float32)
        scores = [(chunk - self.mean).astype(np.float32) @ basis.T for chunk in _chunks(points)] or [
            np.zeros((0, len(basis)), np.float32)
        ]
        return np.concatenate(scores)


@dataclass(frozen=True)
class OffPlane:
    """What a map of the first components hides of each point.

    Attributes:
        distance: (n,) Euclidean distance from the plane.
        share: (n,) share of the squared distance from the mean that lies off the plane, 0 to 1.
        t_squared: (n,) Hotelling's T² in the plane: squared distance from the mean in standard
            deviations.
    """

    distance: Float32s
    share: Float32s
    t_squared: Float32s


def fit_pca(points: Floats, n_components: int = KEPT_COMPONENTS) -> Pca:
    """Fit principal components on a reference cloud.

    Args:
        points: (n, d), read in chunks, so that a memory-mapped array is never in memory as a whole.
        n_components: most components to keep; never more than min(n - 1, d).

    Raises:
        BadRequest: fewer than three points, or values that are not finite.
    """
    n, d = points.shape
    if n < 3:
        raise BadRequest(f"A map of {n} points cannot be fitted; give at least 3.")
    mean = np.zeros(d)
    for chunk in _chunks(points):
        mean += np.asarray(chunk, np.float64).sum(axis=0)
    mean /= n
    if not np.isfinite(mean).all():
        raise BadRequest(f"Some of the {n} reference points are not finite; leave them out.")
    covariance = np.zeros((d, d))
    for chunk in _chunks(points):
        centred = chunk - mean
        covariance += centred.T @ centred
    covariance /= n - 1
    kept = min(n_components, n - 1, d)
    variance, vectors = scipy.linalg.eigh(covariance, subset_by_index=(d - kept, d - 1))
    components = vectors.T[::-1]
    largest = np.abs(components).argmax(axis=1)
    components = components * np.sign(components[np.arange(kept), largest])[:, None]
    return Pca(mean, components, np.clip(variance[::-1], 0, None), float(np.trace(covariance)))


def off_plane(pca: Pca, points: Floats, n_components: int = 2) -> OffPlane:
    """Measure what the first components hide of each point (n, d).

    An isotropic sample in d dimensions shows n_components / d of its energy, so a distant cloud can
    look near.
    """
    scores = pca.transform(points, n_components).astype(np.float64)
    energy = np.concatenate([((chunk - pca.mean) ** 2).sum(axis=1) for chunk in _chunks(points)] or [np.zeros(0)])
    inside = (scores**2).sum(axis=1)
    residual = np.clip(energy - inside, 0, None)
    share = np.divide(residual, energy, out=np.zeros_like(residual), where=energy > 0)
    variance = pca.variance[:n_components]
    t_squared = (scores**2 / np.where(variance > 0, variance, np.inf)).sum(axis=1)
    return OffPlane(np.sqrt(residual).astype(np.float32), share.astype(np.float32), t_squared.astype(np.float32))


@dataclass(frozen=True)
class Loadings:
    """The dimensions with the largest weights in a component.

    Attributes:
        dimension: (n,) of d_model, largest weight first.
        weight: (n,) entry of the unit vector, with its sign.
        share: of the squared length in these dimensions together; n / d if all weights were equal.
    """

    dimension: Int64s
    weight: Float64s
    share: float


def loadings(pca: Pca, component: int, n: int = 12) -> Loadings:
    """Return the n dimensions with the largest weights in a component (counted from 0).

    Raises:
        BadRequest: a component that was not kept.
    """
    if not 0 <= component < len(pca.components):
        raise BadRequest(
            f"Component {component + 1} was not kept; the map has 1 to {len(pca.components)}. Choose one of those."
        )
    row = np.asarray(pca.components[component], np.float64)
    heaviest = np.argsort(-np.abs(row), kind="stable")[:n]
    return Loadings(heaviest.astype(np.int64), row[heaviest], float((row[heaviest] ** 2).sum()))


def ends(scores: Floats, names: Sequence[str], n: int = 8) -> tuple[list[str], list[str]]:
    """Return the names at the low and at the high end of scores (m,), most extreme first, each once."""
    order = np.argsort(scores, kind="stable")
    return _first_names(names, order, n), _first_names(names, order[::-1], n)


def _first_names(names: Sequence[str], order: Indices, n: int) -> list[str]:
    found: dict[str, None] = {}
    for i in order:
        found.setdefault(str(names[i]))
        if len(found) == n:
            break
    return list(found)


def check_width(points: Floats, d_model: int) -> None:
    """Check that points can be overlaid on a map.

    Raises:
        BadRequest: points with another width than the map.
    """
    if points.ndim != 2 or points.shape[1] != d_model:
        raise BadRequest(
            f"Points of shape {points.shape} do not fit a map of width {d_model}; "
            "choose a cloud of the model that the map was fitted on."
        )


def _chunks(points: Floats) -> list[Floats]:
    return [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
