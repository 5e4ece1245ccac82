"""Runs that were brought from elsewhere: what their provenance says of it, and what is not known of them."""

import json

from core.specs.base import JsonObject
from core.store.jobs import JobFolder

UNKNOWN = "unknown"
"""In the provenance of an imported run: names of settings that its spec only fills in."""


def imported(job: JobFolder) -> JsonObject | None:
    """Return what is known of a run's import, or None of a run that was made here."""
    path = job.path / "provenance.json"
    return json.loads(path.read_text(encoding="utf-8")).get("imported") if path.is_file() else None


def unknown_settings(job: JobFolder) -> tuple[str, ...]:
    """Return the settings of a run that its spec only fills in: they were not recorded when it was imported."""
    return tuple((imported(job) or {}).get(UNKNOWN, ()))
