"""Files of texts and questions with odd content."""

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.sources.datasets import dataset_key, load_dataset
from core.specs import DatasetSpec
from core.store import Store
from tests.faults.mutate import mutated, mutated_bytes, numbered

ROWS: list[dict[str, Any]] = [{"text": f"One day {i} dogs ran.", "q": f"{i}+1=", "a": [str(i + 1)]} for i in range(6)]
SQUAD = {
    "data": [
        {
            "title": f"T{i}",
            "paragraphs": [
                {"context": "A dog.", "qas": [{"id": str(i), "question": "What?", "answers": [{"text": "dog"}]}]}
            ],
        }
        for i in range(3)
    ]
}
TEXTS = (
    "",
    "\ufeff",
    "a\x00b",
    "\u2028",
    "\r\r\r",
    "x" * 200_000,
    '"',
    "\ud83d",
    "=1+1",
    "a,b,,\n,,\n",
    "\t\t",
    "🐕" * 99,
)
COLUMNS: tuple[dict[str, str], ...] = (
    {},
    {"text_column": "q"},
    {"text_column": "a"},
    {"prompt_column": "q", "answer_column": "a"},
    {"prompt_column": "text", "answer_column": "missing"},
)


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Return files of every form, sound and spoilt, packed and not, and things that are no files."""
    return numbered("data", _read, rng, folder)


def _read(rng: random.Random, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = _write(rng, folder)
    spec = DatasetSpec.parse({"name": "file", "path": str(path), **rng.choice((*COLUMNS, {}, {}, {}))})
    store = Store(folder / "cache")
    data = load_dataset(spec, store)
    odd = [record for record in data.records if "{'" in record.text or "b'" in record.text or not record.text.strip()]
    return f"took {odd[0].text[:80]!r}" if odd else "" if data.key == dataset_key(spec) else "another key"


def _write(rng: random.Random, folder: Path) -> Path:
    form = rng.choice(["txt", "csv", "tsv", "jsonl", "json", "squad", "parquet", "none"])
    if form == "none":
        return _no_file(rng, folder)
    raw = _raw(rng, form, folder)
    if rng.random() < 0.4:
        raw = mutated_bytes(raw, rng)
    packed = rng.choice(["", "", "", ".gz", ".zst"])
    if packed:
        raw = gzip.compress(raw) if packed == ".gz" else pa.Codec("zstd").compress(raw, asbytes=True)
        raw = mutated_bytes(raw, rng) if rng.random() < 0.3 else raw
    suffix = {"squad": ".json"}.get(form, f".{form}") if rng.random() < 0.9 else rng.choice(["", ".bin", ".TXT"])
    path = folder / f"data{suffix}{packed}"
    path.write_bytes(raw)
    return path


def _raw(rng: random.Random, form: str, folder: Path) -> bytes:
    rows = mutated(ROWS, rng) if rng.random() < 0.7 else ROWS
    match form:
        case "txt":
            words = [rng.choice([*TEXTS, ROWS[0]["text"]]) for _ in range(rng.randint(1, 9))]
            return "\n\n".join(words).encode(rng.choice(["utf-8", "utf-16", "utf-32"]), "surrogatepass")
        case "csv" | "tsv":
            between = "," if form == "csv" else "\t"
            cells = [[rng.choice([*TEXTS, "one", "2"]) for _ in range(rng.randint(1, 4))] for _ in range(6)]
            text = "\n".join(between.join(row) for row in [["text", "q", "a"][: rng.randint(1, 3)], *cells])
            return text.encode("utf-8", "surrogatepass")
        case "jsonl":
            return "\n".join(json.dumps(row) for row in (rows if isinstance(rows, list) else [rows])).encode()
        case "squad":
            return json.dumps(mutated(SQUAD, rng)).encode()
        case "parquet":
            return _parquet(rng, folder)
    return json.dumps({"data": rows} if rng.random() < 0.3 else rows).encode()


def _parquet(rng: random.Random, folder: Path) -> bytes:
    kinds: list[Callable[[], pa.Array]] = [
        lambda: pa.array(["one", "two", None]),
        lambda: pa.array([b"one", b"\xff\xfe", None]),
        lambda: pa.array([b"one", b"two", b"\xff"]).view(pa.string()),
        lambda: pa.array([1.0, None, 3.0]),
        lambda: pa.array([2**62, 0, -(2**62)], pa.timestamp("us")),
        lambda: pa.array([["a"], [], None]),
        lambda: pa.array([{"text": ["a"]}, {"text": []}, None]),
        lambda: pa.array([[{"role": "user", "content": "a"}]] * 3),
        lambda: pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array(["one", "two"])),
        lambda: pa.nulls(3),
    ]
    pq.write_table(pa.table({name: rng.choice(kinds)() for name in ("text", "q", "a")}), folder / "made")
    return (folder / "made").read_bytes()


def _no_file(rng: random.Random, folder: Path) -> Path:
    path = folder / "odd.txt"
    match rng.randrange(6):
        case 0:
            os.mkfifo(path)
        case 1:
            return Path(rng.choice(["/dev/zero", "/dev/null", "/proc/kmsg", "/proc/self/mem", "/dev/stdin"]))
        case 2:
            path.symlink_to(path)
        case 3:
            path.mkdir()
            for name in rng.sample(["a.txt", "b.csv", "c.jsonl.gz", ".hidden.txt", "README"], 3):
                (path / name).write_bytes(rng.choice([b"", b"one\n\ntwo", b"\xff"]))
        case 4:
            return folder / rng.choice(["x" * 300, "not there", "a\nb", "odd.txt/within"])
        case _:
            path.write_bytes(b"")
    return path
