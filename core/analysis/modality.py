"""Whether a cloud has one mode along some directions: Hartigan's dip, Holm-corrected.

A dip test that does not reject finds no second mode along the tested directions; it does not show
that there is none.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.analysis.intervals import Interval, permutation_p
from core.analysis.vector_shape import draw_rows
from core.array_types import Float64s, Floats, Ints

N_PRINCIPAL = 5
"""Number of tested principal directions of the cloud."""
N_RANDOM = 10
"""Number of tested random directions."""
N_REDRAWN = 10
"""Number of draws of one token per document."""
N_UNIFORM = 1000
"""Number of uniform samples of the null."""


@dataclass(frozen=True)
class Modality:
    """Dips of a cloud along several directions.

    Attributes:
        dip: (n_directions,) median over the draws of one token per document.
        p: (n_directions,) under a uniform distribution, the unimodal one hardest to distinguish
            from two modes.
        p_holm: (n_directions,) corrected for the number of directions.
        largest: the largest dip, with its range over the draws.
        null: (N_UNIFORM,) the largest dip of `n_directions` independent uniform samples.
        n: points of a sample, one per document.
    """

    dip: Float64s
    p: Float64s
    p_holm: Float64s
    largest: Interval
    null: Float64s
    n: int


def directions(components: Floats, d: int, rng: np.random.Generator) -> Float64s:
    """Return unit rows (k + N_RANDOM, d): the components (k, d) as they are, then random ones."""
    drawn = rng.normal(size=(N_RANDOM, d))
    return np.concatenate([np.asarray(components, np.float64), drawn / np.linalg.norm(drawn, axis=1, keepdims=True)])


def modality(projections: Floats, documents: Ints, uniform: Float64s, rng: np.random.Generator) -> Modality:
    """Test each direction for more than one mode.

    Tokens of one document are not independent, so a test takes one random token per document. It is
    repeated ten times, and p of a direction is twice the median of the ten, which is a p-value
    whatever their dependence.

    Source: Hartigan & Hartigan, 1985; twice the median by Rüger, 1978.

    Args:
        projections: (n, n_directions).
        documents: (n,).
        uniform: (N_UNIFORM,) dips of uniform samples as large as there are documents, see
            `uniform_dips`.
        rng: draws the tokens.
    """
    n = len(np.unique(documents))
    dips = np.empty((N_REDRAWN, projections.shape[1]))
    for draw in dips:
        taken = projections[draw_rows(len(documents), n, rng, documents)]
        draw[:] = [dip(column) for column in taken.T]
    each = np.array([[permutation_p(value, uniform) for value in row] for row in dips])
    p = np.minimum(1, 2 * np.median(each, axis=0))
    largest = dips.max(axis=1)
    null = rng.choice(uniform, size=(len(uniform), projections.shape[1])).max(axis=1)
    found = Interval(float(np.median(largest)), float(largest.min()), float(largest.max()))
    return Modality(np.median(dips, axis=0), p, holm(p), found, null, n)


def uniform_dips(n: int, rng: np.random.Generator, n_draws: int = N_UNIFORM) -> Float64s:
    """Return the dips of uniform samples of n points, (n_draws,)."""
    return np.array([dip(rng.random(n)) for _ in range(n_draws)])


def holm(p: Floats) -> Float64s:
    """Return p-values corrected for their number.

    Source: Holm, 1979.
    """
    order = np.argsort(p)
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * np.asarray(p)[order])
    found = np.empty(len(p))
    found[order] = np.minimum(1, stepped)
    return found


def dip(values: Floats) -> float:
    """Return the largest distance between a sample's distribution function and the nearest unimodal one.

    From 1 / (2n) to 1 / 4. The modal interval is narrowed from both ends: within it, the greatest
    convex minorant and the least concave majorant are compared; outside it, the function with the
    one on the left, the other on the right.

    Source: Hartigan & Hartigan, 1985, section 3.
    """
    x = np.sort(np.asarray(values, np.float64))
    n, low, high = len(x), 0, len(x) - 1
    if n < 2 or x[0] == x[-1]:
        return 1 / (2 * n) if n else 0.0
    points = x.tolist()
    widest = 1.0  # in units of 1 / n
    while True:
        below, above = _hull(points, low, high, 1), _hull(points, low, high, -1)
        gap, left, right = _largest_gap(points, below, above)
        if gap <= widest:
            break
        left_of, right_of = [i for i in below if i <= left], [i for i in above if i >= right]
        widest = max(widest, _excess(x, left_of, 1), _excess(x, right_of, -1))
        if (left, right) == (low, high):
            break
        low, high = left, right
    return widest / (2 * n)


def _hull(x: list[float], low: int, high: int, sign: int) -> list[int]:
    """Return the corners of the points (x_i, i)'s greatest convex minorant (sign 1) or least concave majorant (-1)."""
    corners: list[int] = []
    for i in range(low, high + 1):
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if sign * (b - a) * (x[i] - x[b]) < sign * (i - b) * (x[b] - x[a]):
                break
            corners.pop()
        corners.append(i)
    return corners


def _largest_gap(x: list[float], below: list[int], above: list[int]) -> tuple[float, int, int]:
    """Return the largest vertical gap between majorant and minorant at a corner, and the modal interval there."""
    widest, left, right = 0.0, below[0], above[-1]
    corner = 1
    for i in below:  # corners of the minorant lie below the majorant's chord
        while corner < len(above) - 1 and x[above[corner]] < x[i]:
            corner += 1
        a, b = above[corner - 1], above[corner]
        gap = _chord(x, a, b, i) - i + 1
        if gap > widest:
            widest, left, right = gap, i, b
    corner = 1
    for i in above:  # and those of the majorant above the minorant's
        while corner < len(below) - 1 and x[below[corner]] <= x[i]:
            corner += 1
        a, b = below[corner - 1], below[corner]
        gap = i - _chord(x, a, b, i) + 1
        if gap > widest:
            widest, left, right = gap, a, i
    return widest, left, right


def _chord(x: list[float], a: int, b: int, i: int) -> float:
    span = x[b] - x[a]
    return float(b) if span == 0 else a + (b - a) * (x[i] - x[a]) / span


def _excess(x: Float64s, corners: list[int], sign: int) -> float:
    """Return how far the distribution function rises above (sign 1) or falls below (-1) the chords between corners."""
    widest = 0.0
    for a, b in pairwise(corners):
        if b - a > 1 and x[b] > x[a]:
            inner = np.arange(a, b + 1)
            chord = a + (b - a) * (x[a : b + 1] - x[a]) / (x[b] - x[a])
            widest = max(widest, float((sign * (inner - chord)).max()) + 1)
    return widest
