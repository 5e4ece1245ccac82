"""One number of a claim with its interval and bounds, and what the claim's rule says on a control."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from core.analysis.intervals import Interval
from core.analysis.verdict import Bounds, Stated, Verdict, decide, decide_all
from core.figures.verdicts import Row
from core.studies.claims.judgement import BoundsInWords, JudgedControl, JudgedPart, finite


@dataclass(frozen=True)
class Part:
    """One number that a verdict rests on.

    Attributes:
        name: what the number describes, such as 'site 7' or 'gaussian - xavier'.
        quantity: what is measured, with its unit; parts with the same quantity share an axis.
        interval: value and interval.
        bounds: where the number lies if the claim is right.
        null: its value, or range, by chance alone; None where there is no such value.
        p: against that null, where there is one.
        n: number of independent units behind the interval.
        decides: whether the verdict depends on it; otherwise it is shown for comparison only.
        freedom: degrees of freedom of Student's distribution behind the interval; infinity for the
            normal distribution.
        sentence: which of the claim's sentences it belongs to; empty where the claim has one.
    """

    name: str
    quantity: str
    interval: Interval
    bounds: Bounds
    null: Interval | None = None
    p: float | None = None
    n: int = 0
    decides: bool = True
    freedom: float = math.inf
    sentence: str = ""

    @property
    def stated(self) -> Stated:
        """Return the number with the bounds that the claim gives it."""
        return Stated(self.interval, self.bounds, self.freedom)

    @property
    def alone(self) -> Verdict:
        """Return the verdict of this number by itself."""
        return decide(self.interval, self.bounds)

    @property
    def row(self) -> Row:
        """Return the number as a row of the picture."""
        return Row(self.name, self.quantity, self.interval, self.bounds, self.null, self.alone, self.decides)

    @property
    def judged(self) -> JudgedPart:
        """Return the number as a judgement keeps it."""
        null = self.null or Interval(math.nan, math.nan, math.nan)
        low, high = finite(self.bounds.low), finite(self.bounds.high)
        return JudgedPart(
            name=self.name,
            sentence=self.sentence,
            quantity=self.quantity,
            decides=self.decides,
            value=finite(self.interval.value),
            low=finite(self.interval.low),
            high=finite(self.interval.high),
            bounds=BoundsInWords(low=low, high=high, words=str(self.bounds)),
            null_value=finite(null.value),
            null_low=finite(null.low),
            null_high=finite(null.high),
            p=finite(self.p),
            n=self.n,
            alone=self.alone,
        )


def measured_part(
    name: str, quantity: str, found: Mapping[str, float], bounds: Bounds, n: int, freedom: float = math.inf
) -> Part:
    """Return a number of an atlas as a part, with its null and p."""
    interval = Interval(found["value"], found["low"], found["high"])
    null = Interval(found["null"], found["null_low"], found["null_high"])
    return Part(name, quantity, interval, bounds, null, found.get("p"), n, freedom=freedom)


Rule = Callable[[Sequence[Part], float], Verdict]
"""Returns the verdict from the deciding parts and the level of their intervals."""


def all_inside(parts: Sequence[Part], level: float) -> Verdict:
    """Return the verdict where every part must lie inside its bounds."""
    return decide_all([part.stated for part in parts], level)


@dataclass(frozen=True)
class Control:
    """What the rule of a claim says where nothing was learned.

    Attributes:
        name: 'zero steps' for the prior samples, 'random labels' for runs on permuted answers.
        part: the number that decides there, most favourable to the claim.
        verdict: of the rule.
    """

    name: str
    part: Part
    verdict: Verdict

    @property
    def judged(self) -> JudgedControl:
        """Return the control as a judgement keeps it."""
        shown = replace(self.part, decides=False)
        return JudgedControl(name=self.name, verdict=self.verdict, part=shown.judged)


def table(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the parts, one row each.

    Columns: sentence, quantity, of, value, low, high, null, claimed, alone (the verdict of that row
    by itself), p, n, decides.
    """
    return pd.DataFrame(
        [
            {
                "sentence": part.sentence,
                "quantity": part.quantity,
                "of": part.name,
                "value": part.interval.value,
                "low": part.interval.low,
                "high": part.interval.high,
                "null": part.null.value if part.null else math.nan,
                "claimed": str(part.bounds),
                "alone": part.alone,
                "p": math.nan if part.p is None else part.p,
                "n": part.n,
                "decides": part.decides,
            }
            for part in parts
        ]
    )
