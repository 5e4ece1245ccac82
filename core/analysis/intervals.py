"""How certain a number is: bootstrap intervals, and p from draws of a null."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.array_types import Floats

LEVEL = 0.95
N_BOOTSTRAP = 2000
_BLOCK_VALUES = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A number with its interval.

    Attributes:
        value: the estimate.
        low: lower bound; NaN if a single value says nothing about its spread.
        high: upper bound; NaN likewise.
    """

    value: float
    low: float
    high: float


def bootstrap(
    values: Floats,
    rng: np.random.Generator,
    statistic: Callable[..., Any] = np.mean,
    n_bootstrap: int = N_BOOTSTRAP,
    level: float = LEVEL,
) -> Interval:
    """Return a statistic of values with its percentile bootstrap interval.

    Args:
        values: (n,) exchangeable units.
        rng: draws the resamples.
        statistic: function of an array and `axis`.
        n_bootstrap: number of resamples.
        level: of the interval.
    """
    values = np.asarray(values, np.float64)
    estimate = float(statistic(values, axis=0))
    if len(values) < 2:
        return Interval(estimate, np.nan, np.nan)
    step = max(1, _BLOCK_VALUES // len(values))
    drawn = np.concatenate(
        [
            statistic(values[rng.integers(len(values), size=(min(step, n_bootstrap - start), len(values)))], axis=1)
            for start in range(0, n_bootstrap, step)
        ]
    )
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate, float(low), float(high))


def spread(draws: Floats, level: float = LEVEL) -> Interval:
    """Return median and central range of draws (n,), such as those of a null."""
    low, middle, high = np.quantile(np.asarray(draws, np.float64), [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Interval(float(middle), float(low), float(high))


def permutation_p(observed: float, null: Floats) -> float:
    """Return the share of null draws at least as large as the observation, which counts as one of them."""
    # Sums in a different order differ in the last digits; such values count as ties.
    tie = 1e-9 * max(abs(observed), float(np.abs(null).max(initial=0)))
    return float((1 + (null >= observed - tie).sum()) / (1 + len(null)))
