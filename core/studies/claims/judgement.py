"""A judged claim as its job keeps it and as pages and reports read it."""

import math

from pydantic import BaseModel, ConfigDict

from core.analysis.verdict import Verdict


def finite(value: float | None) -> float | None:
    """Return a number, or None where it is not finite, since JSON cannot express that."""
    return float(value) if value is not None and math.isfinite(value) else None


class BoundsInWords(BaseModel):
    """Where a number lies if the claim is right; None for no bound."""

    model_config = ConfigDict(frozen=True)

    low: float | None
    high: float | None
    words: str


class Measured(BaseModel):
    """A number with its interval, bounds and null; what is not known is None."""

    model_config = ConfigDict(frozen=True)

    quantity: str
    value: float | None
    low: float | None
    high: float | None
    bounds: BoundsInWords
    null_value: float | None
    null_low: float | None
    null_high: float | None
    p: float | None
    n: int
    alone: Verdict


class JudgedPart(Measured):
    """One of the numbers that a verdict rests on."""

    name: str
    sentence: str
    decides: bool


class JudgedControl(BaseModel):
    """What the rule of a sentence says on a control.

    Attributes:
        name: 'zero steps' or 'random labels'.
        verdict: of the rule; where it holds here as well, training is not what made it hold.
        part: the number that decides there; its `sentence` says which sentence is meant.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    part: JudgedPart


class JudgedSentence(BaseModel):
    """The verdict on one of a claim's sentences.

    Attributes:
        name: 'a', 'b' and so on; empty where the claim has one sentence.
        words: of the sentence.
        verdict: on it.
        reason: why it stays undecided whatever its numbers say; empty where it does not.
        of: the part that represents it.
        quantity: of that part.
        smallest: how far from its bound the true value of that part must lie to be decided in 80 %
            of such studies; None where that is unknown.
        spread: standard deviation of a unit behind that part; None where that is unknown.
        units_needed: independent units with which an undecided sentence would be decided in 80 % of
            studies, if the true value is the one found (equivalence: if there is no difference);
            None where it is decided, or no number is enough.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    words: str
    verdict: Verdict
    reason: str
    of: str
    quantity: str
    smallest: float | None
    spread: float | None
    units_needed: int | None


class Judgement(Measured):
    """A verdict with all that it rests on; its own number is the headline's.

    Further names hold the claim's texts and facts of its own, such as the margin.

    Attributes:
        unit: of independence.
        rule_version: of the rules; see `core.studies.claims.RULES_VERSION`.
        of: what the headline describes.
        looks: number of analyses so far.
        headline: 'least' or 'most': how far the headline supports the claim among the parts.
        sentences: at least one.
        controls: by sentence and name.
        first_runs: those with the first seed, one per prior or setting.
        n_runs: tuning runs that were requested.
        n_converged: how many of them ended because the loss no longer improved.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    unit: str
    rule_version: str
    verdict: Verdict
    words: str
    rests_on: str
    of: str
    level: float
    looks: int
    headline: str
    n_seeds: int
    parts: tuple[JudgedPart, ...]
    sentences: tuple[JudgedSentence, ...]
    controls: tuple[JudgedControl, ...]
    runs: tuple[str, ...]
    first_runs: tuple[str, ...]
    n_runs: int
    n_converged: int

    @property
    def stopped(self) -> str:
        """Return why no further seeds were added; empty where none were."""
        return str((self.model_extra or {}).get("stopped", ""))
