"""The seed is the unit of independence of tuning runs: means over a few seeds, and whether two of them are equal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from core.analysis.intervals import LEVEL, Interval, t_quantile
from core.array_types import Float64s
from core.errors import BadRequest

ALPHA = 0.05
"""Of each of the two one-sided tests of equivalence."""


def over_seeds(values: ArrayLike, level: float = LEVEL, least_error: float = 0.0) -> Interval:
    """Return the mean of a number over seeds with Student's t interval; a single seed has no interval.

    Args:
        values: (n_seeds,) one number per seed.
        level: of the interval.
        least_error: smallest credible standard deviation. A share of 20 vectors is known to half a
            vector at best, so three seeds that agree by chance must not give an interval of width
            0.
    """
    found = np.asarray(values, np.float64)
    mean, n = float(found.mean()), len(found)
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    error = max(float(found.std(ddof=1)), least_error) / np.sqrt(n)
    reach = t_quantile(n - 1, level) * error
    return Interval(mean, mean - reach, mean + reach)


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a difference of means.

    Attributes:
        difference: first mean minus second, with its 1 - 2 alpha interval; without bounds if there
            are too few seeds.
        p: the larger p of the two tests; 1 without an interval.
        margin: differences below it count as none.
        n: number of seeds on each side.
    """

    difference: Interval
    p: float
    margin: float
    n: tuple[int, int]


def tost(first: ArrayLike, second: ArrayLike, margin: float, paired: bool, alpha: float = ALPHA) -> Equivalence:
    """Test whether two means differ by less than a margin.

    A difference that is not significant shows nothing: few seeds rarely find one. Equivalence is
    shown if both "above the margin" and "below minus the margin" are rejected, that is, if the 1 -
    2 alpha interval lies inside the margin.

    Source: Schuirmann, 1987; Welch, 1947, for seeds that are not paired.

    Args:
        first: (n,) one number per seed.
        second: (m,) likewise; if paired, for the same seeds in the same order.
        margin: largest difference that counts as none, in the unit of the numbers.
        paired: whether equal positions are the same seed, with the same examples in the same order.
        alpha: error of each of the two tests.

    Raises:
        BadRequest: a margin that is not positive, or paired samples of different sizes.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not margin > 0:
        raise BadRequest(f"An equivalence margin of {margin:g} leaves no room; give one above 0.")
    if paired and len(one) != len(other):
        raise BadRequest(f"{len(one)} and {len(other)} seeds cannot be paired; give as many of each.")
    value = float(one.mean() - other.mean())
    if paired:
        error, freedom = float((one - other).std(ddof=1) / np.sqrt(len(one))) if len(one) > 1 else 0.0, len(one) - 1
    else:
        error, freedom = _welch(one, other)
    n = len(one), len(other)
    if not freedom > 0:
        return Equivalence(Interval(value, np.nan, np.nan), 1.0, margin, n)
    reach = t_quantile(freedom, 1 - 2 * alpha) * error
    if error == 0:
        p = float(abs(value) >= margin)
    else:
        p = float(max(stdtr(freedom, -(value + margin) / error), stdtr(freedom, (value - margin) / error)))
    return Equivalence(Interval(value, value - reach, value + reach), p, margin, n)


def _welch(first: Float64s, second: Float64s) -> tuple[float, float]:
    """Return standard error and Welch's degrees of freedom of a difference of means; 0 degrees for a single seed."""
    if min(len(first), len(second)) < 2:
        return 0.0, 0.0
    parts = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    total = float(parts.sum())
    if total == 0:
        return 0.0, len(first) + len(second) - 2
    return float(np.sqrt(total)), total**2 / float((parts**2 / [len(first) - 1, len(second) - 1]).sum())
