"""Imports the runs of a bundle after checking every file.

Nothing is unpickled, and nothing is written outside the cache folder.
"""

import hashlib
import os
import re
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from core.errors import BadData, BadRequest, DamagedArtifact, shown
from core.exchange.bundle import FORMAT, FORMAT_VERSION, LOG_BYTES, MANIFEST, MEASURE_FILES, README, RUN_FILES, Manifest
from core.exchange.checks import require_measure, require_run
from core.exchange.restore import prepared
from core.specs.base import JsonObject
from core.specs.reading import DOCUMENT_BYTES, parse_json
from core.store import JobFolder, Store
from core.store.files import checksum, disk_errors, write_json
from core.store.imported import UNKNOWN
from core.store.records import read_object, read_request, read_status
from core.store.seal import SealedFile

MAX_FILES = 20_000
MAX_RATIO = 200
"""Of the size of a packed file to what it takes in the bundle: text of runs takes a tenth or more."""
LIMITS = {".json": 16_000_000, ".txt": LOG_BYTES, ".md": 1_000_000, ".jsonl": 500_000_000}
"""Bytes of a file by the ending of its name."""
MAX_BYTES = 2_000_000_000
"""Bytes of any other file."""
_BLOCK = 1 << 20
_END_BYTES = 66_000
"""At the end of a zip file, with the number of its files."""
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,79}"
_FOLDERS = {
    "runs": (re.compile(rf"runs/({_PART})/({_PART})"), RUN_FILES),
    "jobs": (re.compile(rf"jobs/({_PART})/({_PART})"), MEASURE_FILES),
}
_BESIDE = re.compile(rf"(coordinates|figures)/{_PART}")
"""Files that are checked but not imported."""
Files = Mapping[str, SealedFile]


class _Bundle:
    """An open bundle, from a folder or a zip file."""

    def __init__(self, source: Path, packed: zipfile.ZipFile | None) -> None:
        self.source = source
        self.packed = packed
        self.members = Counter(packed.namelist() if packed else ())

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member.

        Raises:
            BadData: it is missing, a link or a pipe, encrypted, or contained twice.
        """
        try:
            if self.packed is None:
                path = self.source / name
                if path.is_symlink() or not path.resolve().is_relative_to(self.source.resolve()):
                    raise BadData(f"{name!r} in the bundle is a link, which could point anywhere; export it again.")
                if not path.is_file():
                    raise FileNotFoundError(name)
                with path.open("rb") as file:
                    yield file
            else:
                if self.members[name] > 1:
                    raise BadData(f"{name!r} is in the bundle twice; export it again.")
                with self.packed.open(name) as file:
                    yield file
        except (KeyError, FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise BadData(
                f"The file {name!r} is missing from the bundle {self.source.name!r}; fetch it again."
            ) from None
        except (RuntimeError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
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
        _require_modest(files, bundle)
        store.require_free(2 * manifest.n_bytes, f"Importing {source.name}")
        for name, entry in files.items():
            _copy(bundle, name, entry, lambda _: None)
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


@contextmanager
def _opened(source: Path) -> Iterator[_Bundle]:
    if source.is_dir():
        yield _Bundle(source, None)
        return
    try:
        _require_few(source)
        packed = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadData(f"{source.name!r} is no zip file ({error}); name a bundle, or an adapter's folder.") from None
    with packed:
        yield _Bundle(source, packed)


def _read_manifest(bundle: _Bundle) -> Manifest:
    with bundle.open(MANIFEST) as file:
        raw = file.read(DOCUMENT_BYTES + 1)
    try:
        data = parse_json(raw)
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


def _require_few(source: Path) -> None:
    """Check how many files a zip file says it holds, before its table of contents is read."""
    with source.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    n_files = int.from_bytes(end[at + 10 : at + 12], "little") if at >= 0 else 0
    if n_files > MAX_FILES:
        raise BadData(f"{source.name!r} holds over {MAX_FILES:,} files, more than a bundle has; export fewer runs.")


def _require_modest(files: Files, bundle: _Bundle) -> None:
    """Check the number and the sizes of files before any is unpacked."""
    if len(files) > MAX_FILES:
        raise BadData(f"{bundle.source.name!r} lists {len(files):,} files, more than {MAX_FILES:,}; export fewer runs.")
    for name, entry in files.items():
        limit = LIMITS.get(Path(name).suffix, MAX_BYTES)
        if entry.bytes > limit:
            raise BadData(
                f"{name!r} in {bundle.source.name!r} has {entry.bytes:,} bytes, and {limit:,} are allowed; nothing was "
                "imported."
            )
    for member in bundle.packed.infolist() if bundle.packed else ():
        if member.file_size > max(_BLOCK, MAX_RATIO * member.compress_size):
            raise BadData(
                f"{shown(member.filename)} in {bundle.source.name!r} unpacks to {member.file_size:,} bytes from "
                f"{member.compress_size:,}, more than {MAX_RATIO} times as many; nothing was imported."
            )


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


def _restored(
    bundle: _Bundle, key: tuple[str, str], files: Files, names: list[str], store: Store, told: Mapping[str, object]
) -> AbstractContextManager[Callable[[], JobFolder]]:
    """Return a job's folder, filled and checked, and ready to appear in the store."""
    place, job_id = key

    def fill(folder: Path) -> None:
        for name in names:
            with (folder / Path(name).name).open("wb") as file:
                _copy(bundle, name, files[name], file.write)
        _require(JobFolder(folder), "tune" if place == "runs" else "measure", store)
        if place == "runs":
            _tell(folder / "provenance.json", told)

    return prepared(store, place, job_id, fill)


def _copy(bundle: _Bundle, name: str, entry: SealedFile, write: Callable[[bytes], Any]) -> None:
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
