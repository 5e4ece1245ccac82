"""Which claim to add seeds to, and for how long."""

from pydantic import Field

from core.specs.base import Spec
from core.specs.study import StudySpec


class DecideSpec(Spec, frozen=True):
    """A claim that is judged at planned numbers of seeds, until it is decided or time runs out."""

    study: StudySpec = Field(default=StudySpec(), title="Study")
    """The study, with the number of seeds to begin with."""
    claim: int = Field(ge=1, le=1000, title="Claim")
    """Number of the claim: 5 for C5."""
    minutes: float = Field(default=20, gt=0, le=10_000, title="Budget")
    """Minutes; an analysis that would take longer, judging by the last one, is not started."""
    most_seeds: int = Field(default=12, ge=2, le=100, title="Most seeds")
    """Seeds per prior and learning rate of the last planned analysis."""
