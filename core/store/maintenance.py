"""Look after the cache folder: what is in it, whether it is sound, and what can go."""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadRequest, Busy, DamagedArtifact
from core.progress import Progress, silent
from core.specs.reading import is_object
from core.store.artifacts import MANIFEST, Manifest, Store, verify
from core.store.files import forget_checksums
from core.store.listing import damaged_folders, list_jobs
from core.store.names import named_artifacts
from core.store.record_files import check, read_digested

RUN, JOB = "run", "job"
"""Kinds shown for job folders when they are verified."""
DAMAGED = "damaged"
"""Kind shown for what was set aside because its checksum was wrong."""
LEFTOVER = "leftover"
"""Kind shown for what a killed process left half-made."""
LEFTOVER_SECONDS = 24 * 3600.0
"""Younger leftovers may still be in the making."""


@dataclass(frozen=True)
class Entry:
    """One thing in the cache folder that could be made again.

    Attributes:
        kind: of artifact, or 'damaged' or 'leftover'.
        key: its name among its kind.
        bytes: size on disk.
        created: seconds since the epoch.
        used: when it was last looked up.
        description: a few words from its spec.
        folder: where it is.
    """

    kind: str
    key: str
    bytes: int
    created: float
    used: float
    description: str
    folder: Path


def cache_entries(store: Store, kind: str | None = None) -> list[Entry]:
    """Return everything that could be made again (of one kind), the largest first. Runs and jobs are not among it.

    Raises:
        BadRequest: nothing of that kind is stored.
    """
    entries = [_entry(kind, key, folder) for kind, key, folder in store.artifacts()]
    entries += [_aside(DAMAGED, folder) for folder in sorted((store.root / "damaged").glob("*"))]
    entries += [_aside(LEFTOVER, folder) for folder in _leftovers(store)]
    kinds = {entry.kind for entry in entries}
    if kind is not None and kind not in kinds:
        raise BadRequest(f"Nothing of kind {kind!r} is stored; there is: {', '.join(sorted(kinds)) or 'nothing'}.")
    chosen = [entry for entry in entries if kind in (None, entry.kind)]
    return sorted(chosen, key=lambda entry: entry.bytes, reverse=True)


def verify_all(store: Store, progress: Progress = silent) -> list[tuple[Entry, str]]:
    """Read and check every artifact, run and job.

    A damaged artifact is set aside, to be made again; a damaged run or job is marked as such.

    Returns:
        each of them with what is wrong with it; empty if nothing is.
    """
    forget_checksums()
    found, jobs, unread = list(store.artifacts()), list_jobs(store), damaged_folders(store)
    total = len(found) + len(jobs) + len(unread)
    results: list[tuple[Entry, str]] = []
    for kind, key, folder in found:
        progress(len(results), total, f"{kind} {key}")
        entry = _entry(kind, key, folder)
        try:
            verify(kind, key, folder)
            problem = ""
        except DamagedArtifact as error:
            problem = str(error)
            store.set_aside(kind, key, error)
        results.append((entry, problem))
    for job in jobs:
        progress(len(results), total, job.id)
        results.append((_aside(RUN if job.kind == "tune" else JOB, job.path), job.verify()))
    results += [(_aside(JOB, folder.job.path), folder.reason) for folder in unread]
    progress(total, total, "verified")
    return results


def without_checksums(store: Store) -> list[str]:
    """Return the ids of runs and jobs that ended without checksums, as version 0.1.0 left them."""
    statuses = ((job.id, job.stored_status()) for job in list_jobs(store))
    return [name for name, status in statuses if status.state in ("succeeded", "failed") and not status.seal]


def leftovers(store: Store) -> list[Entry]:
    """Return what killed processes left half-made, whatever its age."""
    return [_aside(LEFTOVER, folder) for folder in _leftovers(store, 0.0)]


def prune(store: Store, kind: str | None = None, older_than: float | None = None, dry_run: bool = True) -> list[Entry]:
    """Delete what can be made again: artifacts, what was set aside, and leftovers; never runs, jobs or what has a name.

    Args:
        store: the cache folder.
        kind: only this kind.
        older_than: only what was not looked up for this many seconds.
        dry_run: only say what would go.

    Returns:
        what went, or would go.

    Raises:
        BadRequest: nothing of that kind is stored, or a negative age.
        Busy: jobs are queued or running; they may be reading what would go.
    """
    if older_than is not None and older_than < 0:
        raise BadRequest(f"An age of {older_than:g} s is below 0; give 0 or more.")
    before = time.time() - (older_than or 0.0)
    kept = named_artifacts(store)
    chosen = [
        entry
        for entry in cache_entries(store, kind)
        if (older_than is None or entry.used < before) and (entry.kind, entry.key) not in kept
    ]
    if dry_run:
        return chosen
    active = [job.id for job in list_jobs(store) if not job.status().ended]
    if active:
        raise Busy(
            f"{len(active)} jobs are queued or running ({', '.join(active[:3])}{' …' if len(active) > 3 else ''}) "
            "and may need what would be deleted; wait for them or cancel them."
        )
    return [entry for entry in chosen if _delete(store, entry)]


def _delete(store: Store, entry: Entry) -> bool:
    """Delete one entry unless it is being made this moment; return whether it went."""
    if entry.kind in (DAMAGED, LEFTOVER):
        if entry.folder.is_dir():
            shutil.rmtree(entry.folder)
        else:
            entry.folder.unlink(missing_ok=True)
        return True
    try:
        with store.lock(f"{entry.kind}-{entry.key}", timeout=0):
            store.remove(entry.kind, entry.key)
    except (Busy, FileNotFoundError):
        return False
    return True


def _leftovers(store: Store, older_than: float = LEFTOVER_SECONDS) -> Iterator[Path]:
    """Yield what is in `tmp/`, folders of runs and jobs half deleted, and files half written in them."""
    halves = (path for place in ("runs", "jobs") for path in (store.root / place).glob(".*.????????"))
    files = (path for place in ("runs", "jobs") for path in (store.root / place).glob("*/.*.????????"))
    for path in sorted([*(store.root / "tmp").glob("*"), *halves, *files]):
        with suppress(FileNotFoundError):
            if abs(time.time() - path.stat().st_mtime) >= older_than:
                yield path


def _entry(kind: str, key: str, folder: Path) -> Entry:
    try:
        manifest = check(read_digested(folder / MANIFEST), Manifest, MANIFEST)
        created, description = manifest.created, _describe(manifest.spec)
    except (OSError, DamagedArtifact):
        created, description = folder.stat().st_mtime, "(its manifest cannot be read)"
    return Entry(kind, key, _bytes(folder), created, folder.stat().st_mtime, description, folder)


def _aside(kind: str, folder: Path) -> Entry:
    made = folder.stat().st_mtime
    return Entry(kind, folder.name, _bytes(folder), made, made, "", folder)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _describe(spec: Any) -> str:
    """Return the names in a spec in a few words: 'smollm2-135m · news · sites all'."""
    if not is_object(spec):
        return ""
    words: list[str] = []
    for field in ("name", "method", "model", "dataset", "module", "site", "sites", "samples"):
        value = spec.get(field)
        if isinstance(value, dict):
            words.append(_describe(value))
        elif field in ("site", "sites") and value is not None:
            words.append(f"{field} {value if isinstance(value, str | int) else ', '.join(map(str, value))}")
        elif isinstance(value, str):
            words.append(value)
        elif value is not None:
            words.append(f"{value} {field}")
    return " · ".join(filter(None, words))
