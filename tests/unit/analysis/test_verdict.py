import numpy as np
import pytest
from scipy.stats import norm, t

from core.analysis.intervals import Interval
from core.analysis.verdict import (
    Bounds,
    Stated,
    decide,
    decide_all,
    decide_any,
    join_verdicts,
    strongest,
    weakest,
    widen,
)

AT_LEAST = Bounds(low=0.5)
INSIDE, ACROSS, OUTSIDE = Interval(0.7, 0.6, 0.8), Interval(0.5, 0.3, 0.7), Interval(0.2, 0.1, 0.3)
UNKNOWN = Interval(0.9, np.nan, np.nan)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        (INSIDE, "holds"),
        (ACROSS, "undecided"),
        (OUTSIDE, "fails"),
        (UNKNOWN, "undecided"),
        (Interval(0.5, 0.5, 0.5), "holds"),
    ],
)
def test_the_interval_decides(interval, verdict):
    assert decide(interval, AT_LEAST) == verdict


def test_two_bounds_make_a_margin():
    margin = Bounds(-0.05, 0.05)
    assert decide(Interval(0, -0.04, 0.04), margin) == "holds"
    assert decide(Interval(0.1, 0.06, 0.14), margin) == "fails"
    assert decide(Interval(0, -0.2, 0.2), margin) == "undecided"
    assert [str(bounds) for bounds in (margin, AT_LEAST, Bounds(high=2))] == [
        "from -0.05 to 0.05",
        "at least 0.5",
        "at most 2",
    ]


def test_widening_is_bonferronis():
    sd, n = 0.1, 7
    reach = float(norm.ppf(0.975)) * sd
    found = widen(Interval(1, 1 - reach, 1 + reach), n)
    assert found.high == pytest.approx(1 + norm.ppf(1 - 0.025 / n) * sd)
    assert found.low == pytest.approx(1 - norm.ppf(1 - 0.025 / n) * sd)
    far = float(t.ppf(0.975, 2)) * sd
    student = widen(Interval(1, 1 - far, 1 + far), n, freedom=2)
    assert student.high == pytest.approx(1 + t.ppf(1 - 0.025 / n, 2) * sd)
    same = widen(INSIDE, 1)
    assert (same.value, same.low, same.high) == pytest.approx((0.7, 0.6, 0.8))


def test_all_must_hold_and_one_that_is_surely_outside_is_enough_to_fail():
    every = [Stated(INSIDE, AT_LEAST), Stated(INSIDE, AT_LEAST)]
    assert decide_all(every) == "holds"
    assert decide_all([*every, Stated(OUTSIDE, AT_LEAST)]) == "fails"
    assert decide_all([*every, Stated(ACROSS, AT_LEAST)]) == "undecided"
    assert decide_all([*every, Stated(UNKNOWN, AT_LEAST)]) == "undecided"
    assert decide_all([]) == "undecided"
    barely = Stated(Interval(0.39, 0.29, 0.49), AT_LEAST)
    assert decide_all([barely]) == "fails"
    assert decide_all([barely, *every]) == "undecided", "one of three strays by chance"


def test_among_many_numbers_on_the_bound_few_are_found_outside():
    rng = np.random.default_rng(0)
    reach = norm.ppf(0.975)
    drawn = rng.normal(size=(2000, 12))
    failed = [
        decide_all([Stated(Interval(x, x - reach, x + reach), Bounds(low=0)) for x in row]) == "fails" for row in drawn
    ]
    assert np.mean(failed) == pytest.approx(0.025, abs=0.01)


def test_one_is_enough_where_a_claim_says_that_there_is_one():
    assert decide_any([Stated(OUTSIDE, AT_LEAST), Stated(INSIDE, AT_LEAST)]) == "holds"
    assert decide_any([Stated(OUTSIDE, AT_LEAST), Stated(OUTSIDE, AT_LEAST)]) == "fails"
    assert decide_any([Stated(OUTSIDE, AT_LEAST), Stated(ACROSS, AT_LEAST)]) == "undecided"
    assert decide_any([]) == "undecided"


def test_sentences_join():
    assert join_verdicts(["holds", "holds"]) == "holds"
    assert join_verdicts(["holds", "undecided"]) == "undecided"
    assert join_verdicts(["holds", "undecided", "fails"]) == "fails"
    assert join_verdicts([]) == "undecided"


def test_the_weakest_part_is_the_one_that_reaches_out_most():
    parts = [Stated(INSIDE, AT_LEAST), Stated(OUTSIDE, AT_LEAST), Stated(ACROSS, AT_LEAST)]
    assert weakest(parts) == 1
    assert strongest(parts) == 0
    assert weakest([*parts, Stated(UNKNOWN, AT_LEAST)]) == 3
