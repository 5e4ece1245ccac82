"""Imports the runs of a bundle after checking every file.

Nothing is unpickled, and nothing is written outside the cache folder.
"""

import re
import time
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from core.errors import BadData, BadRequest, DamagedArtifact
from core.exchange.bundle import MANIFEST, MEASURE_FILES, README, RUN_FILES
from core.exchange.bundle_reader import Files, OpenBundle, copy_member, opened, read_manifest, require_modest
from core.exchange.checks import require_measure, require_run
from core.exchange.restore import prepared
from core.specs.base import JsonObject
from core.store import JobFolder, Store
from core.store.files import checksum, disk_errors, write_json
from core.store.imported import UNKNOWN
from core.store.record_files import read_object, read_request, read_status

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}"
_FOLDERS = {
    "runs": (re.compile(rf"runs/({_PART})/({_PART})"), RUN_FILES),
    "jobs": (re.compile(rf"jobs/({_PART})/({_PART})"), MEASURE_FILES),
}
_BESIDE = re.compile(rf"(coordinates|figures)/{_PART}")
"""Files that are checked but not imported."""


def import_bundle(source: Path, store: Store) -> JsonObject:
    """Restore the runs of a bundle, with their measures.

    Args:
        source: a folder or a zip file that `export --format bundle` made.
        store: the cache folder.

    Returns:
        format, runs, those that existed already, measures restored, files and bytes checked.

    Raises:
        BadData: not a bundle, or one that is damaged, of a later version, or has unexpected files.
        BadRequest: another run of the same id exists here; nothing was restored.
        DiskFull: the disk is full; each restored run is complete.
    """
    with opened(source) as bundle:
        manifest = read_manifest(bundle)
        files = manifest.files
        by_job = _sorted_out(files, bundle)
        require_modest(files, bundle)
        store.require_free(2 * manifest.n_bytes, f"Importing {source.name}")
        for name, entry in files.items():
            copy_member(bundle, name, entry, lambda _: None)
        there = [key for key, names in by_job.items() if _is_there(key, files, names, store)]
        told = {"format": "bundle", "bundle": source.name, "program": manifest.program, "time": time.time()}
        with ExitStack() as stack:
            fresh = [
                stack.enter_context(_restored(bundle, key, files, by_job[key], store, told))
                for key in by_job
                if key not in there
            ]
            for appear in fresh:
                appear()
    return {
        "format": "bundle",
        "runs": [job for place, job in by_job if place == "runs"],
        "already_there": [job for place, job in there if place == "runs"],
        "n_measures": sum(place == "jobs" for place, _ in by_job) - sum(place == "jobs" for place, _ in there),
        "n_files": len(files),
        "bytes": manifest.n_bytes,
    }


def is_bundle(source: Path) -> bool:
    """Return whether a path looks like a bundle."""
    return zipfile.is_zipfile(source) if source.is_file() else (source / MANIFEST).is_file()


def _sorted_out(files: Files, bundle: OpenBundle) -> dict[tuple[str, str], list[str]]:
    """Return the names of files by their job, runs first; refuse names that no bundle has."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in sorted(files, key=lambda name: (not name.startswith("runs/"), name)):
        if name == README or _BESIDE.fullmatch(name):
            continue
        for place, (pattern, allowed) in _FOLDERS.items():
            match = pattern.fullmatch(name)
            if match and match[2] in allowed:
                found.setdefault((place, match[1]), []).append(name)
                break
        else:
            raise BadData(
                f"The bundle {bundle.source.name!r} lists the file {name!r}, which a bundle cannot have; "
                "nothing was imported."
            )
    if not found:
        raise BadData(f"The bundle {bundle.source.name!r} holds no run; export it again.")
    return found


def _restored(
    bundle: OpenBundle, key: tuple[str, str], files: Files, names: list[str], store: Store, told: Mapping[str, object]
) -> AbstractContextManager[Callable[[], JobFolder]]:
    """Return a job's folder, filled and checked, and ready to appear in the store."""
    place, job_id = key

    def fill(folder: Path) -> None:
        for name in names:
            with (folder / Path(name).name).open("wb") as file:
                copy_member(bundle, name, files[name], file.write)
        _require(JobFolder(folder), "tune" if place == "runs" else "measure", store)
        if place == "runs":
            _tell(folder / "provenance.json", told)

    return prepared(store, place, job_id, fill)


def _is_there(key: tuple[str, str], files: Files, names: list[str], store: Store) -> bool:
    """Return whether a job exists here with the same spec and posterior.

    Raises:
        BadRequest: another job with that id exists here.
    """
    place, job_id = key
    folder = store.root / place / job_id
    if not (folder / "status.json").exists():
        return False
    for name in names:
        path = folder / Path(name).name
        if path.name in ("spec.json", "posterior.safetensors") and (
            not path.is_file() or checksum(path) != files[name].sha256
        ):
            raise BadRequest(
                f"Another {job_id} exists here ({path.name} differs from the bundle); delete it with `python -m core "
                "runs delete`, or set PRIORSCOPE_CACHE to another folder. Nothing was imported."
            )
    return True


def _require(job: JobFolder, kind: str, store: Store) -> None:
    """Check all that is read of a job later, and that the job has ended."""
    try:
        request, status = read_request(job.path / "spec.json", believe=False), read_status(job.path / "status.json")
        if request.kind != kind or not status.ended or status.state == "damaged":
            raise BadData(
                f"{job.id} in the bundle is a {request.kind} job that is {status.state}; only ended {kind} jobs are "
                "restored."
            )
        if kind == "tune":
            require_run(job, store)
        else:
            require_measure(job)
    except (DamagedArtifact, FileNotFoundError) as error:
        reason = str(error) if isinstance(error, DamagedArtifact) else f"{Path(error.filename).name} is missing"
        raise BadData(f"{job.id} in the bundle cannot be read ({reason}); export it again.") from None


def _tell(path: Path, told: Mapping[str, object]) -> None:
    """Record in a run's provenance that it was imported, and keep what was unknown before."""
    known = read_object(path) if path.is_file() else {}
    before = known.get("imported") or {}
    with disk_errors(path):
        write_json(path, {**known, "imported": {**before, **told, UNKNOWN: before.get(UNKNOWN, [])}})
