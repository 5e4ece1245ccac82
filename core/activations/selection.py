"""A selection of tokens that outlives its picture: rows of clouds by id, short in an address."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.clouds import Cloud
from core.array_types import Bools, Int64s, Ints
from core.errors import BadRequest, shown
from core.specs.base import JsonObject, canonical_json, fingerprint
from core.specs.reading import parse_json
from core.store.artifacts import Store

SELECTION = "selection"
"""Kind of the artifacts that hold large selections."""
IN_WORDS = 40
"""Rows that are written out in an address; more are kept in the store, and the address has their
key."""
_RECORD = "rows.parquet"
_KEPT = re.compile(r"kept-[0-9a-f]{16}")
_ROW_BITS = 20
"""Row ids are below 2**20: a cloud has at most 1,000,000 rows."""


def rows_name(cloud: Cloud) -> str:
    """Return a name for the rows of a cloud; it is the same at every site, as the rows are."""
    return cloud.key.partition("-")[0]


def number(cloud: int, row_ids: Ints) -> NDArray[np.int32]:
    """Return numbers (n,) that tell points of several clouds apart in a figure, from the cloud's place and row ids."""
    return (np.asarray(row_ids, np.int64) + (cloud << _ROW_BITS)).astype(np.int32)


def split_number(numbers: Ints) -> tuple[Int64s, Int64s]:
    """Return place of the cloud and row id, each (n,), of what `number` gave."""
    numbers = np.asarray(numbers, np.int64)
    return numbers >> _ROW_BITS, numbers & ((1 << _ROW_BITS) - 1)


@dataclass(frozen=True)
class Selection:
    """Tokens by the cloud they are rows of.

    Attributes:
        rows: `rows_name` of a cloud → ascending row ids, none twice; no cloud has an empty list.
    """

    rows: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, rows: Mapping[str, Iterable[int]]) -> "Selection":
        """Return a selection of any lists of row ids."""
        tidy = {name: tuple(sorted({int(row) for row in ids})) for name, ids in sorted(rows.items())}
        return cls({name: ids for name, ids in tidy.items() if ids})

    def __len__(self) -> int:
        """Return the number of tokens."""
        return sum(map(len, self.rows.values()))

    def __or__(self, other: "Selection") -> "Selection":
        """Return tokens of either."""
        names = {*self.rows, *other.rows}
        return Selection.of({name: (*self.rows.get(name, ()), *other.rows.get(name, ())) for name in names})

    def __sub__(self, other: "Selection") -> "Selection":
        """Return tokens of this one alone."""
        return Selection.of({name: {*ids} - {*other.rows.get(name, ())} for name, ids in self.rows.items()})

    def holds(self, name: str, row_ids: Ints) -> Bools:
        """Return (n,) which rows of a cloud are selected."""
        return np.isin(row_ids, self.rows.get(name, ()))


NOTHING = Selection({})


def keep(selection: Selection, store: Store) -> str:
    """Return a short text for a selection: its JSON if it is small, else the key of a stored copy.

    Raises:
        DiskFull: no space for a large one.
    """
    if not selection.rows:
        return ""
    text = canonical_json(selection.rows)
    if len(selection) <= IN_WORDS:
        return text
    key = fingerprint(text)

    def build(folder: Path) -> JsonObject:
        frame = pd.DataFrame(
            [(name, row) for name, ids in selection.rows.items() for row in ids], columns=["cloud", "row_id"]
        )
        frame.to_parquet(folder / _RECORD, compression="zstd", index=False)
        return {"n_rows": len(selection), "clouds": list(selection.rows)}

    store.make(SELECTION, key, {"clouds": list(selection.rows)}, build)
    return f"kept-{key}"


def recall(text: str, store: Store) -> Selection:
    """Return the selection that a text of `keep` stands for.

    Raises:
        BadRequest: no such text, or what it names is not in this store.
    """
    if not text:
        return NOTHING
    if _KEPT.fullmatch(text):
        artifact = store.find(SELECTION, text.removeprefix("kept-"))
        if artifact is None:
            raise BadRequest(
                f"The selection {text!r} is not in this cache folder; a selection of over {IN_WORDS} tokens opens "
                "only where it was made; select again, or use that machine's cache folder."
            )
        frame = pd.read_parquet(artifact.folder / _RECORD)
        return Selection.of({str(name): part["row_id"].tolist() for name, part in frame.groupby("cloud")})
    return _read(text)


def _row(value: object) -> int:
    """Return a row id.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, int) or not 0 <= value < 1 << _ROW_BITS:
        raise ValueError
    return value


def _read(text: str) -> Selection:
    try:
        rows = {str(name): [_row(row) for row in ids] for name, ids in parse_json(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise BadRequest(
            f"{shown(text)} names no selection; give cloud names with lists of row ids, as in "
            '{"2f0d7e61c8e4effd":[1,5]}, or the key of a kept one.'
        ) from None
    return Selection.of(rows)
