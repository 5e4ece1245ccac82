"""What every data set becomes: records with id, group, text, and for tasks prompt and answers."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import BadData
from core.specs.base import JsonObject

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),
        ("prompt", pa.string()),
        ("answers", pa.list_(pa.string())),
        ("text", pa.string()),
    ]
)
_SPLIT_STREAM = 1
"""Keeps the split's random numbers apart from those that draw the samples."""


@dataclass(frozen=True)
class Record:
    """One document, or one question with its answers.

    Attributes:
        id: unique in its data set.
        group: unit of splitting: what belongs together stays on one side.
        prompt: of a task, else empty; the answer follows it after one space.
        answers: of a task, the accepted ones, the first is trained on.
        text: all of it as the model reads it; of a task the prompt, a space and the first answer.
    """

    id: str
    group: str
    prompt: str
    answers: tuple[str, ...]
    text: str

    @classmethod
    def document(cls, name: str, text: str) -> "Record":
        """Return a plain text that is a group of its own."""
        return cls(id=name, group=name, prompt="", answers=(), text=text.strip())

    @classmethod
    def question(cls, name: str, group: str, prompt: str, answers: Iterable[str]) -> "Record":
        """Return a task's example; answers are stripped, empty and repeated ones left out."""
        kept = tuple(dict.fromkeys(answer.strip() for answer in answers if answer and answer.strip()))
        text = f"{prompt} {kept[0]}" if kept else ""
        return cls(id=name, group=group, prompt=prompt, answers=kept, text=text)


@dataclass
class Found:
    """What a source returned, before samples are drawn.

    Attributes:
        records: usable ones, in the source's order.
        is_task: whether they have prompts and answers.
        provenance: where they came from.
        is_chat: whether prompts are conversations that a tokenizer has yet to write.
        dropped: reason → how many were left out.
        notes: what a person should know.
        drawn: whether the source already drew as many as asked for, by seed.
    """

    records: list[Record]
    is_task: bool
    provenance: JsonObject
    is_chat: bool = False
    dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    drawn: bool = False


@dataclass(frozen=True)
class Availability:
    """Where a model or a data set would come from on this machine.

    Attributes:
        source: 'store', 'hub', 'package', 'generator' or 'file'; None if there is none.
        note: the same in words, or why there is none.
    """

    source: str | None
    note: str


def usable(records: Iterable[Record], dropped: Counter[str], is_task: bool, distinct: bool = True) -> list[Record]:
    """Return records with content, without repeats if `distinct`; count the others."""
    kept: list[Record] = []
    seen: set[tuple[str, str]] = set()
    for record in records:
        if not record.text:
            dropped["no question or answer" if is_task else "empty text"] += 1
        elif distinct and (record.prompt, record.text) in seen:
            dropped["repeated"] += 1
        else:
            seen.add((record.prompt, record.text))
            kept.append(record)
    return kept


def draw(records: list[Record], n_samples: int, seed: int) -> list[Record]:
    """Return a seeded sample in random order; a larger one of the same seed begins with it."""
    order = np.random.default_rng(seed).permutation(len(records))[:n_samples]
    return [records[i] for i in order]


def split(records: list[Record], fraction: float, seed: int) -> tuple[list[Record], list[Record]]:
    """Split by group into training and validation records, each in the given order.

    Groups are shuffled by the seed; as many go to validation as bring its share of the records
    closest to `fraction`, and at least one stays on each side.

    Raises:
        BadData: if all records are of one group.
    """
    sizes = Counter(record.group for record in records)
    groups = sorted(sizes)
    if len(groups) < 2:
        raise BadData(
            f"All {len(records)} records belong to one group ({', '.join(groups) or 'none'}), so none can be held out; "
            "give at least 2 groups (documents, articles), for example by more samples."
        )
    order = np.random.default_rng([seed, _SPLIT_STREAM]).permutation(len(groups))
    held = np.cumsum([sizes[groups[i]] for i in order])[:-1]
    n_groups = int(np.argmin(np.abs(held - fraction * len(records)))) + 1
    validation = {groups[i] for i in order[:n_groups]}
    return (
        [record for record in records if record.group not in validation],
        [record for record in records if record.group in validation],
    )


def write_records(path: Path, records: list[Record]) -> None:
    """Write records as Parquet."""
    columns = {name: [getattr(record, name) for record in records] for name in SCHEMA.names}
    pq.write_table(pa.table(columns, schema=SCHEMA), path, compression="zstd")


def read_records(path: Path) -> list[Record]:
    """Read what `write_records` wrote."""
    columns = pq.read_table(path).to_pydict()
    answers = map(tuple, columns["answers"])
    rows = zip(columns["id"], columns["group"], columns["prompt"], answers, columns["text"], strict=True)
    return [Record(*row) for row in rows]


def content_hash(records: Iterable[Record]) -> str:
    """Return the SHA-256 over ids, groups and texts: equal for equal data, whatever the file."""
    digest = hashlib.sha256()
    for record in records:
        for part in (record.id, record.group, record.prompt, record.text, *record.answers):
            raw = part.encode()
            digest.update(f"{len(raw)}:".encode())
            digest.update(raw)
    return digest.hexdigest()
