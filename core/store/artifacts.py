"""Content-addressed artifacts: a folder that appears whole or not at all, and is verified before it is believed."""

import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core import __version__
from core.errors import BadRequest, Busy, DamagedArtifact, DiskFull
from core.progress import Progress, silent
from core.specs.base import JsonObject
from core.store.files import checksum, disk_errors, sync_folder, sync_tree
from core.store.read_only import require_writable
from core.store.record_files import check, read_digested, write_digested
from core.store.records import Record
from core.store.seal import SealedFile, require_file
from core.store.status import Moment

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
FOLDERS = ("artifacts", "runs", "jobs", "tmp", "damaged", "locks", "engine")
_LOCK_SLICE = 0.5


class Manifest(Record):
    """`manifest.json` of an artifact; `info` is what its builder wanted to be remembered."""

    kind: str
    key: str
    spec: Any
    info: JsonObject
    files: dict[str, SealedFile]
    program: str
    created: Moment


@dataclass(frozen=True)
class Artifact:
    """A finished, verified artifact."""

    kind: str
    key: str
    folder: Path
    manifest: Manifest

    @property
    def info(self) -> JsonObject:
        """Return what the builder wanted to be remembered."""
        return self.manifest.info

    @property
    def n_bytes(self) -> int:
        """Return the size of all files."""
        return sum(entry.bytes for entry in self.manifest.files.values())


class Store:
    """The cache folder.

    Layout: `artifacts/<kind>/<key>/`, `runs/<id>/`, `jobs/<id>/`, `tmp/`, `damaged/`, `locks/`,
    `engine/`.
    """

    def __init__(self, root: Path) -> None:
        """Open (and create) a cache folder; what is in one that cannot be written can still be read.

        Raises:
            BadRequest: it cannot be a folder.
        """
        self.root = Path(root).resolve()
        try:
            for name in FOLDERS:
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if not self.root.is_dir():
                raise BadRequest(
                    f"The cache folder {self.root} cannot be made ({error.strerror}); set PRIORSCOPE_CACHE to a folder "
                    "that can be written."
                ) from None

    @classmethod
    def default(cls) -> "Store":
        """Open the folder named by `PRIORSCOPE_CACHE`, else `cache/` beside the core package."""
        named = os.environ.get("PRIORSCOPE_CACHE")
        return cls(Path(named) if named else Path(__file__).resolve().parents[2] / "cache")

    def folder(self, kind: str, key: str) -> Path:
        """Return where an artifact is or would be."""
        return self.root / "artifacts" / kind / key

    def find(self, kind: str, key: str) -> Artifact | None:
        """Return a verified artifact, or None.

        A damaged one is moved to `damaged/` with a warning, so that it will be made again.
        """
        folder = self.folder(kind, key)
        if not (folder / MANIFEST).exists():
            return None
        try:
            artifact = verify(kind, key, folder)
        except DamagedArtifact as error:
            self.set_aside(kind, key, error)
            return None
        with suppress(OSError):  # a read-only cache folder is fine; the time only serves `prune`
            os.utime(folder)
        return artifact

    def set_aside(self, kind: str, key: str, error: DamagedArtifact) -> None:
        """Move a damaged artifact to `damaged/`, and say so."""
        self.put_away(self.folder(kind, key), f"{kind}-{key}", f"{error} It will be made again.")

    def put_away(self, folder: Path, name: str, reason: str) -> None:
        """Move a damaged folder to `damaged/`, and say why; where nothing can be written it stays and is not read."""
        aside = self.root / "damaged" / f"{name}-{time.time_ns()}"
        try:
            folder.replace(aside)
        except FileNotFoundError:
            return  # removed, or set aside by another process, since it was looked at
        except OSError as problem:
            logger.warning("%s It could not be moved away (%s).", reason, problem.strerror)
        else:
            logger.warning("%s It was moved to damaged/%s.", reason, aside.name)

    def make(
        self,
        kind: str,
        key: str,
        spec: Any,
        build: Callable[[Path], JsonObject],
        timeout: float = 3600,
        progress: Progress = silent,
    ) -> tuple[Artifact, bool]:
        """Return an artifact and whether it was there already; build it under a lock if not.

        Args:
            kind: of artifact.
            key: fingerprint of the spec in its context.
            spec: JSON-able, kept in the manifest.
            build: fills a fresh folder and returns `info` for the manifest.
            timeout: seconds to wait for another process that builds the same.
            progress: called while waiting for it, so that the wait can be cancelled.

        Raises:
            BadRequest: it is not there and the program is read-only.
            Cancelled: by `progress`, while waiting.
            DiskFull: no space left while writing; nothing of the artifact remains.
            Busy: another process has been building this for longer than the timeout.
        """
        found = self.find(kind, key)
        if found:
            return found, True
        require_writable(f"Making what is not in the store ({kind})")
        with self.lock(f"{kind}-{key}", timeout, progress):
            found = self.find(kind, key)
            if found:
                return found, True
            with self._fresh(kind, key) as folder:
                info = build(folder)
                write_digested(folder / MANIFEST, _manifest(kind, key, spec, info, folder))
        return verify(kind, key, self.folder(kind, key)), False

    @contextmanager
    def _fresh(self, kind: str, key: str) -> Generator[Path]:
        folder = self.root / "tmp" / uuid.uuid4().hex
        folder.mkdir()
        try:
            with disk_errors(self.root):
                yield folder
                sync_tree(folder)
                target = self.folder(kind, key)
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.exists():  # what a killed process left of an artifact: it has no manifest
                    self._discard(target)
                folder.replace(target)
                sync_folder(target.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def lock(self, name: str, timeout: float = 3600, progress: Progress = silent) -> Generator[None]:
        """Hold a lock between processes (and threads); the system lets go when the process dies.

        Args:
            name: of the lock.
            timeout: seconds to wait for it.
            progress: called a few times a second while waiting; may raise `Cancelled`.

        Raises:
            Busy: if another process holds it for longer than `timeout` seconds.
        """
        path = self.root / "locks" / f"{name}.lock"
        lock = FileLock(path)
        until = time.monotonic() + timeout
        while True:
            try:
                lock.acquire(timeout=max(0.0, min(_LOCK_SLICE, until - time.monotonic())))
                break
            except Timeout:
                if time.monotonic() >= until:
                    raise Busy(
                        f"Another process has held the lock {path.name!r} for over {timeout:g} s; "
                        "wait for it or end that process."
                    ) from None
                progress(0, 0, "waiting for another process that works on the same")
        try:
            yield
        finally:
            lock.release()

    def require_free(self, n_bytes: int, what: str) -> None:
        """Check that there is room before starting.

        Raises:
            DiskFull: with need, bound and remedy.
        """
        free = shutil.disk_usage(self.root).free
        if n_bytes > free:
            raise DiskFull(
                f"{what} needs {n_bytes / 1e6:,.0f} MB but {self.root} has {free / 1e6:,.0f} MB free; "
                "free some space, run `python -m core cache prune`, or set PRIORSCOPE_CACHE to a larger disk."
            )

    def artifacts(self) -> Iterator[tuple[str, str, Path]]:
        """Yield (kind, key, folder) of everything stored, unverified."""
        for manifest in sorted((self.root / "artifacts").glob(f"*/*/{MANIFEST}")):
            folder = manifest.parent
            yield folder.parent.name, folder.name, folder

    def remove(self, kind: str, key: str) -> None:
        """Delete one artifact; nobody sees half of one.

        Raises:
            BadRequest: the program is read-only.
        """
        require_writable("Deleting what is stored")
        self._discard(self.folder(kind, key))

    def _discard(self, folder: Path) -> None:
        aside = self.root / "tmp" / uuid.uuid4().hex
        folder.replace(aside)
        shutil.rmtree(aside)


def verify(kind: str, key: str, folder: Path) -> Artifact:
    """Check each file of an artifact against its manifest.

    Raises:
        DamagedArtifact: a file is missing, or has another size or checksum; or the manifest cannot
            be read.
    """
    what = f"Stored {kind} {key}"
    try:
        manifest = check(read_digested(folder / MANIFEST), Manifest, MANIFEST)
    except (DamagedArtifact, OSError) as error:
        raise DamagedArtifact(f"{what}: its manifest cannot be read ({error}).") from None
    if (manifest.kind, manifest.key) != (kind, key):
        raise DamagedArtifact(f"{what}: its manifest is that of {manifest.kind} {manifest.key}.")
    for name, expected in manifest.files.items():
        try:
            require_file(folder, name, expected)
        except DamagedArtifact as error:
            raise DamagedArtifact(f"{what}: the file {error}.") from None
    return Artifact(kind, key, folder, manifest)


def _manifest(kind: str, key: str, spec: Any, info: JsonObject, folder: Path) -> JsonObject:
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": checksum(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return {
        "kind": kind,
        "key": key,
        "spec": spec,
        "info": info,
        "files": files,
        "program": __version__,
        "created": time.time(),
    }
