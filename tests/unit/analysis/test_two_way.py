import numpy as np
import pytest

from core.analysis.seeds import tost
from core.analysis.two_way import two_way


def test_two_priors_give_the_paired_interval():
    losses = np.random.default_rng(0).normal(size=(2, 7))
    found = two_way(losses).difference(0, 1, 0.9)
    paired = tost(losses[0], losses[1], 0.05, paired=True).difference
    assert (found.value, found.low, found.high) == pytest.approx((paired.value, paired.low, paired.high))


def test_the_residual_variance_is_that_of_an_analysis_of_variance():
    losses = np.random.default_rng(1).normal(size=(4, 5)) + np.arange(5)
    design = np.array(
        [[1, *(s == k for k in range(1, 5)), *(p == k for k in range(1, 4))] for p in range(4) for s in range(5)], float
    )
    rest = losses.ravel() - design @ np.linalg.lstsq(design, losses.ravel(), rcond=None)[0]
    found = two_way(losses)
    assert found.freedom == 12
    assert found.error == pytest.approx(np.sqrt(2 * (rest**2).sum() / 12 / 5))


def test_pooled_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(500):
        found = two_way(rng.normal(size=(4, 1)) * 0 + rng.normal(0, 0.1, (4, 4)) + rng.normal(0, 1, 4))
        interval = found.difference(0, 3, 0.9)
        hits += interval.low <= 0 <= interval.high
    assert hits / 500 == pytest.approx(0.9, abs=0.03)


def test_priors_that_vary_differently_are_found_out():
    rng = np.random.default_rng(3)
    alike = two_way(rng.normal(0, 0.1, (4, 12)))
    unlike = two_way(rng.normal(0, 0.1, (4, 12)) * np.array([[1], [1], [1], [12]]))
    assert unlike.p_equal < 0.1 < alike.p_equal


def test_one_seed_has_no_interval():
    found = two_way([[1.0], [2.0]])
    assert np.isnan(found.difference(0, 1, 0.9).low)
    assert found.difference(0, 1, 0.9).value == -1
