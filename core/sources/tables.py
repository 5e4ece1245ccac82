"""Rows of named cells out of a file: CSV, TSV, JSON in the shapes that programs write it, Parquet."""

import csv
import io
import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadData
from core.sources import files
from core.sources.files import named, reason
from core.specs.base import JsonObject
from core.specs.reading import parse_json

DEFAULT_COLUMN = "text"
"""Of texts without a name of their own."""
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Table:
    """Rows of one file.

    Attributes:
        path: of the file.
        columns: all names, in their order.
        rows: name → value; a row may lack a column.
        places: where each row stands in the file, such as 'line 3'.
    """

    path: Path
    columns: Sequence[str]
    rows: Sequence[JsonObject]
    places: Sequence[str]

    def cells(self, column: str) -> Iterator[tuple[Any, str]]:
        """Yield each row's value in a column, and where it stands."""
        for row, place in zip(self.rows, self.places, strict=True):
            yield row.get(column), f"Column {column!r} in {place} of {self.path.name!r}"

    def require(self, column: str) -> None:
        """Check that there is a column.

        Raises:
            BadData: there is none; the message lists those there are.
        """
        if column not in self.columns:
            raise BadData(
                f"{self.path.name!r} has no column {column!r}; it has: {named(self.columns)}. "
                "Name its text column, or its prompt and its answer column."
            )


def read_table(path: Path, form: files.Form, wanted: Sequence[str]) -> Table:
    """Return the rows of a file other than JSON; of Parquet only the wanted columns are read.

    Raises:
        BadData: it cannot be read as what it claims to be.
    """
    match form:
        case "csv" | "tsv":
            return _read_csv(path, "\t" if form == "tsv" else ",")
        case "parquet":
            return _read_parquet(path, wanted)
        case _:
            return _of_rows(path, *read_lines(path))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file of any size.

    Raises:
        BadData: it is not UTF-8, or no JSON; the message names the line.
    """
    try:
        return parse_json(files.read_text(path), None)
    except ValueError as error:
        raise _no_json(path, error) from None


def read_json_or_lines(path: Path) -> Any:
    """Return the value of a JSON file, or a `Table` if it holds one object per line.

    Raises:
        BadData: it is neither.
    """
    try:
        return parse_json(files.read_text(path), None)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise _no_json(path, error) from None
    except ValueError as error:
        raise _no_json(path, error) from None
    return _of_rows(path, *read_lines(path))


def read_lines(path: Path) -> tuple[list[JsonObject], list[str]]:
    """Return the objects of a JSON Lines file and their places; blank lines are skipped.

    Raises:
        BadData: a line is not a JSON object; the message names it.
    """
    rows, places = [], []
    # Not splitlines(): JSON text may hold U+2028 and the like, which end no line here.
    for number, line in enumerate(files.read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line, None)
        except ValueError as error:
            raise BadData(
                f"Line {number} of {path.name!r} is not JSON ({reason(error)}); write one JSON object per line."
            ) from None
        rows.append(_object(row, path, f"Line {number}"))
        places.append(f"line {number}")
    return rows, places


def as_table(data: Any, path: Path) -> Table:
    """Return parsed JSON as rows, in any of the shapes that pandas and Hugging Face write.

    Raises:
        BadData: it is not a list of objects.
    """
    for shape in (_of_hub_rows, _of_records_beside_a_schema, _of_split, _of_columns):
        if isinstance(data, dict) and (found := shape(data)):
            data = found
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise BadData(f"{path.name!r} holds a JSON {type(data).__name__}; give SQuAD JSON or a list of objects.")
    if data and all(isinstance(row, str) for row in data):
        data = [{DEFAULT_COLUMN: row} for row in data]
    rows = [_object(row, path, f"Item {number}") for number, row in enumerate(data, start=1)]
    return _of_rows(path, rows, [f"item {number}" for number in range(1, len(rows) + 1)])


def _of_hub_rows(data: JsonObject) -> list[Any] | None:
    """Return rows as the hub's viewer gives them: `{"rows": [{"row": {...}}]}`."""
    rows = data.get("rows")
    wrapped = isinstance(rows, list) and all(isinstance(row, dict) and "row" in row for row in rows)
    return [row["row"] for row in rows] if rows and wrapped else None


def _of_records_beside_a_schema(data: JsonObject) -> list[Any] | None:
    """Return rows of `{"data": [{...}]}`."""
    rows = data.get("data")
    return rows if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows) else None


def _of_split(data: JsonObject) -> list[Any] | None:
    """Return rows of `{"columns": [...], "data": [[...]]}`."""
    columns, rows = data.get("columns"), data.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list):
        return None
    fit = all(isinstance(row, list) and len(row) == len(columns) for row in rows)
    return [dict(zip(map(str, columns), row, strict=True)) for row in rows] if rows and fit else None


def _of_columns(data: JsonObject) -> list[Any] | None:
    """Return rows of `{"text": {"0": ...}}` or `{"text": [...]}` with columns of one length."""
    columns = {name: list(column.values()) if isinstance(column, dict) else column for name, column in data.items()}
    lengths = {len(column) if isinstance(column, list) else 0 for column in columns.values()}
    if len(lengths) != 1 or max(lengths) < 2:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _of_rows(path: Path, rows: list[JsonObject], places: list[str]) -> Table:
    return Table(path, list(dict.fromkeys(name for row in rows for name in row)), rows, places)


def _object(row: Any, path: Path, where: str) -> JsonObject:
    if not isinstance(row, dict):
        raise BadData(
            f"{where} of {path.name!r} is a JSON {type(row).__name__}, not an object; write {{…}} with named fields."
        )
    return row


def _read_csv(path: Path, separator: str) -> Table:
    csv.field_size_limit(2**31 - 1)  # a cell may hold a book
    text = files.read_text(path)
    header = text[: text.find("\n") + 1 or len(text)]
    if separator == "," and ";" in header and "," not in header:  # as spreadsheets write it where a comma is decimal
        separator = ";"
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    filled, rows, places = filter(None, lines), [], []
    try:
        columns = [name.strip() for name in next(filled, [])]
        if twice := [name for name, count in Counter(columns).items() if name and count > 1]:
            raise csv.Error(f"the header names {twice[0]!r} twice")
        for cells in filled:
            if any(cells[len(columns) :]):
                raise csv.Error(f"line {lines.line_num} has {len(cells)} cells, the header {len(columns)}")
            rows.append(dict(itertools.zip_longest(columns, cells[: len(columns)], fillvalue="")))
            places.append(f"line {lines.line_num}")
    except csv.Error as error:
        by = {",": "commas", ";": "semicolons", "\t": "tabs"}[separator]
        kind = "CSV" if by != "tabs" else "TSV"
        raise BadData(
            f"{path.name!r} cannot be read as {kind} ({reason(error)}); separate cells by {by}, quote cells that hold "
            "any."
        ) from None
    return Table(path, columns, rows, places)


def _read_parquet(path: Path, wanted: Sequence[str]) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            chosen = [name for name in dict.fromkeys(wanted) if name in columns]
            found: dict[str, list[Any]] = {name: [] for name in chosen}
            n_bytes = 0
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=chosen):
                n_bytes += batch.nbytes
                if n_bytes > files.MOST_BYTES:
                    raise BadData(f"{path.name!r} holds more than {files.MOST_BYTES:,} bytes; give a part of it.")
                for name, values in zip(chosen, batch.columns, strict=True):
                    found[name] += _values(values, path, name, len(found[name]))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise BadData(f"{path.name!r} cannot be read as Parquet ({reason(error)}); write the file again.") from None
    cells = [_whole(values) for values in found.values()]
    rows = [dict(zip(chosen, row, strict=True)) for row in zip(*cells, strict=True)]
    return Table(path, columns, rows, [f"row {number}" for number in range(1, len(rows) + 1)])


def _values(values: Any, path: Path, column: str, n_before: int) -> list[Any]:
    """Return the values of a part of a column."""
    try:
        return values.to_pylist()
    except UnicodeDecodeError:
        number = n_before + 1 + next(i for i, value in enumerate(values) if not _is_text(value.as_py))
        raise BadData(
            f"Column {column!r} in row {number} of {path.name!r} is not UTF-8 text; write the column again."
        ) from None


def _is_text(read: Callable[[], Any]) -> bool:
    try:
        read()
    except UnicodeDecodeError:
        return False
    return True


def _whole(values: list[Any]) -> list[Any]:
    """Return integers that were written as floats because some are missing."""
    missing = [value is None or (isinstance(value, float) and math.isnan(value)) for value in values]
    there = [value for value, gone in zip(values, missing, strict=True) if not gone]
    if not any(missing) or not all(isinstance(value, float) and value.is_integer() for value in there):
        return values
    return [None if gone else int(value) for value, gone in zip(values, missing, strict=True)]


def _no_json(path: Path, error: ValueError) -> BadData:
    return BadData(f"{path.name!r} is not JSON ({reason(error)}); correct it, or give .txt, .jsonl, .csv or .parquet.")
