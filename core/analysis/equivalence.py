"""Whether two means are equal up to a margin: two one-sided tests (TOST) over seeds.

A difference that is not significant shows nothing: few seeds rarely find one. Equivalence is shown if both "above the
margin" and "below minus the margin" are rejected, that is, if the 1 - 2 alpha interval lies inside the margin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from core.analysis.intervals import Interval
from core.array_types import Float64s
from core.errors import BadRequest

ALPHA = 0.05


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a difference of means.

    Attributes:
        difference: first mean minus second, with its 1 - 2 alpha interval; without bounds if there are too few seeds.
        p: the larger p of the two tests; 1 without an interval.
        margin: differences below it count as none.
        alpha: of each test.
        n: number of seeds on each side.
        paired: whether the seeds were paired.
    """

    difference: Interval
    p: float
    margin: float
    alpha: float
    n: tuple[int, int]
    paired: bool


def tost(first: ArrayLike, second: ArrayLike, margin: float, paired: bool, alpha: float = ALPHA) -> Equivalence:
    """Test whether two means differ by less than a margin.

    Source: Schuirmann, 1987; Welch, 1947, for seeds that are not paired.

    Args:
        first: (n,) one number per seed.
        second: (m,) likewise; if paired, for the same seeds in the same order.
        margin: largest difference that counts as none, in the unit of the numbers.
        paired: whether equal positions are the same seed, with the same examples in the same order.
        alpha: of each of the two tests.

    Raises:
        BadRequest: a margin that is not positive, or paired samples of different sizes.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not margin > 0:
        raise BadRequest(f"An equivalence margin of {margin:g} leaves no room; give one above 0.")
    if paired and len(one) != len(other):
        raise BadRequest(f"{len(one)} and {len(other)} seeds cannot be paired; give as many of each.")
    value = float(one.mean() - other.mean())
    error, freedom = _paired(one - other) if paired else _welch(one, other)
    found = {"margin": margin, "alpha": alpha, "n": (len(one), len(other)), "paired": paired}
    if not freedom > 0:
        return Equivalence(Interval(value, np.nan, np.nan), 1.0, **found)
    reach = float(t.ppf(1 - alpha, freedom)) * error
    interval = Interval(value, value - reach, value + reach)
    if error == 0:
        return Equivalence(interval, float(abs(value) >= margin), **found)
    p = max(float(t.sf((value + margin) / error, freedom)), float(t.cdf((value - margin) / error, freedom)))
    return Equivalence(interval, p, **found)


def _paired(differences: Float64s) -> tuple[float, float]:
    """Return standard error and degrees of freedom of a mean of differences (n,); 0 degrees for a single one."""
    n = len(differences)
    return (float(differences.std(ddof=1) / np.sqrt(n)), n - 1) if n > 1 else (0.0, 0)


def _welch(first: Float64s, second: Float64s) -> tuple[float, float]:
    """Return standard error and Welch's degrees of freedom of a difference of means; 0 degrees for a single seed."""
    if min(len(first), len(second)) < 2:
        return 0.0, 0.0
    parts = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    total = float(parts.sum())
    if total == 0:
        return 0.0, len(first) + len(second) - 2
    return float(np.sqrt(total)), total**2 / float((parts**2 / [len(first) - 1, len(second) - 1]).sum())
