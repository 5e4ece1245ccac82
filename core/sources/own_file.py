"""The person's own texts or questions out of a file."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import BadData
from core.progress import Progress, silent
from core.sources import files
from core.sources.records import Availability, Found, Record, usable
from core.sources.squad import is_squad, squad_records
from core.specs.base import JsonObject
from core.specs.dataset import DatasetSpec
from core.store.artifacts import Store

TITLE = "your own file"
DEFAULT_COLUMN = "text"


def find(spec: DatasetSpec, _: Store, __: Progress = silent) -> Found:
    """Return the documents or questions of a file.

    Text is cut at blank lines; each row of a table is a document or a question; SQuAD JSON has its
    questions grouped by article.

    Raises:
        BadData: missing, empty, not UTF-8, malformed, or without the column.
    """
    path = files.existing(spec.path or "")
    form = files.form_of(path)
    notes: list[str] = []
    is_task, by_article = spec.prompt_column is not None, False
    if form == "txt":
        _refuse_columns(spec, path)
        records = _documents(files.read_text(path), notes)
    elif form == "json" and is_squad(data := files.read_json_or_lines(path)):
        is_task, by_article, records = True, True, squad_records(data, path.name)
    else:
        records = _from_table(spec, path, files.read_table(path))
    dropped: Counter[str] = Counter()
    # SQuAD's repeated questions stay on one side of the split by their article; other repeats would
    # not.
    kept = usable(records, dropped, is_task, distinct=not by_article)
    return Found(kept, is_task=is_task, provenance=files.provenance(path), dropped=dropped, notes=notes)


def availability(_: Store, __: str) -> Availability:
    """Return where the texts come from."""
    return Availability("file", "a .txt, .jsonl, .csv, .parquet or SQuAD JSON file you name")


def _refuse_columns(spec: DatasetSpec, path: Path) -> None:
    named = spec.text_column or spec.prompt_column
    if named:
        raise BadData(
            f"{path.name!r} is plain text and has no columns, so no {named!r}; leave the column out, "
            "or give .jsonl, .csv or .parquet."
        )


def _documents(text: str, notes: list[str]) -> Iterator[Record]:
    pieces = [piece.strip() for piece in re.split(r"\n[^\S\n]*\n\s*", text.replace("\r\n", "\n")) if piece.strip()]
    if len(pieces) == 1:
        pieces = [line.strip() for line in pieces[0].split("\n") if line.strip()]
        notes.append("The file has no blank lines, so each line counts as a document.")
    return (Record.document(f"text-{i}", piece) for i, piece in enumerate(pieces))


def _from_table(spec: DatasetSpec, path: Path, rows: list[JsonObject]) -> Iterator[Record]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if spec.prompt_column is None or spec.answer_column is None:
        column = spec.text_column or DEFAULT_COLUMN
        _require(column, columns, path)
        return (Record.document(f"row-{i}", _text(row.get(column))) for i, row in enumerate(rows))
    _require(spec.prompt_column, columns, path)
    _require(spec.answer_column, columns, path)
    return _questions(rows, spec.prompt_column, spec.answer_column)


def _questions(rows: list[JsonObject], prompt_column: str, answer_column: str) -> Iterator[Record]:
    for i, row in enumerate(rows):
        prompt, answers = _text(row.get(prompt_column)).strip(), row.get(answer_column)
        several = answers if isinstance(answers, list) else [answers]
        usable_answers = [_text(answer) for answer in several] if prompt else []
        yield Record.question(f"row-{i}", f"row-{i}", prompt, usable_answers)


def _require(column: str, columns: list[str], path: Path) -> None:
    if column not in columns:
        raise BadData(
            f"{path.name!r} has no column {column!r}; it has: {', '.join(columns) or 'none'}. "
            "Name its text column, or its prompt and its answer column."
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)
