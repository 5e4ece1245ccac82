"""What a number of units can decide, known before the units are measured.

The spread of units is read off an interval at hand: its half width over the quantile of Student's
t is the standard error, times the root of the number of units the standard deviation.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import gammaln, ndtr

from core.analysis.intervals import LEVEL, t_quantile
from core.analysis.verdict import UNDECIDED, Bounds, Stated, decide

POWER = 0.8
"""Share of studies that must reach a decision."""
MOST_UNITS = 100_000
"""A larger number of units is not an answer."""
_FAR = 7.0
"""Chi lies within that of the root of its degrees of freedom, but for a share of 10⁻¹⁰."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def power_beyond(distance: float, error: float, freedom: float, level: float = LEVEL) -> float:
    """Return in which share of studies an interval lies on the true value's side of a bound.

    Args:
        distance: of the true value from the bound.
        error: standard error of the estimate.
        freedom: degrees of freedom of Student's t; infinity for a normal distribution.
        level: of the interval.
    """
    quantile = t_quantile(freedom, level)
    if math.isinf(freedom):
        return float(ndtr(distance / error - quantile))
    from scipy.stats import nct  # takes half a second to import

    return float(nct.sf(quantile, freedom, distance / error))


def power_of_equivalence(margin: float, error: float, freedom: float, level: float) -> float:
    """Return in which share of studies an interval lies within ± a margin if the difference is 0.

    Source: Owen, 1965, for two one-sided tests; here integrated over the law of the estimated
        standard error.

    Args:
        margin: largest difference that counts as none.
        error: standard error of the estimate.
        freedom: degrees of freedom of Student's t; infinity for a normal distribution.
        level: of the interval: 0.9 for two one-sided tests at 0.05.
    """
    quantile = t_quantile(freedom, level)
    if math.isinf(freedom):
        return max(0.0, 2 * float(ndtr(margin / error - quantile)) - 1)
    # The estimated error is the true one times chi over the root of its degrees of freedom.
    most, root = margin / (quantile * error) * math.sqrt(freedom), math.sqrt(freedom)
    low, high = max(0.0, root - _FAR), min(most, root + _FAR)
    if high <= low:
        return 0.0
    scales = low + (high - low) * (_NODES + 1) / 2
    room = margin / error - quantile * scales / root
    density = (freedom - 1) * np.log(scales) - scales**2 / 2 - (freedom / 2 - 1) * math.log(2) - gammaln(freedom / 2)
    inside = (2 * ndtr(room) - 1) * np.exp(density)
    return float((high - low) / 2 * (_WEIGHTS * inside).sum())


def decided_from(found: Stated, level: float = LEVEL, power: float = POWER) -> float:
    """Return how far from its bound the true value must lie to be decided with this power.

    Between two bounds that is the distance of a value outside from the nearer of them.

    Args:
        found: an interval at hand, with as many units as the study will have.
        level: of the interval.
        power: share of studies that come to a decision.

    Returns:
        a distance in the number's own unit; NaN where the interval is unknown.
    """
    return _decided_from(_standard_error(found, level), found.freedom, level, power)


def decided_with(spread: float, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """Return the same distance for a study to come, from the spread of units of another.

    Args:
        spread: standard deviation of a unit; see `spread_of`.
        n: units that the study will have.
        level: of the interval.
        power: share of studies that come to a decision.

    Returns:
        a distance; NaN with fewer than two units.
    """
    return _decided_from(spread / math.sqrt(n), n - 1, level, power) if n > 1 else math.nan


def spread_of(found: Stated, n: int, level: float = LEVEL) -> float:
    """Return the standard deviation of one of n units, read off the interval of their mean."""
    return _standard_error(found, level) * math.sqrt(n)


def _decided_from(error: float, freedom: float, level: float, power: float) -> float:
    from scipy.optimize import brentq

    if not error > 0:
        return error
    farthest = 10.0 * (t_quantile(freedom, level) + 5)
    far: Any = brentq(lambda far: power_beyond(far * error, error, freedom, level) - power, 0, farthest)
    return error * float(far)


def units_needed(found: Stated, n: int, level: float = LEVEL, power: float = POWER) -> int | None:
    """Return with how many units a number would be decided with this power.

    The true value is taken to be the one found; between two bounds (equivalence), and if it was
    found between them, to be their middle.

    Args:
        found: an interval at hand.
        n: units behind it.
        level: of the interval.
        power: share of studies that come to a decision.

    Returns:
        at least 2; None where the spread is unknown or no number up to `MOST_UNITS` is enough.
    """
    error = _standard_error(found, level)
    if n < 2 or math.isnan(error):
        return None
    if error == 0:
        return n if decide(found.interval, found.bounds) != UNDECIDED else None
    spread = error * math.sqrt(n)
    per_unit = found.freedom / (n - 1)

    def freedom(units: int) -> float:
        return max(1.0, per_unit * (units - 1))

    if _both(found.bounds) and _holds_there(found):
        margin = (found.bounds.high - found.bounds.low) / 2
        return _fewest(
            lambda units: power_of_equivalence(margin, spread / math.sqrt(units), freedom(units), level), power
        )
    distance = min(
        abs(found.interval.value - bound) for bound in (found.bounds.low, found.bounds.high) if math.isfinite(bound)
    )
    if distance == 0:
        return None
    return _fewest(lambda units: power_beyond(distance, spread / math.sqrt(units), freedom(units), level), power)


def _standard_error(found: Stated, level: float) -> float:
    half = max(found.interval.high - found.interval.value, found.interval.value - found.interval.low)
    return half / t_quantile(found.freedom, level) if math.isfinite(half) else math.nan


def _both(bounds: Bounds) -> bool:
    return math.isfinite(bounds.low) and math.isfinite(bounds.high)


def _holds_there(found: Stated) -> bool:
    return found.bounds.low <= found.interval.value <= found.bounds.high


def _fewest(power_of: Callable[[int], float], power: float) -> int | None:
    """Return the fewest units, at least 2, whose power is enough; power rises with their number."""
    if power_of(MOST_UNITS) < power:
        return None
    low, high = 1, 2
    while power_of(high) < power:
        low, high = high, min(2 * high, MOST_UNITS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= power else (middle, high)
    return high
