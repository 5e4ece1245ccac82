"""Reads a bundle's files, from a folder or a zip file, within bounds and never more than its list announces."""

import hashlib
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from core.errors import BadData, shown
from core.exchange.bundle import FORMAT, FORMAT_VERSION, LOG_BYTES, MANIFEST, Manifest
from core.specs.reading import DOCUMENT_BYTES, parse_json
from core.store.seal import SealedFile

MAX_FILES = 20_000
MAX_RATIO = 200
"""Of the size of a packed file to what it takes in the bundle: text of runs takes a tenth or
more."""
LIMITS = {".json": 16_000_000, ".txt": LOG_BYTES, ".md": 1_000_000, ".jsonl": 500_000_000}
"""Bytes of a file by the ending of its name."""
MAX_BYTES = 2_000_000_000
"""Bytes of any other file."""
_BLOCK = 1 << 20
_END_BYTES = 66_000
"""At the end of a zip file, with the number of its files."""
Files = Mapping[str, SealedFile]


class OpenBundle:
    """An open bundle, from a folder or a zip file."""

    def __init__(self, source: Path, packed: zipfile.ZipFile | None) -> None:
        """Keep where it is, and the zip file if it is one."""
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


@contextmanager
def opened(source: Path) -> Iterator[OpenBundle]:
    """Open a bundle.

    Raises:
        BadData: it is neither a folder nor a zip file, or holds more files than a bundle has.
    """
    if source.is_dir():
        yield OpenBundle(source, None)
        return
    try:
        _require_few(source)
        packed = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadData(f"{source.name!r} is not a zip file ({error}); name a bundle, or an adapter's folder.") from None
    with packed:
        yield OpenBundle(source, packed)


def read_manifest(bundle: OpenBundle) -> Manifest:
    """Return the list of a bundle's files.

    Raises:
        BadData: it is no such list, or of another version.
    """
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


def require_modest(files: Files, bundle: OpenBundle) -> None:
    """Check the number and the sizes of files before any is unpacked.

    Raises:
        BadData: one of them is beyond its bound.
    """
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


def copy_member(bundle: OpenBundle, name: str, entry: SealedFile, write: Callable[[bytes], Any]) -> None:
    """Copy a member and check size and checksum; never copy more than was announced.

    Raises:
        BadData: it is not what the list says.
    """
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
