"""How a cloud differs from the Gaussian with its moments: kurtosis of projections, held-out Mahalanobis distances."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import chdtr, gammaincinv, stdtr

from core.analysis.intervals import Interval
from core.analysis.intrinsic import BlockMoments
from core.analysis.units import jackknife, jackknife_error
from core.array_types import Bools, Float64s, Floats, Indices

INSIDE = 0.95


@dataclass(frozen=True)
class Kurtosis:
    """Mean excess kurtosis of projections, 0 for a Gaussian.

    Attributes:
        found: value with its interval over documents.
        p: two-sided, against the average value of a Gaussian sample of this size.
    """

    found: Interval
    p: float


def kurtosis(projections: Floats, block: Indices) -> Kurtosis:
    """Return the mean over directions of the excess kurtosis of projections (n, n_directions).

    Interval and p leave out one block (n,) of documents at a time, 0 … g - 1.
    """
    centred = np.asarray(projections, np.float64)
    centred = centred - centred.mean(axis=0)
    scale = centred.std(axis=0)
    centred = centred / np.where(scale > 0, scale, 1)
    squared = centred * centred
    powers = np.stack([np.ones_like(centred), centred, squared, squared * centred, squared * squared], axis=1)
    sums = np.array([powers[block == number].sum(axis=0) for number in range(int(block.max()) + 1)])
    value = _excess(sums.sum(axis=0))
    left_out = np.array([_excess(sums.sum(axis=0) - mine) for mine in sums])
    error = jackknife_error(left_out)
    expected = -6 / (len(projections) + 1)
    p = float(2 * stdtr(len(sums) - 1, -abs(value - expected) / error)) if error > 0 else 1.0
    return Kurtosis(jackknife(value, left_out), p)


def _excess(sums: Float64s) -> float:
    """Return the mean excess kurtosis from sums of powers 0 to 4, (5, n_directions)."""
    n, first, second, third, fourth = sums
    m, m2, m3, m4 = first / n, second / n, third / n, fourth / n
    variance = m2 - m**2
    central = m4 - 4 * m * m3 + 6 * m**2 * m2 - 3 * m**4
    return float(np.mean(central / np.where(variance > 0, variance, 1) ** 2 - 3))


def ledoit_wolf(covariance: Float64s, fourth: float, n: int) -> tuple[Float64s, float]:
    """Return a covariance (d, d) shrunk towards a multiple of the identity, and the shrinkage.

    `fourth` is the sum over the n points, centred, of the norm to the fourth power.

    Source: Ledoit & Wolf, 2004, as in scikit-learn, from sums that are known already.
    """
    d = len(covariance)
    mean = float(np.trace(covariance)) / d
    squares = float((covariance**2).sum())
    delta = (squares - 2 * mean * float(np.trace(covariance)) + d * mean**2) / d
    beta = max(0.0, (fourth / n - squares) / (n * d))
    shrinkage = 0.0 if beta == 0 else min(beta, delta) / delta if delta > 0 else 1.0
    shrunk = (1 - shrinkage) * covariance
    shrunk[np.arange(d), np.arange(d)] += shrinkage * mean
    return shrunk, shrinkage


def held_out_mahalanobis(points: Floats, block: Indices, moments: BlockMoments, n_folds: int) -> Float64s:
    """Return the squared Mahalanobis distance of each point (n,) under a Ledoit-Wolf fit without its own fold.

    Points that were fitted average d whatever the shape, so folds of whole blocks of documents are
    held out.

    Args:
        points: (n, d).
        block: (n,) block of documents of each.
        moments: of those blocks.
        n_folds: block b is in fold b modulo n_folds.
    """
    found = np.full(len(points), np.nan)
    n_blocks = len(moments.counts)
    for fold in range(min(n_folds, n_blocks)):
        out = range(fold, n_blocks, n_folds)
        held = np.isin(block, out)
        found[held] = _distances(points[held], points[~held], *moments.moments(out))
    return found


def _distances(held: Floats, fitted: Floats, mean: Float64s, covariance: Float64s) -> Float64s:
    fourth = float((((fitted - mean) ** 2).sum(axis=1) ** 2).sum())
    shrunk, _ = ledoit_wolf(covariance, fourth, len(fitted))
    # A cloud without spread in some direction still needs an invertible covariance.
    shrunk[np.diag_indices_from(shrunk)] += 1e-9 * np.trace(shrunk) / len(shrunk)
    factor = cholesky(shrunk, lower=True)
    return (solve_triangular(factor, (held - mean).T, lower=True) ** 2).sum(axis=0)


@dataclass(frozen=True)
class Radii:
    """Held-out squared Mahalanobis distances beside the chi-squared distribution with d degrees of freedom.

    Attributes:
        median: their median divided by that of the distribution; below 1 the centre is denser than
            a Gaussian's.
        inside: share inside the 95 % region of the distribution.
        distance: Kolmogorov's, the largest difference of the distribution functions.
    """

    median: Interval
    inside: Interval
    distance: Interval


def radii(squared: Float64s, block: Indices, d: int) -> Radii:
    """Compare held-out squared distances (n,) with the distribution; intervals leave out one block of documents."""
    middle, edge = 2 * gammaincinv(d / 2, [0.5, INSIDE])  # quantiles of chi-squared
    order = np.argsort(squared)
    ranked, expected, blocks = squared[order], chdtr(d, squared[order]), block[order]

    def numbers(kept: Bools) -> tuple[float, float, float]:
        values = ranked[kept]
        return float(np.median(values)) / middle, float((values <= edge).mean()), _kolmogorov(expected[kept])

    whole = numbers(np.ones(len(ranked), bool))
    left_out = np.array([numbers(blocks != number) for number in range(int(block.max()) + 1)])
    return Radii(*(jackknife(value, column) for value, column in zip(whole, left_out.T, strict=True)))


def _kolmogorov(law: Float64s) -> float:
    # `scipy.stats.ks_1samp` gives the same number, but takes 80 times as long for the p-value that nobody needs here.
    n = len(law)
    return float(max((np.arange(1, n + 1) / n - law).max(), (law - np.arange(n) / n).max()))
