"""Why a run ended where it did. Free of torch."""

from typing import Literal

from core.store.imported import unknown_settings
from core.store.jobs import JobFolder

Ending = Literal["converged", "longest length", "fixed length"]
CONVERGED: Ending = "converged"
"""The validation loss had not improved for as many evaluations as the run's patience."""
LONGEST: Ending = "longest length"
"""The loss still improved when the steps of a run with patience were done."""
FIXED: Ending = "fixed length"
"""A run without patience, as all were before there was a choice."""


def ending_of(job: JobFolder) -> str:
    """Return how a run came to its end: an `Ending`; empty while it has none, or where it is not known."""
    if job.kind != "tune" or job.status().state != "succeeded":
        return ""
    return (job.result() or {}).get("ending") or ("" if "steps" in unknown_settings(job) else FIXED)


def may_end_early(job: JobFolder) -> bool:
    """Return whether a job is a run with patience, whose total of steps is the most there can be."""
    return job.kind == "tune" and bool(job.spec.get("patience"))
