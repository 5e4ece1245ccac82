"""The person's own texts or questions out of a file, or a folder of files."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.errors import BadData
from core.progress import Progress, silent
from core.sources import files
from core.sources.cells import answers_of, text_of
from core.sources.chat import COLUMN, chat_records, is_chat
from core.sources.records import Availability, Found, Record, usable
from core.sources.squad import is_squad, squad_records
from core.sources.tables import DEFAULT_COLUMN, Table, as_table, read_json_or_lines, read_table
from core.specs.dataset import DatasetSpec
from core.store.artifacts import Store

TITLE = "your own file"


def find(spec: DatasetSpec, _: Store, progress: Progress = silent) -> Found:
    """Return the documents or questions of a file, or of a folder's files one after the other.

    Text is cut at blank lines; each row of a table is a document, a question or a conversation;
    SQuAD JSON has its questions grouped by article.

    Raises:
        BadData: missing, empty, not UTF-8, malformed, or without the column.
        Cancelled: by the progress, between two files.
    """
    path = files.existing(spec.path or "")
    form, parts = files.form_of(path), files.shards(path)
    notes: list[str] = []
    is_task, by_article, chats = spec.prompt_column is not None, False, set[bool]()
    records: list[Record] = []
    for number, part in enumerate(parts):
        progress(number, len(parts), f"Reading {part.name}")
        prefix = f"{number}-" if len(parts) > 1 else ""
        data = read_json_or_lines(part) if form == "json" else None
        if form == "txt":
            _refuse_columns(spec, part, "is plain text and has no columns")
            found = _documents(files.read_text(part), prefix, notes)
        elif is_squad(data):
            _refuse_columns(spec, part, "is SQuAD JSON, whose questions are read whole")
            is_task = by_article = True
            found = squad_records(data, part.name)
        else:
            if form == "json":
                table = data if isinstance(data, Table) else as_table(data, part)
            else:
                table = read_table(part, form, [*_columns(spec), COLUMN])
            column = _text_column(spec, table)
            chats.add(column is not None and is_chat(table, column))
            found = chat_records(table, str(column), prefix) if True in chats else _from_table(spec, table, prefix)
        records += found
    if len(chats) > 1:
        raise BadData(f"{path.name!r} holds conversations in some files and texts in others; give files of one kind.")
    is_task |= True in chats
    dropped: Counter[str] = Counter()
    # SQuAD's repeated questions stay on one side of the split by their article; other repeats would
    # not.
    kept = usable(records, dropped, is_task, distinct=not by_article)
    return Found(
        kept, is_task=is_task, provenance=files.provenance(path), is_chat=True in chats, dropped=dropped, notes=notes
    )


def availability(_: Store, __: str) -> Availability:
    """Return where the texts come from."""
    return Availability("file", "a .txt, .jsonl, .csv, .tsv, .parquet or SQuAD JSON file you name, or a folder of such")


def _refuse_columns(spec: DatasetSpec, path: Path, why: str) -> None:
    column = spec.text_column or spec.prompt_column
    if column:
        raise BadData(f"{path.name!r} {why}, so no {column!r}; leave the column out, or give .jsonl, .csv or .parquet.")


def _columns(spec: DatasetSpec) -> list[str]:
    named = [spec.prompt_column, spec.answer_column] if spec.prompt_column else [spec.text_column or DEFAULT_COLUMN]
    return [name for name in named if name]


def _text_column(spec: DatasetSpec, table: Table) -> str | None:
    """Return the column that holds a row's whole text or conversation, or None where there are questions."""
    if spec.prompt_column:
        return None
    if not spec.text_column and DEFAULT_COLUMN not in table.columns and COLUMN in table.columns:
        return COLUMN
    return spec.text_column or DEFAULT_COLUMN


def _documents(text: str, prefix: str, notes: list[str]) -> Iterator[Record]:
    pieces = [piece.strip() for piece in re.split(r"\n[^\S\n]*\n\s*", text.replace("\r\n", "\n")) if piece.strip()]
    if len(pieces) == 1:
        pieces = [line.strip() for line in pieces[0].split("\n") if line.strip()]
        notes.append("The file has no blank lines, so each line counts as a document.")
    return (Record.document(f"text-{prefix}{i}", piece) for i, piece in enumerate(pieces))


def _from_table(spec: DatasetSpec, table: Table, prefix: str) -> Iterator[Record]:
    columns = _columns(spec)
    for column in columns:
        table.require(column)
    if len(columns) == 1:
        for i, cell in enumerate(table.cells(columns[0])):
            yield Record.document(f"row-{prefix}{i}", text_of(*cell))
        return
    pairs = zip(table.cells(columns[0]), table.cells(columns[1]), strict=True)
    for i, (asked, answered) in enumerate(pairs):
        prompt = text_of(*asked).strip()
        yield Record.question(f"row-{prefix}{i}", f"row-{prefix}{i}", prompt, answers_of(*answered) if prompt else [])
