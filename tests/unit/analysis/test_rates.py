"""Best rates are chosen on other seeds than those compared, and differences are those of a paired t test."""

import numpy as np
import pytest
from scipy import stats

from core.analysis.rates import Trial, choose_rate, differences, losses_at_others_choice


def trials(table):
    return [Trial(rate, seed, loss) for rate, losses in table.items() for seed, loss in enumerate(losses)]


def test_the_rate_with_the_lowest_mean_is_chosen():
    chosen = choose_rate(trials({1e-4: [3.0, 3.0], 1e-3: [1.0, 2.6], 1e-2: [2.0, 2.0]}))
    assert chosen is not None
    assert (chosen.rate, chosen.loss, chosen.n_seeds, chosen.at_edge, chosen.left_out) == (1e-3, 1.8, 2, False, ())


def test_a_rate_at_which_a_run_failed_is_not_chosen_but_told():
    chosen = choose_rate(trials({1e-3: [2.0, 2.0], 1e-2: [1.0, None]}))
    assert chosen is not None
    assert (chosen.rate, chosen.at_edge, chosen.left_out) == (1e-3, True, (1e-2,))
    missing = choose_rate([Trial(1e-3, 0, 2.0), Trial(1e-3, 1, 2.0), Trial(1e-2, 0, 1.0)])
    assert missing is not None
    assert missing.rate == 1e-3
    assert choose_rate(trials({1e-3: [None]})) is None
    assert choose_rate([]) is None


def test_the_lower_of_two_equal_rates_is_chosen_and_a_single_one_is_no_edge():
    chosen = choose_rate(trials({1e-2: [1.0], 1e-3: [1.0]}))
    assert chosen is not None
    assert chosen.rate == 1e-3
    single = choose_rate(trials({1e-2: [1.0]}))
    assert single is not None
    assert not single.at_edge


def test_each_seed_is_told_at_the_rate_that_the_others_choose():
    found = losses_at_others_choice(trials({1e-3: [2.0, 2.0, 2.0], 1e-2: [0.0, 3.0, 3.5]}))
    # Without seed 0 the low rate is better, with it the high one.
    assert found == {0: (1e-3, 2.0), 1: (1e-2, 3.0), 2: (1e-2, 3.5)}
    assert losses_at_others_choice(trials({1e-3: [2.0]})) == {}


def test_choosing_on_the_compared_seed_flatters_and_choosing_on_the_others_does_not():
    rng = np.random.default_rng(0)
    same, others = [], []
    for _ in range(400):  # five rates that are all the same: whatever is chosen, a fair loss has mean 0
        noise = trials({10.0**-k: list(rng.standard_normal(3)) for k in range(5)})
        chosen = choose_rate(noise)
        assert chosen is not None
        same.append(chosen.loss)
        others += [loss for _, loss in losses_at_others_choice(noise).values()]
    assert np.mean(same) < -0.5
    assert abs(np.mean(others)) < 0.1


def test_differences_are_those_of_scipys_paired_test_corrected_by_holm():
    rng = np.random.default_rng(1)
    losses = {name: dict(enumerate(rng.normal(mean, 0.1, 5))) for name, mean in (("a", 2.0), ("b", 2.2), ("c", 2.0))}
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    found = differences(losses, pairs)
    raw = [stats.ttest_rel(list(losses[a].values()), list(losses[b].values())) for a, b in pairs]
    for difference, test in zip(found, raw, strict=True):
        interval = test.confidence_interval(0.95)
        assert (difference.value.low, difference.value.high) == pytest.approx((interval.low, interval.high))
        assert difference.n == 5
    smallest = int(np.argmin([test.pvalue for test in raw]))
    assert found[smallest].p == pytest.approx(min(1, 3 * raw[smallest].pvalue))


def test_seeds_that_only_one_has_are_left_out():
    (one,) = differences({"a": {0: 2.0, 1: 3.0}, "b": {1: 1.0, 5: 9.0}}, [("a", "b")])
    assert (one.value.value, one.n, one.p) == (2.0, 1, None)
    assert differences({"a": {0: 2.0}, "b": {1: 1.0}}, [("a", "b")]) == []
    (same,) = differences({"a": {0: 2.0, 1: 3.0}, "b": {0: 1.0, 1: 2.0}}, [("a", "b")])
    assert same.p is None
