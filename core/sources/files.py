"""Read a person's files, and say in one line what is wrong with one."""

import csv
import io
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from core.errors import BadData
from core.specs.base import JsonObject
from core.store.allowed import require_allowed
from core.store.files import checksum

Form = Literal["txt", "jsonl", "json", "csv", "parquet"]
_SUFFIXES: dict[str, Form] = {".txt": "txt", ".jsonl": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
_PARQUET_MARK = b"PAR1"


def existing(path: str) -> Path:
    """Return a readable file with something in it.

    Raises:
        BadData: none there, a folder, not readable, or empty.
        BadRequest: it may not be read (`core.store.allowed`).
    """
    require_allowed(path)
    try:
        file = Path(path).expanduser()
    except RuntimeError as error:
        raise BadData(f"{path!r} cannot be found ({error}); write its whole path.") from None
    if file.is_dir():
        raise BadData(f"{path!r} is a folder; give one file (.txt, .jsonl, .csv, .parquet or SQuAD JSON).")
    try:
        with file.open("rb") as handle:
            first = handle.read(1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadData(f"{path!r} cannot be read ({reason}); check the path and its permissions.") from None
    if not first:
        raise BadData(f"{path!r} is empty (0 bytes); give a file with at least 2 documents or questions.")
    return file.resolve()


def form_of(path: Path) -> Form:
    """Return how to read a file: by its suffix, else by its first bytes."""
    form = _SUFFIXES.get(path.suffix.lower())
    if form:
        return form
    with path.open("rb") as handle:
        start = handle.read(64).lstrip()
    if start.startswith(_PARQUET_MARK):
        return "parquet"
    return "json" if start[:1] in (b"{", b"[") else "txt"


def provenance(path: Path) -> dict[str, str]:
    """Return a file's name and hash; its folder is the person's own business."""
    return {"source": "file", "file": path.name, "file_sha256": checksum(path)}


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises:
        BadData: it is not UTF-8; the message names the first wrong byte.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData(
            f"{path.name!r} is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x} ({error.reason}); "
            "save it as UTF-8 text."
        ) from None


def read_json(path: Path) -> Any:
    """Return the value of a JSON file.

    Raises:
        BadData: it is not UTF-8, or no JSON; the message names the line.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise _no_json(path, error) from None


def read_object(path: Path, remedy: str) -> JsonObject:
    """Return the object of a JSON file that a program wrote; `remedy` is what to do about a wrong one.

    Raises:
        BadData: it is no JSON, or no object.
    """
    where = f"{path.name} in {path.parent.name!r}"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadData(f"{where} is not JSON ({error}); {remedy}.") from None
    if not isinstance(data, dict):
        raise BadData(f"{where} is not a JSON object; {remedy}.")
    return data


def read_json_or_lines(path: Path) -> Any:
    """Return the value of a JSON file, or a list if it holds one object per line.

    Raises:
        BadData: it is neither.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise _no_json(path, error) from None
    return read_lines(path)


def read_lines(path: Path) -> list[JsonObject]:
    """Return the objects of a JSON Lines file; blank lines are skipped.

    Raises:
        BadData: a line is no JSON object; the message names it.
    """
    rows = []
    # Not splitlines(): JSON text may hold U+2028 and the like, which end no line here.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadData(
                f"Line {number} of {path.name!r} is not JSON ({_reason(error)}); write one JSON object per line."
            ) from None
        rows.append(_object(row, path, f"Line {number}"))
    return rows


def read_table(path: Path) -> list[JsonObject]:
    """Return the rows of a .csv, .jsonl, .json or .parquet file.

    Raises:
        BadData: it cannot be read as what it claims to be.
    """
    match form_of(path):
        case "csv":
            return _read_csv(path)
        case "parquet":
            return _read_parquet(path)
        case "jsonl":
            return read_lines(path)
        case _:
            return as_rows(read_json_or_lines(path), path)


def as_rows(data: Any, path: Path) -> list[JsonObject]:
    """Return parsed JSON as rows.

    Raises:
        BadData: it is no list of objects.
    """
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise BadData(f"{path.name!r} holds a JSON {type(data).__name__}; give SQuAD JSON or a list of objects.")
    return [_object(row, path, f"Item {number}") for number, row in enumerate(data, start=1)]


def _object(row: Any, path: Path, where: str) -> JsonObject:
    if not isinstance(row, dict):
        raise BadData(
            f"{where} of {path.name!r} is a JSON {type(row).__name__}, not an object; write {{…}} with named fields."
        )
    return row


def _read_csv(path: Path) -> list[JsonObject]:
    csv.field_size_limit(2**31 - 1)  # a cell may hold a book
    lines = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    filled, rows = filter(None, lines), []
    try:
        columns = next(filled, [])
        if twice := [name for name, count in Counter(columns).items() if name and count > 1]:
            raise csv.Error(f"the header names {twice[0]!r} twice")
        for cells in filled:
            if any(cells[len(columns) :]):
                raise csv.Error(f"line {lines.line_num} has {len(cells)} cells, the header {len(columns)}")
            rows.append(dict(itertools.zip_longest(columns, cells[: len(columns)], fillvalue="")))
    except csv.Error as error:
        raise BadData(
            f"{path.name!r} cannot be read as CSV ({_reason(error)}); separate cells by "
            "commas, quote cells that hold any."
        ) from None
    return rows


def _read_parquet(path: Path) -> list[JsonObject]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadData(f"{path.name!r} cannot be read as Parquet ({_reason(error)}); write the file again.") from None


def _no_json(path: Path, error: ValueError) -> BadData:
    return BadData(f"{path.name!r} is not JSON ({_reason(error)}); correct it, or give .txt, .jsonl, .csv or .parquet.")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
