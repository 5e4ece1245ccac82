"""Runs that were brought from elsewhere: what their provenance says of it, and what is not known of them."""

from core.errors import DamagedArtifact
from core.specs.base import JsonObject
from core.store.jobs import JobFolder
from core.store.record_files import check, read_object
from core.store.records import Provenance

UNKNOWN = "unknown"
"""In the provenance of an imported run: names of settings that its spec only fills in."""


def provenance(job: JobFolder) -> Provenance:
    """Return what a run was made with; nothing where that is not recorded, or cannot be read and makes it damaged."""
    try:
        path = job.file("provenance.json")
    except DamagedArtifact:
        return Provenance()
    try:
        return check(read_object(path), Provenance, path.name)
    except FileNotFoundError:
        return Provenance()
    except DamagedArtifact as error:
        if job.status().state != "damaged":
            job.give_up_on(error)
        return Provenance()


def imported(job: JobFolder) -> JsonObject | None:
    """Return what is known of a run's import, or None of a run that was made here."""
    found = provenance(job).imported
    return found.model_dump(mode="json") if found else None


def unknown_settings(job: JobFolder) -> tuple[str, ...]:
    """Return the settings of a run that its spec only fills in: they were not recorded when it was imported."""
    found = provenance(job).imported
    return found.unknown if found else ()
