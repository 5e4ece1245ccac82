"""Files that appear whole: atomic writes, syncing, checksums, and a full disk said in words."""

import errno
import hashlib
import json
import os
import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from core.errors import DiskFull

_SHORT_WRITE = re.compile(r"\d+ requested and \d+ written")
_verified: dict[tuple[int, int, int, int], str] = {}
"""(device, inode, size, modification time in ns) → SHA-256: a file is read for its checksum once
per process, and a rename does not make it another file."""


@contextmanager
def disk_errors(root: Path) -> Generator[None]:
    """Turn 'no space left' into a `DiskFull` that says what to do."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        if not is_full(error):
            raise
        raise DiskFull(
            f"The disk of {root} is full ({os.strerror(errno.ENOSPC)}); nothing half-written was kept. "
            "Free some space, run `python -m core cache prune`, or set PRIORSCOPE_CACHE to a larger disk."
        ) from error


def is_full(error: Exception) -> bool:
    """Return whether an error means a full disk: safetensors and numpy give no number, only words of their own."""
    words = str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"os error {errno.ENOSPC}" in words or _SHORT_WRITE.search(words) is not None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, read once per process as long as size and time stay the same."""
    stat = path.stat()
    memo = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    if memo not in _verified:
        with path.open("rb") as file:
            _verified[memo] = hashlib.file_digest(file, "sha256").hexdigest()
    return _verified[memo]


def forget_checksums() -> None:
    """Make the next check of each file read it again."""
    _verified.clear()


def write_json(path: Path, data: Any) -> None:
    """Write JSON so that a reader sees the old or the new text, never half of one."""
    write_atomically(path, json.dumps(data, indent=1, ensure_ascii=False, default=str).encode())


def write_atomically(path: Path, raw: bytes) -> None:
    """Write bytes beside the target, sync, and rename."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with beside.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Sync every file under a folder to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
