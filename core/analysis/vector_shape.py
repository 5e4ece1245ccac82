"""The shape of a few vectors: how many directions they use, how far they spread, how far apart they lie."""

from dataclasses import dataclass, fields

import numpy as np

from core.array_types import Float64s, Floats, Indices, Ints

N_SUBSETS = 200
"""Number of random subsets of a cloud."""


@dataclass(frozen=True)
class VectorShape:
    """The shape of a few vectors; NaN where there are too few of them.

    Attributes:
        effective_rank: exp(entropy of the shares of the covariance's eigenvalues), from 1 to n - 1.
        trace: total variance, with divisor n - 1.
        distance_median: of the Euclidean distances of all pairs.
        distance_min: smallest of them.
        distance_max: largest of them.
    """

    effective_rank: float = np.nan
    trace: float = np.nan
    distance_median: float = np.nan
    distance_min: float = np.nan
    distance_max: float = np.nan


QUANTITIES = tuple(field.name for field in fields(VectorShape))


def shape(points: Floats) -> VectorShape:
    """Return the shape of points (n, d).

    Source: effective rank by Roy & Vetterli, 2007.
    Deviation: shares of eigenvalues of the covariance, not of singular values, so that they are
        shares of variance.
    """
    points = np.asarray(points, np.float64)
    n = len(points)
    if n < 2:
        return VectorShape()
    centred = points - points.mean(axis=0)
    gram = centred @ centred.T
    variance = np.clip(np.linalg.eigvalsh(gram), 0, None)
    shares = variance / variance.sum() if variance.sum() > 0 else np.zeros(n)
    shares = shares[shares > 0]
    squares = np.diag(gram)
    squared = squares[:, None] + squares[None] - 2 * gram
    distances = np.sqrt(np.clip(squared[np.triu_indices(n, 1)], 0, None))
    return VectorShape(
        effective_rank=float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else np.nan,
        trace=float(variance.sum() / (n - 1)),
        distance_median=float(np.median(distances)),
        distance_min=float(distances.min()),
        distance_max=float(distances.max()),
    )


def shape_of_subsets(
    cloud: Floats, n: int, rng: np.random.Generator, documents: Ints | None = None
) -> dict[str, Float64s]:
    """Return the shapes of random subsets of a cloud: (N_SUBSETS,) values of each of `QUANTITIES`.

    Args:
        cloud: (m, d).
        n: number of points in a subset; the whole cloud if it has fewer.
        rng: draws the subsets.
        documents: (m,) document of each point; if there are at least n, no two points of a subset
            share one.
    """
    found = [shape(cloud[np.sort(draw_rows(len(cloud), n, rng, documents))]) for _ in range(N_SUBSETS)]
    return {name: np.array([getattr(one, name) for one in found]) for name in QUANTITIES}


def draw_rows(n_rows: int, n: int, rng: np.random.Generator, documents: Ints | None = None) -> Indices:
    """Return up to n rows, each from a different document if there are enough documents."""
    if documents is None:
        return rng.choice(n_rows, size=min(n, n_rows), replace=False)
    order = rng.permutation(n_rows)
    _, first = np.unique(np.asarray(documents)[order], return_index=True)
    if len(first) < n:
        return order[:n]
    return order[rng.choice(first, size=n, replace=False)]
