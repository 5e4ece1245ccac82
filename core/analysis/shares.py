"""Shares of documents: intervals that are honest where every document counts the same way."""

import numpy as np
from scipy.special import ndtri

from core.analysis.intervals import LEVEL, Interval


def share_interval(found: Interval, n: int, level: float = LEVEL) -> Interval:
    """Widen the interval of a share of n documents to Wilson's at least.

    Resampling documents that are all recognised gives an interval of width 0, however few they are.

    Source: Wilson, 1927.

    Args:
        found: share and interval from resamples.
        n: number of documents.
        level: of the interval.
    """
    low, high = wilson(found.value, n, level)
    return Interval(found.value, min(found.low, low), max(found.high, high))


def wilson(share: float, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval of a share of n."""
    z2 = float(ndtri((1 + level) / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = float(np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))) / (1 + z2 / n)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def documents_needed(share: float, level: float = LEVEL) -> int:
    """Return how many documents, all of them recognised, put Wilson's interval above a share."""
    z2 = float(ndtri((1 + level) / 2)) ** 2
    return int(np.ceil(share / (1 - share) * z2))
