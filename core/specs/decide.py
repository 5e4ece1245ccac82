"""Which claim to add seeds to, and for how long."""

from pydantic import Field

from core.specs.base import Spec
from core.specs.study import StudySpec


class DecideSpec(Spec):
    """A claim that is judged with one seed more each time, until it is decided or the budget ends."""

    study: StudySpec = Field(
        default_factory=StudySpec, title="Study", description="With the number of seeds to begin with."
    )
    claim: int = Field(ge=1, le=1000, title="Claim", description="By its number: C5 is 5.")
    minutes: float = Field(
        default=20,
        gt=0,
        le=10_000,
        title="Budget",
        description="Minutes; no seed is added that would not end in them at the pace of the last one.",
    )
    most_seeds: int = Field(default=12, ge=2, le=100, title="Seeds at most", description="Of each prior and rate.")
