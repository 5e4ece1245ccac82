"""What a claim is, and the verdict that judging it gives."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from core.analysis.intervals import LEVEL, Interval
from core.analysis.verdict import Bounds, Stated, Verdict, decide, decide_all, strongest, weakest, widen
from core.figures.verdicts import Row, intervals_figure
from core.specs import StudySpec
from core.store import JobFolder
from core.studies.bench import Bench
from core.studies.claims.judgement import BoundsInWords, JudgedPart, Judgement, finite
from core.studies.figure import Reproduced

DOCUMENT, SEED = "document", "seed"
JACKKNIFE_FREEDOM = 9
"""Degrees of freedom of an atlas's intervals, which leave out one of ten blocks of documents at a
time."""


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
class Judged:
    """A claim with the numbers and the rule that judge it.

    Attributes:
        parts: every number, in the order of the picture; at least one decides.
        words: the finding, in one or two sentences.
        rule: derives the verdict from the parts.
        runs: tuning runs behind it.
        level: of the intervals that decide.
        extra: further facts, JSON-able.
        n_analyses: how often the claim was judged so far, each time with more seeds.
        one_is_enough: whether the claim says that something is possible, so that its best case
            represents it.
    """

    parts: Sequence[Part]
    words: str
    rule: Rule = all_inside
    runs: Sequence[JobFolder] = ()
    level: float = LEVEL
    extra: Mapping[str, object] = field(default_factory=dict)
    n_analyses: int = 1
    one_is_enough: bool = False

    @property
    def deciding(self) -> list[Part]:
        """Return the parts that the verdict depends on."""
        return [part for part in self.parts if part.decides]

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that the rule gives."""
        return self.rule(self.deciding, self.level)

    @property
    def headline(self) -> Part:
        """Return the part that supports the claim least.

        Where one case is enough, return the part of the first quantity that supports it most.
        """
        parts = self.deciding
        if self.one_is_enough:
            parts = [part for part in parts if part.quantity == parts[0].quantity]
            return parts[strongest([part.stated for part in parts])]
        return parts[weakest([part.stated for part in parts])]

    def after(self, n_analyses: int) -> "Judged":
        """Return the same numbers with intervals that allow for several interim analyses.

        Adding seeds until a verdict comes would bring one by luck in the end. Analysis k therefore
        gets 1 / k (k + 1) of the error that a single analysis may make; summed over any number of
        analyses this never exceeds the whole of it.

        Source: alpha spending, Lan & DeMets, 1983; here with the terms of a telescoping series.
        """
        share = n_analyses * (n_analyses + 1)
        parts = [
            replace(part, interval=widen(part.interval, share, self.level, part.freedom)) if part.decides else part
            for part in self.parts
        ]
        return replace(self, parts=parts, n_analyses=n_analyses)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and how it is judged.

    Attributes:
        number: C1 is 1.
        title: the claim in a few words.
        quote: the paper's own words.
        section: of the paper.
        statistic: what is measured.
        why: why this statistic and not another.
        null: what it is compared with.
        unit: of independence, 'document' or 'seed'.
        rule: when the claim holds, fails or stays undecided; bounds in numbers.
        judge: measures and judges it.
        figures: items of the study that show the paper's pictures of it.
        arms: of the study whose further seeds can decide it; empty where seeds do not matter.
        also: what a seed costs besides tuning runs; empty for nothing.
    """

    number: int
    title: str
    quote: str
    section: str
    statistic: str
    why: str
    null: str
    unit: str
    rule: str
    judge: Callable[[Bench], Judged]
    figures: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    also: str = ""

    @property
    def item(self) -> str:
        """Return its name among a study's items."""
        return f"claim-{self.number}"

    def make(self, bench: Bench) -> Reproduced:
        """Judge the claim and return picture, table and numbers."""
        return self.reproduced(self.judge(bench), bench.spec)

    def reproduced(self, found: Judged, study: StudySpec) -> Reproduced:
        """Return picture, table and numbers of a verdict; its `Judgement` is among the numbers."""
        return Reproduced(
            picture=intervals_figure([part.row for part in found.parts]),
            points=table(found.parts),
            numbers={"judgement": self.judgement(found, study).model_dump(mode="json")},
            caption=f"C{self.number}, {found.verdict}: {found.words} {self.rests_on(study)}",
        )

    def judgement(self, found: Judged, study: StudySpec) -> Judgement:
        """Return the record of a verdict: the claim, how it was judged, and what was found."""
        head = found.headline
        copied = ("number", "title", "quote", "section", "statistic", "why", "null", "unit", "rule", "figures", "arms")
        return Judgement.model_validate(
            {
                **{name: getattr(self, name) for name in copied},
                "verdict": found.verdict,
                "words": found.words,
                "rests_on": self.rests_on(study),
                **head.judged.model_dump(exclude={"name", "decides"}),
                "of": head.name,
                "level": found.level,
                "looks": found.n_analyses,
                "headline": "most" if found.one_is_enough else "least",
                "n_seeds": study.n_seeds,
                "parts": [part.judged for part in found.parts],
                "runs": [run.id for run in found.runs],
                **found.extra,
            }
        )

    def rests_on(self, study: StudySpec) -> str:
        """Return the size of the evidence in words: model, and texts or seeds."""
        size = f"{study.n_texts} texts of each data set"
        if self.unit == SEED:
            size = f"{study.n_seeds} seeds, {study.steps} steps of {study.batch_size} examples"
        return f"Rests on {study.model.label}, {size}."


def table(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the parts, one row each.

    Columns: quantity, of, value, low, high, null, claimed, alone (the verdict of that row by
    itself), p, n, decides.
    """
    return pd.DataFrame(
        [
            {
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
