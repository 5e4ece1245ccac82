import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from core.analysis.seeds import over_seeds, tost
from core.errors import BadRequest

FIRST = np.array([1.02, 0.97, 1.05, 1.01, 0.99, 1.03])
SECOND = np.array([1.00, 0.99, 1.02, 1.04, 0.98, 1.00])
MARGIN = 0.06


def test_paired_tost_is_two_t_tests_of_scipy():
    found = tost(FIRST, SECOND, MARGIN, paired=True)
    differences = FIRST - SECOND
    _, above = ttest_1samp(differences, -MARGIN, alternative="greater")
    _, below = ttest_1samp(differences, MARGIN, alternative="less")
    assert found.p == pytest.approx(np.max([above, below]))
    interval = ttest_1samp(differences, 0).confidence_interval(0.9)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval))
    assert found.difference.value == pytest.approx(differences.mean())
    assert found.n == (6, 6)


@pytest.mark.parametrize("n", [6, 3])
def test_unpaired_tost_is_two_welch_tests_of_scipy(n):
    one, other = FIRST, 3 * SECOND[:n] - 2
    found = tost(one, other, MARGIN, paired=False)
    _, above = ttest_ind(one + MARGIN, other, equal_var=False, alternative="greater")
    _, below = ttest_ind(one - MARGIN, other, equal_var=False, alternative="less")
    assert found.p == pytest.approx(np.max([above, below]))
    interval = ttest_ind(one, other, equal_var=False).confidence_interval(0.9)
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval))


def test_the_interval_lies_inside_the_margin_exactly_where_p_is_below_alpha():
    edge = tost(FIRST, SECOND, MARGIN, paired=True).difference.high
    assert tost(FIRST, SECOND, edge * 1.001, paired=True).p < 0.05
    assert tost(FIRST, SECOND, edge * 0.999, paired=True).p > 0.05


def test_two_means_apart_are_not_called_equal_more_often_than_alpha():
    rng = np.random.default_rng(0)
    apart = rng.normal(MARGIN, 0.03, size=(4000, 5))
    share = np.mean([tost(row, np.zeros(5), MARGIN, paired=True).p < 0.05 for row in apart])
    assert share == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize(("one", "paired"), [([1.0], True), ([1.0], False)])
def test_a_single_seed_has_no_interval(one, paired):
    found = tost(one, one, MARGIN, paired=paired)
    assert np.isnan(found.difference.low)
    assert found.p == 1


@pytest.mark.parametrize("paired", [True, False])
def test_runs_without_any_difference_have_an_interval_of_no_width(paired):
    assert tost([1.0, 1.0], [1.0, 1.0], MARGIN, paired).p == 0
    apart = tost([2.0, 2.0], [1.0, 1.0], MARGIN, paired)
    assert (apart.difference.low, apart.p) == (1, 1)


def test_wrong_requests_are_refused():
    with pytest.raises(BadRequest, match=r"margin of 0 leaves no room; give one above 0"):
        tost(FIRST, SECOND, 0, paired=True)
    with pytest.raises(BadRequest, match="6 and 2 seeds cannot be paired; give as many of each"):
        tost(FIRST, SECOND[:2], MARGIN, paired=True)


def test_the_interval_over_seeds_is_students():
    found = over_seeds(FIRST)
    oracle = ttest_1samp(FIRST, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(oracle))
    assert np.isnan(over_seeds([1.0]).low)


def test_seeds_that_agree_by_chance_are_known_no_better_than_their_resolution():
    found = over_seeds([0.0, 0.0, 0.0], least_error=0.025)
    assert found.high == pytest.approx(4.302653 * 0.025 / np.sqrt(3))
    assert over_seeds(FIRST, least_error=1e-9) == over_seeds(FIRST)
