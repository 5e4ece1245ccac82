"""Imports the runs of a bundle after checking every file.

Nothing is unpickled, and nothing is written outside the cache folder.
"""

import hashlib
import json
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError
from safetensors import SafetensorError

from core.errors import BadData, BadRequest
from core.exchange.bundle import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    MEASURE_FILES,
    README,
    RUN_FILES,
    BundledFile,
    Manifest,
)
from core.exchange.restore import appear
from core.specs import MeasureSpec, TuningSpec
from core.specs.base import JsonObject
from core.store import JobFolder, Store
from core.store.files import checksum, disk_errors, write_json
from core.store.imported import UNKNOWN
from core.store.prompts import read_prompt
from core.store.status import ENDED

_MANIFEST_BYTES = 16_000_000
"""Longer manifests are refused."""
_BLOCK = 1 << 20
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}"
_FOLDERS = {
    "runs": (re.compile(rf"runs/({_PART})/({_PART})"), RUN_FILES),
    "jobs": (re.compile(rf"jobs/({_PART})/({_PART})"), MEASURE_FILES),
}
_BESIDE = re.compile(rf"(coordinates|figures)/{_PART}")
"""Files that are checked but not imported."""
Files = Mapping[str, BundledFile]


class _Bundle:
    """An open bundle, from a folder or a zip file."""

    def __init__(self, source: Path, packed: zipfile.ZipFile | None) -> None:
        self.source = source
        self.packed = packed

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member.

        Raises:
            BadData: it is missing, a link, encrypted, or contained twice.
        """
        try:
            if self.packed is None:
                path = self.source / name
                if path.is_symlink() or not path.resolve().is_relative_to(self.source.resolve()):
                    raise BadData(f"{name!r} in the bundle is a link, which could point anywhere; export it again.")
                with path.open("rb") as file:
                    yield file
            else:
                if self.packed.namelist().count(name) > 1:
                    raise BadData(f"{name!r} is in the bundle twice; export it again.")
                with self.packed.open(name) as file:
                    yield file
        except (KeyError, FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise BadData(
                f"The file {name!r} is missing from the bundle {self.source.name!r}; fetch it again."
            ) from None
        except (RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise BadData(f"{name!r} in {self.source.name!r} cannot be unpacked ({error}); fetch it again.") from None


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
    with _opened(source) as bundle:
        manifest = _read_manifest(bundle)
        files = manifest.files
        by_job = _sorted_out(files, bundle)
        store.require_free(2 * manifest.n_bytes, f"Importing {source.name}")
        for name, entry in files.items():
            _copy(bundle, name, entry, lambda _: None)
        there = [key for key, names in by_job.items() if _is_there(key, files, names, store)]
        told = {"format": "bundle", "bundle": source.name, "program": manifest.program, "time": time.time()}
        for key in [key for key in by_job if key not in there]:
            _restore(bundle, key, files, by_job[key], store, told)
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


@contextmanager
def _opened(source: Path) -> Iterator[_Bundle]:
    if source.is_dir():
        yield _Bundle(source, None)
        return
    try:
        packed = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadData(f"{source.name!r} is no zip file ({error}); name a bundle, or an adapter's folder.") from None
    with packed:
        yield _Bundle(source, packed)


def _read_manifest(bundle: _Bundle) -> Manifest:
    with bundle.open(MANIFEST) as file:
        raw = file.read(_MANIFEST_BYTES + 1)
    try:
        data = json.loads(raw) if len(raw) <= _MANIFEST_BYTES else None
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadData(f"{MANIFEST} in {bundle.source.name!r} is not a list of a bundle's files; export it again.")
    if data.get("version") != FORMAT_VERSION:
        raise BadData(
            f"The bundle {bundle.source.name!r} is of version {data.get('version')} and this program reads "
            f"{FORMAT_VERSION}; update the program."
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError:
        raise BadData(
            f"{MANIFEST} in {bundle.source.name!r} lacks sizes or checksums of files; export it again."
        ) from None


def _sorted_out(files: Files, bundle: _Bundle) -> dict[tuple[str, str], list[str]]:
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


def _restore(
    bundle: _Bundle, key: tuple[str, str], files: Files, names: list[str], store: Store, told: Mapping[str, object]
) -> None:
    """Put a job's folder into the store."""
    place, job_id = key

    def fill(folder: Path) -> None:
        for name in names:
            with (folder / Path(name).name).open("wb") as file:
                _copy(bundle, name, files[name], file.write)
        (_require_run if place == "runs" else _require_measure)(JobFolder(folder), job_id)
        if place == "runs":
            _tell(folder / "provenance.json", told)

    appear(store, place, job_id, fill)


def _copy(bundle: _Bundle, name: str, entry: BundledFile, write: Callable[[bytes], Any]) -> None:
    """Copy a member and check size and checksum; never copy more than was announced."""
    digest, n_bytes = hashlib.sha256(), 0
    with bundle.open(name) as file:
        while block := file.read(_BLOCK):
            n_bytes += len(block)
            if n_bytes > entry.bytes:
                break
            digest.update(block)
            write(block)
    if n_bytes != entry.bytes:
        more = "more than" if n_bytes > entry.bytes else f"{n_bytes} bytes instead of"
        raise BadData(f"{name!r} in {bundle.source.name!r} has {more} {entry.bytes}; fetch the bundle again.")
    if digest.hexdigest() != entry.sha256:
        raise BadData(f"{name!r} in {bundle.source.name!r} does not match its checksum; fetch the bundle again.")


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


def _require_run(job: JobFolder, job_id: str) -> None:
    _require(job, job_id, "tune", TuningSpec)
    try:
        read_prompt(job.path / "posterior.safetensors")
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise BadData(f"The posterior of {job_id} in the bundle cannot be read ({error}); export it again.") from None


def _require_measure(job: JobFolder, job_id: str) -> None:
    _require(job, job_id, "measure", MeasureSpec)


def _require(job: JobFolder, job_id: str, kind: str, spec: type[TuningSpec] | type[MeasureSpec]) -> None:
    try:
        found, state = job.kind, job.stored_status().state
        spec.parse(job.spec)
        job.result()
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadData(f"{job_id} in the bundle cannot be read ({error}); export it again.") from None
    if found != kind or state not in ENDED:
        raise BadData(f"{job_id} in the bundle is a {found} job that is {state}; only ended {kind} jobs are restored.")


def _tell(path: Path, told: Mapping[str, object]) -> None:
    """Record in a run's provenance that it was imported, and keep what was unknown before."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    before = known.get("imported") or {}
    with disk_errors(path):
        write_json(path, {**known, "imported": {**before, **told, UNKNOWN: before.get(UNKNOWN, [])}})
