"""Planned analyses: how much error each may make, so that all together make no more than one.

If units are added until there is a verdict, one comes by luck in the end. A spending function
fixes in advance how much of the error may be used up by the time a share of the units is there.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from core.array_types import Float64s

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_LEAST = 1e-12
"""An analysis that may make less error than that decides nothing."""


def spent_error(fraction: float, error: float) -> float:
    """Return how much of an error may be used up with a share of the units.

    Source: Lan & DeMets, 1983, the function of O'Brien and Fleming's type: next to nothing early,
        nearly everything at the end.

    Args:
        fraction: of the units, above 0; 1 and more for the last analysis.
        error: of all analyses together, two-sided.
    """
    return float(4 * ndtr(ndtri(error / 4) / math.sqrt(min(fraction, 1.0))))


def nominal_error(units: Sequence[float], spent: Sequence[float]) -> float:
    """Return the error of the last analysis's own interval, so that it adds what it may.

    Source: Armitage, McPherson and Rowe, 1969: the law of the sum among studies that went on, by
        numerical integration from analysis to analysis.

    Args:
        units: (n,) independent units at each analysis, ascending.
        spent: (n,) error used up after each, ascending; the last may equal the one before it.

    Returns:
        two-sided; 0 where the analysis may decide nothing.
    """
    used, law, grid, before = 0.0, np.ones(1), np.zeros(1), 0.0
    bound = math.inf
    for now, total in zip(units, spent, strict=True):
        step = math.sqrt(now - before)
        bound = _bound(total - used, law, grid, step, math.sqrt(now))
        law, grid = _went_on(law, grid, step, bound, math.sqrt(now))
        used, before = total, now
    return 0.0 if math.isinf(bound) else float(2 * ndtr(-bound / math.sqrt(units[-1])))


def _crossed(bound: float, law: Float64s, grid: Float64s, step: float) -> float:
    """Return the probability that the sum leaves ± a bound, from masses on a grid."""
    return float((law * (ndtr((grid - bound) / step) + ndtr((-bound - grid) / step))).sum())


def _bound(error: float, law: Float64s, grid: Float64s, step: float, deviation: float) -> float:
    from scipy.optimize import brentq

    if error < _LEAST:
        return math.inf
    found: Any = brentq(lambda bound: _crossed(bound, law, grid, step) - error, 0.0, 12 * deviation)
    return float(found)


def _went_on(law: Float64s, grid: Float64s, step: float, bound: float, deviation: float) -> tuple[Float64s, Float64s]:
    """Return the masses of the sum within the bound after a further step, and their grid."""
    reach = min(bound, 8 * deviation)
    points = reach * _NODES
    density = np.exp(-(((points[:, None] - grid[None, :]) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
    return reach * _WEIGHTS * (density @ law), points
