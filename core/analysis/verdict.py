"""Holds, fails or undecided: where an interval lies against bounds that were stated beforehand.

A number that is not known well enough decides nothing; p above 0.05 is never a reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import t

from core.analysis.intervals import LEVEL, Interval

Verdict = Literal["holds", "fails", "undecided"]
HOLDS: Verdict = "holds"
FAILS: Verdict = "fails"
UNDECIDED: Verdict = "undecided"


@dataclass(frozen=True)
class Bounds:
    """Where a number lies if a claim is right; the bounds themselves are inside.

    Attributes:
        low: minus infinity for none.
        high: infinity for none.
    """

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        """Return them in words."""
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if math.isinf(self.high) else f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Stated:
    """A number with what a claim says of it.

    Attributes:
        interval: of the number.
        bounds: stated beforehand.
        freedom: degrees of freedom of Student's law behind the interval; infinity for the normal law.
    """

    interval: Interval
    bounds: Bounds
    freedom: float = math.inf


def decide(interval: Interval, bounds: Bounds) -> Verdict:
    """Return 'holds' for an interval wholly inside the bounds, 'fails' for one wholly outside, else 'undecided'."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return UNDECIDED
    if interval.low >= bounds.low and interval.high <= bounds.high:
        return HOLDS
    return FAILS if interval.low > bounds.high or interval.high < bounds.low else UNDECIDED


def widen(interval: Interval, n: int, level: float = LEVEL, freedom: float = math.inf) -> Interval:
    """Return an interval of one of n numbers as wide as it must be for all n to be covered together.

    Source: Bonferroni's correction, by quantiles of Student's law: bounds of another law are stretched likewise.

    Args:
        interval: of one number, at `level`.
        n: numbers that are looked at.
        level: of the interval alone, and of all together afterwards.
        freedom: degrees of freedom; infinity for the normal law.
    """
    stretch = float(t.isf((1 - level) / 2 / n, freedom) / t.isf((1 - level) / 2, freedom))
    below, above = interval.value - interval.low, interval.high - interval.value
    return Interval(interval.value, interval.value - stretch * below, interval.value + stretch * above)


def decide_all(parts: Sequence[Stated], level: float = LEVEL) -> Verdict:
    """Return the verdict on a claim that says something of several numbers, all of which must lie inside their bounds.

    It holds where each interval lies inside: that needs no correction, as all must agree (Berger, 1982). It fails where
    one of the intervals, widened for their number, lies outside: of many, some stray by chance.
    """
    if not parts:
        return UNDECIDED
    if all(decide(part.interval, part.bounds) == HOLDS for part in parts):
        return HOLDS
    return FAILS if any(_widened(part, len(parts), level) == FAILS for part in parts) else UNDECIDED


def decide_any(parts: Sequence[Stated], level: float = LEVEL) -> Verdict:
    """Return the verdict on a claim that says something of at least one of several numbers: `decide_all` turned around.

    It holds where one of the intervals, widened for their number, lies inside, and fails where all lie outside.
    """
    if not parts:
        return UNDECIDED
    if any(_widened(part, len(parts), level) == HOLDS for part in parts):
        return HOLDS
    return FAILS if all(decide(part.interval, part.bounds) == FAILS for part in parts) else UNDECIDED


def _widened(part: Stated, n: int, level: float) -> Verdict:
    return decide(widen(part.interval, n, level, part.freedom), part.bounds)


def join_verdicts(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a claim whose parts have verdicts: it fails with one of them, and holds with all."""
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts and all(verdict == HOLDS for verdict in verdicts) else UNDECIDED


def weakest(parts: Sequence[Stated]) -> int:
    """Return which of the numbers supports a claim least: the one whose interval reaches furthest out of its bounds."""
    return max(range(len(parts)), key=lambda i: _outside(parts[i]))


def strongest(parts: Sequence[Stated]) -> int:
    """Return which of the numbers supports a claim most."""
    return min(range(len(parts)), key=lambda i: _outside(parts[i]))


def _outside(part: Stated) -> float:
    """Return how far an interval reaches out of its bounds, in its own widths; below 0 where it lies inside."""
    interval, bounds = part.interval, part.bounds
    if math.isnan(interval.low):
        return math.inf
    width = max(interval.high - interval.low, 1e-12)
    return max(bounds.low - interval.low, interval.high - bounds.high) / width
