import numpy as np
import pytest
from scipy import stats

from core.analysis.intervals import bootstrap, permutation_p, spread


def test_the_bootstrap_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(0).gamma(2, size=30)
    found = bootstrap(values, np.random.default_rng(1), n_bootstrap=20_000)
    oracle = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), rel=0.01)


def test_many_values_are_drawn_in_pieces_and_one_has_no_interval():
    found = bootstrap(np.arange(3_000_000.0), np.random.default_rng(0), n_bootstrap=5)
    assert found.low <= found.value * 1.01
    alone = bootstrap(np.array([2.0]), np.random.default_rng(0))
    assert alone.value == 2
    assert np.isnan([alone.low, alone.high]).all()


def test_spread_is_median_and_central_range():
    found = spread(np.arange(1001.0))
    assert (found.low, found.value, found.high) == pytest.approx((25, 500, 975))


def test_a_permutation_p_counts_what_was_observed_and_ties():
    assert permutation_p(3.0, np.array([1.0, 2, 3, 4])) == pytest.approx(3 / 5)
    assert permutation_p(9.0, np.zeros(99)) == pytest.approx(0.01)
    assert permutation_p(0.3, np.array([0.1 + 0.2, 0.1])) == pytest.approx(2 / 3)
