"""C7 on planted loss curves."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from core.analysis.steps_to_target import Reached
from core.store.endings import CONVERGED, LONGEST
from core.studies.claims import CLAIMS, speed
from tests.unit.studies.claims.planted_runs import WOBBLE, Planted, RunsBench

STEPS = range(0, 101, 10)


def curves(diverged: float, relative: float = 0.08, last: int = 100, ending: str = CONVERGED):
    """Return runs whose losses fall exponentially: the reference at 0.08 per step, diverged priors at another rate."""

    def plan(arm: str, seed: int) -> Planted:
        slow = relative if arm in speed.DEEP else diverged
        rate = 0.08 if "xavier" in arm else slow
        end = 100 if "xavier" in arm else last
        curve = {s: 1 + 2 * math.exp(-rate * s * (1 + WOBBLE[seed])) for s in STEPS if s <= end}
        return Planted(loss=curve[end], curve=curve, ending=ending)

    return plan


def test_c07_holds_where_planted_and_shows_that_the_relative_rate_removes_it(store):
    found = CLAIMS[7].judge(RunsBench(store, curves(0.03)))
    assert found.verdict == "holds"
    control = [part for part in found.parts if "control" in part.quantity]
    assert [part.alone for part in control] == ["fails", "fails"]
    assert not any(part.decides for part in control)


@pytest.mark.parametrize("rate", [0.08, 0.4])
def test_c07_fails_where_diverged_priors_are_as_fast_or_faster(store, rate):
    found = CLAIMS[7].judge(RunsBench(store, curves(rate)))
    assert (found.verdict, found.verdict_on("b")) == ("fails", "fails")


def test_c07_stays_undecided_on_the_margin_and_where_runs_are_too_short(store):
    flat = {0: 1.0, 100: 1.0}
    lift = {seed: {0: 1.05 + float(WOBBLE[seed]), 100: 1.05 + float(WOBBLE[seed])} for seed in range(8)}

    def plan(arm: str, seed: int) -> Planted:
        return Planted(curve=flat if "xavier" in arm else lift[seed])

    assert CLAIMS[7].judge(RunsBench(store, plan)).verdict == "undecided"


def test_c07_is_not_judged_where_a_run_ends_before_the_window_without_having_converged(store):
    found = CLAIMS[7].judge(RunsBench(store, curves(0.03, last=50, ending=LONGEST)))
    assert found.verdict == "undecided"
    assert "runs ended before the reference's longest run, at step 100" in found.told


def test_a_run_that_converged_early_counts_with_its_last_loss(store):
    found = CLAIMS[7].judge(RunsBench(store, curves(0.03, last=50)))
    assert found.verdict == "holds"


def test_the_mean_loss_is_the_area_under_straight_lines_with_the_last_loss_after_the_end(store):
    run = RunsBench(store, lambda arm, seed: Planted(curve={0: 3.0, 10: 1.0})).runs("xavier")[0]
    assert speed.mean_loss(run, 10) == pytest.approx(2.0)
    assert speed.mean_loss(run, 20) == pytest.approx((2.0 * 10 + 1.0 * 10) / 20)
    assert speed.mean_loss(run, 5) == pytest.approx(2.5)


def test_extra_steps_allow_for_gaps_between_evaluations_and_for_runs_that_end():
    known = [Reached(20, 10), Reached(30, 20), Reached(20, 10)]
    slow = [Reached(60, 50), Reached(50, 40), Reached(70, 60)]
    found = speed.extra_steps(slow, known)
    least, most = np.array([50 - 20, 40 - 30, 60 - 20]), np.array([60 - 10, 50 - 20, 70 - 10])
    assert found.value == pytest.approx(np.mean([40, 20, 50]))
    assert found.low == pytest.approx(ttest_1samp(least, 0).confidence_interval(0.95).low)
    assert found.high == pytest.approx(ttest_1samp(most, 0).confidence_interval(0.95).high)
    never = speed.extra_steps([Reached(None, 100)] * 3, known)
    assert never.high == math.inf
    assert never.low > 0
    assert speed.extra_steps([Reached(20, 10)] * 3, [Reached(None, 100)] * 3).low == -math.inf
    assert math.isnan(speed.extra_steps(slow[:1], known[:1]).low)
    assert speed.extra_steps([Reached(0, None)], [Reached(0, None)]).value == 0
