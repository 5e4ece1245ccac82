"""What a claim is, and what judging it gives."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from core.analysis.intervals import LEVEL, Interval
from core.analysis.verdict import Bounds, Stated, Verdict, decide, decide_all, strongest, weakest, widen
from core.figures.verdicts import Row, intervals_figure
from core.specs import StudySpec
from core.store import JobFolder
from core.studies.bench import Bench
from core.studies.figure import Reproduced

DOCUMENT, SEED = "document", "seed"
JACKKNIFE_FREEDOM = 9
"""Degrees of freedom of an atlas's intervals that leave out one of ten blocks of documents at a time."""


@dataclass(frozen=True)
class Part:
    """One number that a verdict rests on.

    Attributes:
        name: what it is of, such as 'site 7' or 'gaussian - xavier'.
        quantity: what it is, with its unit; parts of one quantity share an axis.
        interval: value and interval.
        bounds: where the number lies if the claim is right.
        null: its value, or range, where nothing but chance is at work; None where there is no such thing.
        p: against that null, where there is one.
        n: units of independence behind the interval.
        decides: whether the verdict takes it in; otherwise it stands beside.
        freedom: degrees of freedom of Student's law behind the interval; infinity for the normal law.
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
        """Return the number with what the claim says of it."""
        return Stated(self.interval, self.bounds, self.freedom)


Rule = Callable[[Sequence[Part], float], Verdict]
"""The verdict of the parts that decide, from their intervals at a level."""


def all_inside(parts: Sequence[Part], level: float) -> Verdict:
    """Return the verdict where every part must lie inside its bounds."""
    return decide_all([part.stated for part in parts], level)


@dataclass(frozen=True)
class Judged:
    """What became of a claim.

    Attributes:
        parts: every number, in the order of the picture; at least one decides.
        words: what was found, in one or two sentences.
        rule: how parts come to a verdict.
        runs: tuning runs behind it.
        level: of the intervals that decide.
        extra: further facts, JSON-able.
        looks: how often it was judged, with more seeds each time, until this.
        one_is_enough: whether the claim says that something is possible, so that its best case stands for it.
    """

    parts: Sequence[Part]
    words: str
    rule: Rule = all_inside
    runs: Sequence[JobFolder] = ()
    level: float = LEVEL
    extra: dict[str, Any] = field(default_factory=dict)
    looks: int = 1
    one_is_enough: bool = False

    @property
    def deciding(self) -> list[Part]:
        """Return the parts that the verdict takes in."""
        return [part for part in self.parts if part.decides]

    @property
    def verdict(self) -> Verdict:
        """Return what the rule gives."""
        return self.rule(self.deciding, self.level)

    @property
    def headline(self) -> Part:
        """Return the part that supports the claim least, or of the first quantity most where one is enough."""
        parts = self.deciding
        if self.one_is_enough:
            parts = [part for part in parts if part.quantity == parts[0].quantity]
            return parts[strongest([part.stated for part in parts])]
        return parts[weakest([part.stated for part in parts])]

    def after(self, looks: int) -> "Judged":
        """Return the same numbers with intervals that allow for having looked several times.

        Who adds seeds until a verdict comes gets one by luck in the end. Look k therefore has 1 / k (k + 1) of the
        error that a single one may make, which is the whole of it over any number of looks.

        Source: alpha spending, Lan & DeMets, 1983; here with the terms of a telescoping series.
        """
        share = looks * (looks + 1)
        parts = [
            replace(part, interval=widen(part.interval, share, self.level, part.freedom)) if part.decides else part
            for part in self.parts
        ]
        return replace(self, parts=parts, looks=looks)


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper and how it is judged.

    Attributes:
        number: C1 is 1.
        title: the claim in a few words.
        quote: the paper's own words.
        section: of the paper.
        statistic: what is measured.
        why: this and not another.
        null: what it is held against.
        unit: of independence, 'document' or 'seed'.
        rule: when it holds, fails or stays undecided; bounds in numbers.
        figures: items of the study that show the paper's pictures of it.
        judge: does it.
        arms: of the study whose further seeds can decide it; empty where seeds do not matter.
        also: what a seed costs beside tuning runs; empty for nothing.
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
        """Judge it and return picture, table and numbers; `numbers['judgement']` is all that a page shows."""
        return self.told(self.judge(bench), bench.spec)

    def told(self, found: Judged, study: StudySpec) -> Reproduced:
        """Return picture, table and numbers of what was judged."""
        return Reproduced(
            picture=intervals_figure([_row(part) for part in found.parts]),
            points=table(found.parts),
            numbers={"judgement": judgement(self, found, study)},
            caption=f"C{self.number}, {found.verdict}: {found.words} {rests_on(study, self)}",
        )


def judgement(claim: Claim, found: Judged, study: StudySpec) -> dict[str, Any]:
    """Return a judged claim, JSON-able: what it says, how it was judged, and what was found."""
    said = ("number", "title", "quote", "section", "statistic", "why", "null", "unit", "rule", "figures", "arms")
    head = found.headline
    return {
        **{name: getattr(claim, name) for name in said},
        "figures": list(claim.figures),
        "arms": list(claim.arms),
        "verdict": found.verdict,
        "words": found.words,
        "rests_on": rests_on(study, claim),
        "quantity": head.quantity,
        "of": head.name,
        **_numbers(head),
        "level": found.level,
        "looks": found.looks,
        "headline": "most" if found.one_is_enough else "least",
        "n_seeds": study.n_seeds,
        "parts": [
            {"name": part.name, "quantity": part.quantity, "decides": part.decides, **_numbers(part)}
            for part in found.parts
        ],
        "runs": [run.id for run in found.runs],
        **found.extra,
    }


def rests_on(study: StudySpec, claim: Claim) -> str:
    """Say on what a verdict rests: a small model with few seeds says so."""
    size = f"{study.n_texts} texts of each data set"
    if claim.unit == SEED:
        size = f"{study.n_seeds} seeds, {study.steps} steps of {study.batch_size} examples"
    return f"Rests on {study.model.label}, {size}."


def table(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the parts, a row each: quantity, of, value, low, high, null, claimed, verdict, p, n, decides."""
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
                "alone": decide(part.interval, part.bounds),
                "p": math.nan if part.p is None else part.p,
                "n": part.n,
                "decides": part.decides,
            }
            for part in parts
        ]
    )


def _row(part: Part) -> Row:
    return Row(
        part.name,
        part.quantity,
        part.interval,
        part.bounds,
        part.null,
        decide(part.interval, part.bounds),
        part.decides,
    )


def _numbers(part: Part) -> dict[str, Any]:
    """Return a part's numbers; what is not finite is None, as JSON has no word for it."""
    null = part.null
    return {
        "value": _known(part.interval.value),
        "low": _known(part.interval.low),
        "high": _known(part.interval.high),
        "bounds": {"low": _known(part.bounds.low), "high": _known(part.bounds.high), "words": str(part.bounds)},
        "null_value": _known(null.value) if null else None,
        "null_low": _known(null.low) if null else None,
        "null_high": _known(null.high) if null else None,
        "p": _known(part.p),
        "n": part.n,
        "alone": decide(part.interval, part.bounds),
    }


def _known(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
