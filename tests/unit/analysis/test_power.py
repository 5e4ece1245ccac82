"""Power against simulation and closed forms."""

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from core.analysis.intervals import Interval
from core.analysis.power import decided_from, decided_with, power_beyond, power_of_equivalence, spread_of, units_needed
from core.analysis.seeds import over_seeds
from core.analysis.verdict import Bounds, Stated

RNG_SEED = 3
N_STUDIES = 20_000


def interval_of(mean: float, sd: float, n: int, level: float = 0.95) -> Interval:
    """Return the interval of n units whose mean and standard deviation are exactly these."""
    reach = float(t.isf((1 - level) / 2, n - 1)) * sd / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach)


def studies(mean: float, sd: float, n: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper bounds of simulated studies."""
    draws = np.random.default_rng(RNG_SEED).normal(mean, sd, (N_STUDIES, n))
    reach = t.isf((1 - level) / 2, n - 1) * draws.std(axis=1, ddof=1) / math.sqrt(n)
    return draws.mean(axis=1) - reach, draws.mean(axis=1) + reach


@pytest.mark.parametrize("n", [3, 5, 12])
def test_the_smallest_difference_is_decided_in_four_of_five_simulated_studies(n):
    found = Stated(interval_of(0.0, 0.1, n), Bounds(low=0.5), n - 1)
    distance = decided_from(found)
    low, _ = studies(0.5 + distance, 0.1, n, 0.95)
    assert np.mean(low >= 0.5) == pytest.approx(0.8, abs=0.01)


def test_without_student_the_smallest_difference_is_a_closed_form():
    found = Stated(Interval(0.0, -1.96 * 0.1, 1.96 * 0.1), Bounds(low=0.0))
    assert decided_from(found) == pytest.approx(0.1 * (norm.isf(0.025) + norm.isf(0.2)), rel=1e-3)


@pytest.mark.parametrize(("n", "sd"), [(4, 0.03), (8, 0.05), (20, 0.08)])
def test_the_power_of_equivalence_is_that_of_simulated_studies(n, sd):
    low, high = studies(0.0, sd, n, 0.9)
    simulated = np.mean((low >= -0.05) & (high <= 0.05))
    assert power_of_equivalence(0.05, sd / math.sqrt(n), n - 1, 0.9) == pytest.approx(simulated, abs=0.012)


@pytest.mark.parametrize("sd", [0.05, 0.13, 0.4])
def test_seeds_for_equivalence_follow_the_closed_form(sd):
    found = Stated(interval_of(0.0, sd, 6, 0.9), Bounds(-0.05, 0.05), 5)
    needed = units_needed(found, 6, 0.9)
    closed = ((norm.isf(0.05) + norm.isf(0.1)) * sd / 0.05) ** 2 + 2
    assert needed is not None
    assert abs(needed - closed) <= 1


def test_seeds_for_a_bound_have_the_power_that_was_asked_and_one_fewer_has_not():
    found = Stated(interval_of(0.6, 0.3, 5), Bounds(low=0.5), 4)
    needed = units_needed(found, 5)
    assert needed is not None
    error = 0.3 / math.sqrt(needed)
    assert power_beyond(0.1, error, needed - 1) >= 0.8 > power_beyond(0.1, 0.3 / math.sqrt(needed - 1), needed - 2)
    closed = ((norm.isf(0.025) + norm.isf(0.2)) * 0.3 / 0.1) ** 2
    assert closed < needed < closed + 4


def test_a_value_on_its_bound_or_without_an_interval_needs_no_number_of_units():
    assert units_needed(Stated(interval_of(0.5, 0.1, 5), Bounds(low=0.5), 4), 5) is None
    assert units_needed(Stated(over_seeds([1.0]), Bounds(low=0.5), 1), 1) is None
    assert math.isnan(decided_from(Stated(over_seeds([1.0]), Bounds(low=0.5), 1)))


def test_a_value_outside_of_two_bounds_needs_the_units_that_show_it_outside():
    found = Stated(interval_of(0.2, 0.3, 6, 0.9), Bounds(-0.05, 0.05), 5)
    one_sided = Stated(interval_of(0.2, 0.3, 6, 0.9), Bounds(high=0.05), 5)
    assert units_needed(found, 6, 0.9) == units_needed(one_sided, 6, 0.9)


def test_a_study_to_come_is_foreseen_from_the_spread_of_one_at_hand():
    found = Stated(interval_of(0.3, 0.1, 5), Bounds(low=0.0), 4)
    assert spread_of(found, 5) == pytest.approx(0.1)
    assert decided_with(0.1, 5) == pytest.approx(decided_from(found))
    low, _ = studies(decided_with(0.1, 12), 0.1, 12, 0.95)
    assert np.mean(low >= 0) == pytest.approx(0.8, abs=0.01)
    assert math.isnan(decided_with(0.1, 1))
