"""The seed is the unit of independence of tuning runs: means over a few seeds, with Student's t interval."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from core.analysis.intervals import LEVEL, Interval


def over_seeds(values: ArrayLike, level: float = LEVEL, least_error: float = 0.0) -> Interval:
    """Return the mean of a number over seeds with Student's t interval; a single seed has no interval.

    Args:
        values: (n_seeds,) one number per seed.
        level: of the interval.
        least_error: smallest credible standard deviation. A share of 20 vectors is known to half a vector at best, so
            three seeds that agree by chance must not give an interval of width 0.
    """
    found = np.asarray(values, np.float64)
    mean, n = float(found.mean()), len(found)
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    error = max(float(found.std(ddof=1)), least_error) / np.sqrt(n)
    reach = float(t.ppf((1 + level) / 2, n - 1)) * error
    return Interval(mean, mean - reach, mean + reach)
