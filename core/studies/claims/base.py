"""What a claim is, and the verdict that judging it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.analysis.intervals import LEVEL
from core.analysis.power import decided_from, spread_of, units_needed
from core.analysis.verdict import HOLDS, UNDECIDED, Stated, Verdict, join_verdicts, strongest, weakest, widen
from core.figures.verdicts import intervals_figure
from core.specs import StudySpec, TuningSpec
from core.store import JobFolder
from core.store.endings import CONVERGED, ending_of
from core.studies.arms import arms
from core.studies.bench import Bench
from core.studies.claims.judgement import JudgedSentence, Judgement, finite
from core.studies.claims.part import Control, Part, Rule, all_inside, measured_part, table
from core.studies.figure import Reproduced

__all__ = ["Control", "Part", "Rule", "all_inside", "measured_part", "table"]

DOCUMENT, SEED = "document", "seed"
JACKKNIFE_FREEDOM = 9
"""Degrees of freedom of an atlas's intervals, which leave out one of ten blocks of documents at a
time."""
RULES_VERSION = "2"
"""Goes up when a rule, a bound or what is measured changes."""


@dataclass(frozen=True)
class Judged:
    """A claim with the numbers and the rules that judge it.

    Attributes:
        parts: every number, in the order of the picture; at least one of each sentence decides.
        words: the finding, in one or two sentences.
        rule: derives a sentence's verdict from its parts.
        runs: tuning runs behind it, those that do not count included.
        level: of the intervals that decide, all analyses together.
        error: that the intervals of this analysis make; None stands for all that `level` leaves.
        extra: further facts, JSON-able.
        n_analyses: how often the claim was judged so far, each time with more seeds.
        one_is_enough: whether the claim says that something is possible, so that its best case
            represents it.
        rules: by sentence, where one has a rule of its own.
        controls: what the rules say where nothing was learned.
        blocked: why a sentence stays undecided whatever its numbers say, by sentence; 'not
            converged', for example.
    """

    parts: Sequence[Part]
    words: str
    rule: Rule = all_inside
    runs: Sequence[JobFolder] = ()
    level: float = LEVEL
    error: float | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    n_analyses: int = 1
    one_is_enough: bool = False
    rules: Mapping[str, Rule] = field(default_factory=dict)
    controls: Sequence[Control] = ()
    blocked: Mapping[str, str] = field(default_factory=dict)

    @property
    def deciding(self) -> list[Part]:
        """Return the parts that the verdict depends on."""
        return [part for part in self.parts if part.decides]

    @property
    def sentences(self) -> list[str]:
        """Return the names of the sentences, in the order of their parts."""
        return list(dict.fromkeys(part.sentence for part in self.parts))

    def verdict_on(self, sentence: str) -> Verdict:
        """Return the verdict that the rule gives on a sentence."""
        mine = [part for part in self.deciding if part.sentence == sentence]
        if self.blocked.get(sentence) or not mine:
            return UNDECIDED
        return self.rules.get(sentence, self.rule)(mine, self.level)

    @property
    def verdict(self) -> Verdict:
        """Return the claim's verdict, joined from those on its sentences."""
        return join_verdicts([self.verdict_on(sentence) for sentence in self.sentences])

    def headline_of(self, parts: Sequence[Part]) -> Part:
        """Return the part that supports the claim least.

        Where one case is enough, return the part of the first quantity that supports it most.
        """
        if self.one_is_enough:
            parts = [part for part in parts if part.quantity == parts[0].quantity]
            return parts[strongest([part.stated for part in parts])]
        return parts[weakest([part.stated for part in parts])]

    @property
    def headline(self) -> Part:
        """Return the part that represents the claim: that of the sentence which holds least."""
        return self.headline_of(self.deciding)

    @property
    def told(self) -> str:
        """Return the finding with why sentences are undecided and what their controls say."""
        reasons = dict.fromkeys(reason for reason in self.blocked.values() if reason)
        same = [
            f"The same holds for {control.name}, so training is not the cause."
            for control in self.controls
            if control.verdict == HOLDS and self.verdict_on(control.part.sentence) == HOLDS
        ]
        return " ".join(
            [self.words, *(f"{reason[:1].upper()}{reason[1:]}." for reason in reasons), *dict.fromkeys(same)]
        )

    def charged(self, error: float, n_analyses: int) -> "Judged":
        """Return the same numbers with the intervals of one of several planned analyses.

        Args:
            error: that this analysis may make, out of 1 - `level` of all of them together.
            n_analyses: how often the claim was judged so far.
        """
        share = (1 - self.level) / error
        parts = [
            replace(part, interval=widen(part.interval, share, self.level, part.freedom)) if part.decides else part
            for part in self.parts
        ]
        return replace(self, parts=parts, error=error, n_analyses=n_analyses)

    def decided_by(self, head: Part) -> tuple[Stated, float]:
        """Return a number as a verdict needs to know it, with the level of its interval.

        Where one case is enough, what speaks for the claim counts by an interval widened for the
        number of cases.
        """
        error = 1 - self.level if self.error is None else self.error
        if not self.one_is_enough or not head.bounds.low <= head.interval.value <= head.bounds.high:
            return head.stated, 1 - error
        n = len({part.name for part in self.deciding if part.sentence == head.sentence})
        return replace(head.stated, interval=widen(head.interval, n, 1 - error, head.freedom)), 1 - error / n


@dataclass(frozen=True)
class Claim:
    """What the paper claims in one or more sentences, and how it is judged.

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
        sentences: the words of each by its name, where there is more than one.
        basis: returns what it rests on besides the model and its arms' runs; None for the texts of
            each data set, or nothing but the runs.
        controls: arms of the study on which the rule is tried where nothing is learned.
        of_encoder: whether it rests on the encoder, which `basis` names, and not on the model.
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
    sentences: Mapping[str, str] = field(default_factory=dict)
    basis: Callable[[StudySpec], str] | None = None
    controls: tuple[str, ...] = ()
    of_encoder: bool = False

    @property
    def item(self) -> str:
        """Return its name among a study's items."""
        return f"claim-{self.number}"

    def seeds(self, study: StudySpec) -> int:
        """Return how many seeds its arms have in a study, the fewest of them."""
        known = arms(study)
        return min((len(known[arm].specs) for arm in self.arms), default=study.n_seeds)

    def reproduced(self, found: Judged, study: StudySpec) -> Reproduced:
        """Return picture, table and numbers of a verdict; its `Judgement` is among the numbers."""
        return Reproduced(
            picture=intervals_figure([part.row for part in found.parts]),
            points=table(found.parts),
            numbers={"judgement": self.judgement(found, study).model_dump(mode="json")},
            caption=f"C{self.number}, {found.verdict}: {found.told} {self.rests_on(study)}",
        )

    def judgement(self, found: Judged, study: StudySpec) -> Judgement:
        """Return the record of a verdict: the claim, how it was judged, and what was found."""
        head = found.headline
        copied = ("number", "title", "quote", "section", "statistic", "why", "null", "unit", "rule", "figures", "arms")
        runs = list({run.id: run for run in found.runs}.values())
        return Judgement.model_validate(
            {
                **{name: getattr(self, name) for name in copied},
                "rule_version": RULES_VERSION,
                "verdict": found.verdict,
                "words": found.told,
                "rests_on": self.rests_on(study),
                **head.judged.model_dump(exclude={"name", "decides", "sentence"}),
                "of": head.name,
                "level": found.level,
                "looks": found.n_analyses,
                "headline": "most" if found.one_is_enough else "least",
                "n_seeds": self.seeds(study),
                "parts": [part.judged for part in found.parts],
                "sentences": [self._sentence(found, name) for name in found.sentences],
                "controls": [control.judged for control in found.controls],
                "runs": [run.id for run in runs],
                "first_runs": [run.id for run in runs if run.spec.get("seed") == 0],
                "n_runs": len(runs),
                "n_converged": sum(ending_of(run) == CONVERGED for run in runs),
                **found.extra,
            }
        )

    def _sentence(self, found: Judged, name: str) -> JudgedSentence:
        head = found.headline_of([part for part in found.deciding if part.sentence == name])
        verdict, (stated, level) = found.verdict_on(name), found.decided_by(head)
        return JudgedSentence(
            name=name,
            words=self.sentences.get(name, self.title),
            verdict=verdict,
            reason=found.blocked.get(name, ""),
            of=head.name,
            quantity=head.quantity,
            smallest=finite(decided_from(stated, level)),
            spread=finite(spread_of(stated, head.n, level)),
            units_needed=units_needed(stated, head.n, level) if verdict == UNDECIDED else None,
        )

    def rests_on(self, study: StudySpec) -> str:
        """Return what this claim's verdict rests on in words: model, texts, and runs."""
        basis = [self.basis(study)] if self.basis else []
        if not basis and self.unit == DOCUMENT:
            basis = [f"{study.n_texts} texts of each data set"]
        known = arms(study)
        groups = dict.fromkeys(_runs_in_words(known[arm].specs) for arm in self.arms)
        model = [] if self.of_encoder else [study.model.label]
        return f"Rests on {', '.join([*model, *basis, *groups])}."


def _runs_in_words(specs: Sequence[TuningSpec]) -> str:
    one = specs[0]
    length = f"at most {one.steps}" if one.patience else f"{one.steps}"
    return f"{len(specs)} seeds of {one.method} prompts on {one.dataset.label} ({length} steps of {one.batch_size})"
