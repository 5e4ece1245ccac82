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
    decides: bool


class Judgement(Measured):
    """A verdict with all that it rests on; its own number is the headline's.

    Further names hold the claim's texts and facts of its own, such as the margin.

    Attributes:
        unit: of independence.
        of: what the headline describes.
        looks: number of analyses so far.
        headline: 'least' or 'most': how far the headline supports the claim among the parts.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    unit: str
    verdict: Verdict
    words: str
    rests_on: str
    of: str
    level: float
    looks: int
    headline: str
    n_seeds: int
    parts: tuple[JudgedPart, ...]
    runs: tuple[str, ...]

    @property
    def stopped(self) -> str:
        """Return why no further seeds were added; empty where none were."""
        return str((self.model_extra or {}).get("stopped", ""))
