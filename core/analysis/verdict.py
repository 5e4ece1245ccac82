"""Holds, fails or undecided: an interval compared with bounds that were stated beforehand.

A number that is not known precisely enough decides nothing; p above 0.05 is never a reason.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.special import stdtrit

from core.analysis.intervals import LEVEL, Interval

Verdict = Literal["holds", "fails", "undecided"]
HOLDS: Verdict = "holds"
FAILS: Verdict = "fails"
UNDECIDED: Verdict = "undecided"


@dataclass(frozen=True)
class Bounds:
    """The bounds of a number if a claim is right; both bounds belong to the region.

    Attributes:
        low: minus infinity for no lower bound.
        high: infinity for no upper bound.
    """

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        """Return the bounds in words."""
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if math.isinf(self.high) else f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Stated:
    """A number and the bounds that a claim states for it.

    Attributes:
        interval: of the number.
        bounds: stated beforehand.
        freedom: degrees of freedom of Student's t behind the interval; infinity for a normal
            distribution.
    """

    interval: Interval
    bounds: Bounds
    freedom: float = math.inf


def decide(interval: Interval, bounds: Bounds) -> Verdict:
    """Return 'holds' for an interval inside the bounds, 'fails' for one entirely outside, otherwise 'undecided'."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return UNDECIDED
    if interval.low >= bounds.low and interval.high <= bounds.high:
        return HOLDS
    return FAILS if interval.low > bounds.high or interval.high < bounds.low else UNDECIDED


def widen(interval: Interval, n: float, level: float = LEVEL, freedom: float = math.inf) -> Interval:
    """Widen the interval of one of n numbers so that all n intervals cover together.

    Source: Bonferroni's correction by quantiles of Student's t; other intervals are stretched by
        the same factor.

    Args:
        interval: of one number, at `level`.
        n: number of numbers.
        level: of the interval alone before, of all intervals together after.
        freedom: degrees of freedom; infinity for a normal distribution.
    """
    stretch = float(stdtrit(freedom, (1 - level) / 2 / n) / stdtrit(freedom, (1 - level) / 2))
    below, above = interval.value - interval.low, interval.high - interval.value
    return Interval(interval.value, interval.value - stretch * below, interval.value + stretch * above)


def decide_all(parts: Sequence[Stated], level: float = LEVEL) -> Verdict:
    """Return the verdict on a claim about several numbers that must all lie inside their bounds.

    It holds if each interval lies inside; that needs no correction, because all must agree (Berger,
    1982). It fails if one of the intervals, widened for their number, lies outside: among many,
    some lie outside by chance.
    """
    if not parts:
        return UNDECIDED
    if all(decide(part.interval, part.bounds) == HOLDS for part in parts):
        return HOLDS
    return FAILS if FAILS in _widened(parts, level) else UNDECIDED


def decide_any(parts: Sequence[Stated], level: float = LEVEL) -> Verdict:
    """Return the verdict on a claim about at least one of several numbers, the mirror image of `decide_all`.

    It holds if one of the intervals, widened for their number, lies inside, and fails if all lie
    outside.
    """
    if HOLDS in _widened(parts, level):
        return HOLDS
    return FAILS if parts and all(decide(part.interval, part.bounds) == FAILS for part in parts) else UNDECIDED


def _widened(parts: Sequence[Stated], level: float) -> list[Verdict]:
    """Return the verdict on each number by its interval, widened for how many there are."""
    return [decide(widen(part.interval, len(parts), level, part.freedom), part.bounds) for part in parts]


def join_verdicts(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a claim from those on its sentences: it fails if one fails, and holds if all hold."""
    if FAILS in verdicts:
        return FAILS
    return HOLDS if verdicts and all(verdict == HOLDS for verdict in verdicts) else UNDECIDED


def weakest(parts: Sequence[Stated]) -> int:
    """Return the number that supports a claim least: its interval reaches farthest out of its bounds."""
    return max(range(len(parts)), key=lambda i: _outside(parts[i]))


def strongest(parts: Sequence[Stated]) -> int:
    """Return the number that supports a claim most."""
    return min(range(len(parts)), key=lambda i: _outside(parts[i]))


def _outside(part: Stated) -> float:
    """Return how far an interval reaches out of its bounds, in units of its width; below 0 if it lies inside."""
    interval, bounds = part.interval, part.bounds
    if math.isnan(interval.low):
        return math.inf
    width = max(interval.high - interval.low, 1e-12)
    return max(bounds.low - interval.low, interval.high - bounds.high) / width
