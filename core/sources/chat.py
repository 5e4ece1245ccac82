"""Conversations as Hugging Face writes them: rows of turns, each with a role and a content."""

import json
from collections.abc import Iterator
from typing import Any

from core.errors import BadData, shown
from core.sources.cells import Turn, text_of
from core.sources.records import Record
from core.sources.tables import Table

COLUMN = "messages"
"""Read where a file has no column of texts and none is named."""


def is_chat(table: Table, column: str) -> bool:
    """Return whether a column holds conversations; its first cell that holds anything says so."""
    first = next((value for value, _ in table.cells(column) if value), None)
    return isinstance(first, list) and all(isinstance(turn, dict) and "role" in turn for turn in first)


def chat_records(table: Table, column: str, prefix: str) -> Iterator[Record]:
    """Yield conversations as questions: the model's last turn is the answer, and those before it are the prompt.

    The prompt is JSON until a tokenizer says how it reads turns (see `core.lm.chat`). What follows
    the model's last turn is left out; a conversation without one has no answer.

    Raises:
        BadData: a cell is no list of turns.
    """
    for i, (cell, where) in enumerate(table.cells(column)):
        turns = _turns(cell, where)
        while turns and turns[-1]["role"] != "assistant":
            turns.pop()
        name, asked = f"row-{prefix}{i}", turns[:-1]
        answers = [turns[-1]["content"]] if asked else []
        yield Record.question(name, name, json.dumps(asked, ensure_ascii=False), answers)


def turns_of(record: Record) -> list[Turn]:
    """Return the turns before the answer of what `chat_records` made."""
    return json.loads(record.prompt)


def _turns(cell: Any, where: str) -> list[Turn]:
    if cell is None:
        return []
    if not isinstance(cell, list) or not all(
        isinstance(turn, dict) and {"role", "content"} <= set(turn) for turn in cell
    ):
        raise BadData(f"{where} holds {shown(cell)} and no list of turns with role and content; correct that row.")
    return [{"role": text_of(turn["role"], where), "content": _content(turn["content"], where)} for turn in cell]


def _content(value: Any, where: str) -> str:
    """Return what a turn says: text, or the texts of its parts."""
    if not isinstance(value, list):
        return text_of(value, where)
    if not all(isinstance(part, dict) and part.get("type") == "text" for part in value):
        raise BadData(f"{where} has a turn with parts that are no text, which no model here reads; leave it out.")
    return "".join(text_of(part.get("text"), where) for part in value)
