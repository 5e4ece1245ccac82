"""Regions of a map and the tokens that are characteristic of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.array_types import Float64s, Floats, Int64s

N_REGIONS = 12
N_WORDS = 3
MIN_SHARE = 0.01
"""Of the points in a region; smaller ones are outliers and get no label."""
_Z = 1.96
_SEEN = 3
"""Times that a characteristic token occurs in its region, at least."""
_PRIOR = 0.1
"""Weight of all texts together against one region, as a share of their counts."""


@dataclass(frozen=True)
class Region:
    """A region of a map.

    Attributes:
        centre: (2,) medians of its points.
        tokens: characteristic of it, the most characteristic first.
        n_points: in it.
    """

    centre: Float64s
    tokens: tuple[str, ...]
    n_points: int


def regions(coordinates: Floats, tokens: Sequence[str], n_regions: int = N_REGIONS) -> list[Region]:
    """Return regions with characteristic tokens, the largest first.

    Args:
        coordinates: (n, 2) of points on a map, all finite.
        tokens: (n,) text of each.
        n_regions: at most; k-means divides the plane.

    Source: weighted log-odds with an informative Dirichlet prior, Monroe, Colaresi and Quinn, 2008.
    """
    n = len(coordinates)
    if n < 2 * n_regions:
        return []
    from sklearn.cluster import KMeans  # takes a second to import

    part = KMeans(n_regions, random_state=0).fit_predict(np.asarray(coordinates, np.float64))
    codes, words = pd.factorize(np.asarray(tokens, dtype=object).astype(str))
    counts = np.zeros((n_regions, len(words)), np.int64)
    np.add.at(counts, (part, codes), 1)
    z = log_odds(counts)
    found = []
    for k in np.argsort(-np.bincount(part, minlength=n_regions), kind="stable"):
        best = np.argsort(-z[k], kind="stable")[:N_WORDS]
        own = tuple(str(words[i]) for i in best if z[k, i] > _Z and counts[k, i] >= _SEEN)
        mine = part == k
        if own and mine.sum() >= MIN_SHARE * n:
            found.append(Region(np.median(coordinates[mine], axis=0).astype(np.float64), own, int(mine.sum())))
    return found


def log_odds(counts: Int64s) -> Float64s:
    """Return how much more often each token occurs in each region than in the others, in standard errors.

    Args:
        counts: (n_regions, n_tokens).
    """
    prior = _PRIOR * counts.sum(axis=0)
    inside = counts + prior
    outside = counts.sum(axis=0) - counts + prior
    odds = [part / np.maximum(part.sum(axis=1, keepdims=True) - part, 1e-9) for part in (inside, outside)]
    with np.errstate(divide="ignore"):
        return (np.log(odds[0]) - np.log(odds[1])) / np.sqrt(1 / inside + 1 / outside)
