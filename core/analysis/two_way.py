"""Differences between priors from a complete layout of seeds and priors, with one residual variance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.analysis.intervals import Interval, t_quantile
from core.array_types import Float64s


@dataclass(frozen=True)
class TwoWay:
    """Losses of every prior on every seed, as seed plus prior plus residual.

    Attributes:
        means: (n_priors,) over the seeds.
        error: standard error of the difference of two means.
        freedom: degrees of freedom of the residual variance.
        p_equal: of Brown and Forsythe's test that the residuals vary alike in all priors; NaN with
            fewer than three seeds.
    """

    means: Float64s
    error: float
    freedom: int
    p_equal: float

    def difference(self, first: int, second: int, level: float) -> Interval:
        """Return the difference of two priors' means with its interval."""
        value = float(self.means[first] - self.means[second])
        if self.freedom < 1:
            return Interval(value, np.nan, np.nan)
        reach = t_quantile(self.freedom, level) * self.error
        return Interval(value, value - reach, value + reach)


def two_way(losses: ArrayLike) -> TwoWay:
    """Fit the layout.

    Source: Fisher's two-way analysis without replication; Brown & Forsythe, 1974, for the test.

    Args:
        losses: (n_priors, n_seeds), at least two priors.
    """
    from scipy.stats import levene

    found = np.asarray(losses, np.float64)
    n_priors, n_seeds = found.shape
    residuals = found - found.mean(axis=0) - found.mean(axis=1, keepdims=True) + found.mean()
    freedom = (n_priors - 1) * (n_seeds - 1)
    variance = float((residuals**2).sum()) / freedom if freedom else np.nan
    varies = n_seeds > 2 and n_priors > 2 and variance > 0
    p_equal = float(levene(*residuals, center="median").pvalue) if varies else np.nan
    return TwoWay(found.mean(axis=1), float(np.sqrt(2 * variance / n_seeds)), freedom, p_equal)
