"""The shape of a few vectors: how many directions they use, how far they spread, how far apart they lie."""

import numpy as np
from numpy.typing import NDArray

N_SUBSETS = 200
"""Subsets of a cloud that its own values are read from."""
QUANTITIES = ("effective_rank", "trace", "distance_median", "distance_min", "distance_max")


def shape(points: NDArray[np.floating]) -> dict[str, float]:
    """Return the values of `QUANTITIES` for points (n, d); NaN where there are too few of them.

    The effective rank is exp(entropy of the shares of the covariance's eigenvalues), from 1 to n - 1. The trace is the
    total variance, divided by n - 1. Distances are Euclidean, over all pairs.

    Source: effective rank by Roy & Vetterli, 2007.
    Deviation: shares of eigenvalues of the covariance, not of singular values, so that they are shares of variance.
    """
    points = np.asarray(points, np.float64)
    n = len(points)
    if n < 2:
        return dict.fromkeys(QUANTITIES, np.nan)
    centred = points - points.mean(axis=0)
    gram = centred @ centred.T
    variance = np.clip(np.linalg.eigvalsh(gram), 0, None)
    shares = variance / variance.sum() if variance.sum() > 0 else np.zeros(n)
    shares = shares[shares > 0]
    squares = np.diag(gram)
    squared = squares[:, None] + squares[None] - 2 * gram
    distances = np.sqrt(np.clip(squared[np.triu_indices(n, 1)], 0, None))
    return {
        "effective_rank": float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else np.nan,
        "trace": float(variance.sum() / (n - 1)),
        "distance_median": float(np.median(distances)),
        "distance_min": float(distances.min()),
        "distance_max": float(distances.max()),
    }


def shape_of_subsets(
    cloud: NDArray[np.floating],
    n: int,
    rng: np.random.Generator,
    documents: NDArray[np.integer] | None = None,
    n_subsets: int = N_SUBSETS,
) -> dict[str, NDArray[np.float64]]:
    """Return what random subsets of a cloud have: the values (n_subsets,) of each of `QUANTITIES`.

    Args:
        cloud: (m, d).
        n: points of a subset; all of the cloud where it has fewer.
        rng: decides the subsets.
        documents: (m,) which document each point comes from; where there are n of them, a subset takes no two points
            from one.
        n_subsets: how many.
    """
    found = [shape(cloud[np.sort(draw_rows(len(cloud), n, rng, documents))]) for _ in range(n_subsets)]
    return {name: np.array([values[name] for values in found]) for name in QUANTITIES}


def draw_rows(
    n_rows: int, n: int, rng: np.random.Generator, documents: NDArray[np.integer] | None = None
) -> NDArray[np.intp]:
    """Return up to n rows, each of another document where there are so many of them."""
    if documents is None:
        return rng.choice(n_rows, size=min(n, n_rows), replace=False)
    order = rng.permutation(n_rows)
    _, first = np.unique(np.asarray(documents)[order], return_index=True)
    if len(first) < n:
        return order[:n]
    return order[rng.choice(first, size=n, replace=False)]
