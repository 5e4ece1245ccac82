"""What is read of a job that has succeeded: the base of the reading sides."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.store import JobFolder


@dataclass(frozen=True)
class Made:
    """What a job keeps in its folder.

    Attributes:
        job: that made it.
    """

    job: JobFolder

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Return `result.json`."""
        return self.job.result() or {}
