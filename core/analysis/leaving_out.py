"""Intervals of a number that is made of all seeds at once: each seed is left out in turn."""

from collections.abc import Callable, Sequence

import numpy as np

from core.analysis.intervals import LEVEL, Interval
from core.analysis.units import jackknife


def leaving_out_each(
    units: Sequence[int], statistic: Callable[[Sequence[int]], float], level: float = LEVEL
) -> Interval:
    """Return a statistic of all units with its jackknife interval; without one where units are few.

    Args:
        units: independent ones, such as seeds.
        statistic: of some of the units; NaN where they are too few for it.
        level: of the interval.
    """
    value = statistic(units)
    without = np.array([statistic([unit for unit in units if unit != left]) for left in units], np.float64)
    if len(units) < 2 or not np.isfinite([value, *without]).all():
        return Interval(value, np.nan, np.nan)
    return jackknife(value, without, level)
