"""A person's files: regular ones, measured before they are read, unpacked within bounds, as text."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from core.errors import BadData, shown
from core.specs.base import JsonObject, fingerprint
from core.specs.reading import Unreadable, read_bytes, read_json
from core.store.allowed import require_allowed
from core.store.files import checksum

Form = Literal["txt", "jsonl", "json", "csv", "tsv", "parquet"]
FORMS: tuple[Form, ...] = ("txt", "jsonl", "json", "csv", "tsv", "parquet")
PACKED = {".gz": "gzip", ".zst": "zstd"}
"""Suffixes of packed files, and what unpacks them."""
MOST_BYTES = 8 << 30
"""Of all files of a data set, unpacked."""
_PARQUET_MARK = b"PAR1"
_MOST_RATIO = 1000
"""Text packs to a third, and the same line again and again to a few hundredth; beyond this it is a
trap."""
_FREE_BYTES = 64 << 20
"""What may be unpacked at any ratio."""
_CHUNK = 1 << 20
_LONGEST_PATH = 500
"""Characters of a path that a message shows whole."""


def existing(path: str) -> Path:
    """Return a file, or a folder of files, with something in it.

    Raises:
        BadData: none there, no regular file, not readable, or empty.
        BadRequest: it may not be read (`core.store.allowed`).
    """
    require_allowed(path)
    named_path = repr(path) if len(path) < _LONGEST_PATH else shown(path)
    try:
        file = Path(path).expanduser()
        found = file.stat()
        readable = os.access(file, os.R_OK)
    except (RuntimeError, ValueError) as error:
        raise BadData(f"{named_path} cannot be found ({error}); write its whole path.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadData(f"{named_path} cannot be read ({reason}); check the path and its permissions.") from None
    if not readable:
        raise BadData(f"{named_path} cannot be read (Permission denied); check the path and its permissions.")
    if stat.S_ISDIR(found.st_mode):
        shards(file.resolve())
    elif not stat.S_ISREG(found.st_mode):
        raise BadData(f"{named_path} is a pipe or a device, not a file; save its content in a file.")
    elif not found.st_size:
        raise BadData(f"{named_path} is empty (0 bytes); give a file with at least 2 documents or questions.")
    return file.resolve()


def shards(path: Path) -> list[Path]:
    """Return the files of a data set in the order of their names: the file itself, or those of the folder.

    Raises:
        BadData: a folder without such files, with files of several kinds, or with too many bytes.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if _by_suffix(file) and file.is_file())
    kinds = sorted({str(_by_suffix(file)) for file in found})
    if len(kinds) != 1:
        raise BadData(
            f"{path.name!r} is a folder with {' and '.join(kinds) or 'no'} files of texts; give one file, or a folder "
            f"of files of one kind ({', '.join(f'.{form}' for form in FORMS)}, also as .gz or .zst)."
        )
    _require_size(path, sum(file.stat().st_size for file in found))
    return found


def form_of(path: Path) -> Form:
    """Return how to read a file, or those of a folder: by the suffix, else by the first bytes."""
    first = shards(path)[0]
    form = _by_suffix(first)
    if form:
        return form
    start = next(_chunks(first), b"")[:64].lstrip()
    if start.startswith(_PARQUET_MARK):
        return "parquet"
    return "json" if start[:1] in (b"{", b"[") else "txt"


def content_of(path: Path) -> str:
    """Return what names the content of a file or of a folder's files: of one file, its SHA-256."""
    hashes = [checksum(file) for file in shards(path)]
    return hashes[0] if not path.is_dir() else fingerprint("shards", *hashes)


def provenance(path: Path) -> JsonObject:
    """Return a file's name and hash; its folder is the person's own business."""
    many = {"files": len(shards(path))} if path.is_dir() else {}
    return {"source": "file", "file": path.name, "file_sha256": content_of(path), **many}


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, unpacked, without a byte order mark.

    Raises:
        BadData: it is not UTF-8, too large, or damaged; the message names the first wrong byte.
    """
    raw = bytearray()
    for chunk in _chunks(path):
        raw += chunk
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path.name!r} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x} ({error.reason}); "
            "save it as UTF-8 text."
        ) from None
    return text if "\n" in text else text.replace("\r", "\n")  # as old Macs end lines


def read_object(path: Path, remedy: str) -> JsonObject:
    """Return the object of a JSON file that a program wrote; `remedy` is what to do about a wrong one.

    Raises:
        BadData: it is not JSON, or not an object.
    """
    where = f"{path.name} in {path.parent.name!r}"
    try:
        data = read_json(path)
    except OSError as error:
        raise BadData(f"{where} cannot be read ({error.strerror}); {remedy}.") from None
    except ValueError as error:
        raise BadData(f"{where} is not JSON ({reason(error)}); {remedy}.") from None
    if not isinstance(data, dict):
        raise BadData(f"{where} is not a JSON object; {remedy}.")
    return data


def reason(error: Exception) -> str:
    """Return an error's words on one line."""
    return " ".join(str(error).split())[:200]


def _by_suffix(path: Path) -> Form | None:
    name = path.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return next((form for form in FORMS if name.endswith(f".{form}")), None)


def _require_size(path: Path, n_bytes: int) -> None:
    if n_bytes > MOST_BYTES:
        raise BadData(f"{path.name!r} has {n_bytes:,} bytes, and {MOST_BYTES:,} are allowed; give a part of it.")


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked where its name says that it is packed."""
    codec = PACKED.get(path.suffix.lower())
    try:
        if codec:
            yield from _unpacked(path, codec)
        else:
            _require_size(path, path.stat().st_size)
            yield read_bytes(path, MOST_BYTES)
    except OSError as error:
        words = error.strerror or reason(error)
        raise BadData(f"{path.name!r} cannot be read ({words}); copy it again, or check its permissions.") from None
    except Unreadable as error:
        raise BadData(f"{path.name!r} cannot be read ({error}); give a regular file.") from None


def _unpacked(path: Path, codec: str) -> Iterator[bytes]:
    import pyarrow as pa

    n_packed, n_bytes = path.stat().st_size, 0
    with pa.OSFile(str(path)) as file, pa.CompressedInputStream(file, codec) as stream:
        while chunk := stream.read(_CHUNK):
            n_bytes += len(chunk)
            _require_size(path, n_bytes)
            if n_bytes > max(_FREE_BYTES, _MOST_RATIO * n_packed):
                raise BadData(
                    f"{path.name!r} unpacks to more than {_MOST_RATIO} times its {n_packed:,} bytes, as no text does; "
                    "unpack it yourself if it is what you want."
                )
            yield chunk


def named(names: Sequence[str]) -> str:
    """Return names of columns as a message shows them."""
    shown_names = [name if len(name) <= 40 else f"{name[:39]}…" for name in names[:20]]
    return ", ".join(shown_names) + (f" and {len(names) - 20} more" if len(names) > 20 else "") or "none"
