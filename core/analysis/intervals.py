"""How certain a number is: bootstrap intervals, and p from draws of a null."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

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


def bootstrap(values: Floats, rng: np.random.Generator, n_bootstrap: int = N_BOOTSTRAP) -> Interval:
    """Return the mean of exchangeable values (n,) with its percentile bootstrap interval."""
    values = np.asarray(values, np.float64)
    estimate = float(values.mean())
    if len(values) < 2:
        return Interval(estimate, np.nan, np.nan)
    step = max(1, _BLOCK_VALUES // len(values))
    drawn = [
        values[rng.integers(len(values), size=(min(step, n_bootstrap - start), len(values)))].mean(axis=1)
        for start in range(0, n_bootstrap, step)
    ]
    low, high = np.quantile(np.concatenate(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))


def t_quantile(freedom: float, level: float = LEVEL) -> float:
    """Return the bound of Student's t that a central interval of a level reaches."""
    # `scipy.stats` gives the same number, but takes half a second to import.
    return float(stdtrit(freedom, (1 + level) / 2))


def spread(draws: Floats) -> Interval:
    """Return median and central range of draws (n,), such as those of a null."""
    low, middle, high = np.quantile(np.asarray(draws, np.float64), [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Interval(float(middle), float(low), float(high))


def permutation_p(observed: float, null: Floats) -> float:
    """Return the share of null draws at least as large as the observation, which counts as one of them."""
    # Sums in a different order differ in the last digits; such values count as ties.
    tie = 1e-9 * max(abs(observed), float(np.abs(null).max(initial=0)))
    return float((1 + (null >= observed - tie).sum()) / (1 + len(null)))
