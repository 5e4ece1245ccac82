"""Spending functions against published boundaries and simulation."""

import numpy as np
import pytest
from scipy.stats import norm

from core.analysis.spending import nominal_error, spent_error


def boundaries(units: list[float], horizon: float, error: float = 0.05) -> list[float]:
    """Return the z at which each analysis decides."""
    spent = [spent_error(n / horizon, error) for n in units]
    return [float(norm.isf(nominal_error(units[:k], spent[:k]) / 2)) for k in range(1, len(units) + 1)]


def test_boundaries_are_those_published_for_five_equal_steps():
    assert boundaries([1, 2, 3, 4, 5], 5) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-3)


def test_boundaries_are_those_published_for_two_steps():
    assert boundaries([1, 2], 2) == pytest.approx([2.9626, 1.9686], abs=1e-3)


def test_a_single_analysis_may_make_the_whole_error():
    assert nominal_error([7], [0.05]) == pytest.approx(0.05, rel=1e-6)
    assert spent_error(1, 0.05) == pytest.approx(0.05)
    assert spent_error(3, 0.05) == pytest.approx(0.05)


def test_all_planned_analyses_together_err_no_more_than_one():
    units = [3, 6, 12, 24, 48]
    bounds = np.array(boundaries(list(map(float, units)), 48))
    sums = np.random.default_rng(0).normal(size=(40_000, 48)).cumsum(axis=1)[:, np.array(units) - 1]
    crossed = (np.abs(sums) / np.sqrt(units) > bounds).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=0.004)


def test_an_error_that_is_used_up_leaves_nothing_to_decide_with():
    assert nominal_error([6, 12], [0.05, 0.05]) == 0.0
