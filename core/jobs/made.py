"""What is read of a job that has succeeded: the base of the reading sides."""

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar, cast

from core.store import JobFolder

Summary = TypeVar("Summary")


@dataclass(frozen=True)
class Made(Generic[Summary]):
    """What a job keeps in its folder.

    Attributes:
        job: that made it.
    """

    job: JobFolder

    @cached_property
    def summary(self) -> Summary:
        """Return `result.json`."""
        return cast(Summary, self.job.result() or {})
