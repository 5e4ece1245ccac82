"""The checksums of a job's files: written when the job ends, verified when a file is read.

The list is `checksums.json`, and `Status.seal` is the checksum of that list. What version 0.1.0
wrote has neither.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from core.errors import DamagedArtifact
from core.specs.base import JsonObject, canonical_json
from core.store.files import checksum, write_json
from core.store.record_files import check, read_object, stamp
from core.store.status import Status

CHECKSUMS = "checksums.json"
_CHANGING = ("status.json", "log.txt", "cancel", "enough", CHECKSUMS)
"""Files that no number comes from, or that carry their own checksum."""


class SealedFile(BaseModel):
    """Size and checksum of a file."""

    model_config = ConfigDict(frozen=True, strict=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Seal(BaseModel):
    """`checksums.json`: the files of a job that has ended, by name."""

    model_config = ConfigDict(frozen=True, strict=True)

    files: dict[str, SealedFile]


def write_seal(folder: Path) -> str:
    """Write the checksums of a job's files and return the checksum of that list."""
    found = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": checksum(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _CHANGING and not path.name.startswith(".")
    }
    write_json(folder / CHECKSUMS, {"files": found})
    return checksum(folder / CHECKSUMS)


def read_seal(folder: Path, status: Status) -> Seal | None:
    """Return the checksums of a job's files, or None where the job ended without any.

    Raises:
        DamagedArtifact: the list is missing or was changed.
    """
    if not status.ended or not status.seal:
        return None
    path = folder / CHECKSUMS
    try:
        if checksum(path) != status.seal:
            raise DamagedArtifact(f"{CHECKSUMS} does not match its checksum")
        return _seal(path, stamp(path))
    except FileNotFoundError:
        raise DamagedArtifact(f"{CHECKSUMS} is missing") from None


@lru_cache(maxsize=10_000)
def _seal(path: Path, _stamp: tuple[int, int, int]) -> Seal:
    return check(read_object(path), Seal, CHECKSUMS)


def require_sizes(folder: Path, seal: Seal) -> None:
    """Check that every file is there with its size, without reading any.

    Raises:
        DamagedArtifact: for the first that is not.
    """
    for name in seal.files:
        _require_size(folder, name, seal.files[name])


def require_sealed(folder: Path, name: str, seal: Seal) -> None:
    """Check one file of a job.

    Raises:
        DamagedArtifact: it is missing, was changed, or was not there when the job ended.
    """
    if name in seal.files:
        require_file(folder, name, seal.files[name])
    elif (folder / name).exists():
        raise DamagedArtifact(f"{name} was not there when the job ended")


def require_file(folder: Path, name: str, expected: SealedFile) -> None:
    """Check size and checksum of a file.

    Raises:
        DamagedArtifact: it is missing or was changed.
    """
    _require_size(folder, name, expected)
    if checksum(folder / name) != expected.sha256:
        raise DamagedArtifact(f"{name} does not match its checksum")


def damaged_files(folder: Path, seal: Seal) -> dict[str, str]:
    """Read every file and return what is wrong, by the name of the file."""
    found: dict[str, str] = {}
    for name in seal.files:
        try:
            require_file(folder, name, seal.files[name])
        except DamagedArtifact as error:
            found[name] = str(error)
    return found


def _require_size(folder: Path, name: str, expected: SealedFile) -> None:
    try:
        size = (folder / name).stat().st_size
    except FileNotFoundError:
        raise DamagedArtifact(f"{name} is missing") from None
    if size != expected.bytes:
        raise DamagedArtifact(f"{name} has {size} bytes instead of {expected.bytes}")


def arrays_digest(arrays: Mapping[str, NDArray[Any]], notes: JsonObject) -> str:
    """Return the SHA-256 of arrays, their names, types and shapes, and of JSON notes: for a checkpoint's own check."""
    digest = hashlib.sha256(canonical_json(notes).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
