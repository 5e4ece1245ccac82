"""Files as other programs write them: each cell is text or is refused by column and row; packed files and folders."""

import datetime
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BadData, Cancelled
from core.sources import files
from core.sources.datasets import dataset_key, load_dataset
from core.specs import DatasetSpec

ROWS = [{"text": "one", "n": 1}, {"text": "two", "n": 2}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
QUESTIONS: dict[str, Any] = {"prompt_column": "q", "answer_column": "a"}


def records(store, path: Path, **fields):
    found = load_dataset(DatasetSpec(name="file", path=str(path), **fields), store).records
    return sorted(found, key=lambda record: record.text)


def texts(store, path: Path, **fields) -> list[str]:
    return [record.text for record in records(store, path, **fields)]


def refusal(store, path: Path, **fields) -> str:
    with pytest.raises(BadData) as refused:
        load_dataset(DatasetSpec(name="file", path=str(path), **fields), store)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "data",
    [
        ROWS,
        ["one", "two"],
        {"text": ["one", "two"]},
        {"text": {"0": "one", "1": "two"}, "n": {"0": 1, "1": 2}},
        {"columns": ["n", "text"], "index": [0, 1], "data": [[1, "one"], [2, "two"]]},
        {"schema": {"fields": []}, "data": ROWS},
        {"features": [], "rows": [{"row_idx": i, "row": row} for i, row in enumerate(ROWS)]},
    ],
    ids=["rows", "strings", "lists", "pandas columns", "pandas split", "pandas table", "the hub's viewer"],
)
def test_json_in_the_shapes_that_programs_write(store, tmp_path, data):
    assert texts(store, write(tmp_path / "a.json", json.dumps(data))) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", 'text\tn\none, and\t1\n"two\tor"\t2\n'),
        ("a.csv", "text;n\none, and;1\ntwo\tor;2\n"),
        ("a.csv", 'n, text\n1,"one, and"\n2,two\tor\n'),
    ],
)
def test_tables_of_other_separators(store, tmp_path, name, content):
    assert texts(store, write(tmp_path / name, content)) == ["one, and", "two\tor"]


@pytest.mark.parametrize("name", ["c4.json.gz", "a.jsonl.gz", "a.jsonl.zst", "A.JSONL.GZ"])
def test_packed_files(store, tmp_path, name):
    packed = gzip.compress(LINES.encode())
    if name.endswith("zst"):
        packed = pa.Codec("zstd").compress(LINES.encode(), asbytes=True)
    assert texts(store, write(tmp_path / name, packed)) == ["one", "two"]


def test_a_packed_file_of_several_parts(store, tmp_path):
    parts = b"".join(gzip.compress(line.encode() + b"\n") for line in LINES.splitlines())
    assert texts(store, write(tmp_path / "a.jsonl.gz", parts)) == ["one", "two"]


def test_a_folder_of_shards_is_one_data_set(store, tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    write(folder / "b.jsonl", '{"text": "three"}\n')
    write(folder / "a.jsonl.gz", gzip.compress(LINES.encode()))
    write(folder / "README.md", "not data")
    data = load_dataset(DatasetSpec(name="file", path=str(folder)), store)
    assert sorted(record.text for record in data.records) == ["one", "three", "two"]
    assert len({record.id for record in data.records}) == 3
    assert (data.provenance["file"], data.provenance["files"]) == ("shards", 2)
    write(folder / "b.jsonl", '{"text": "four"}\n')
    assert dataset_key(DatasetSpec(name="file", path=str(folder))) != data.key
    write(folder / "c.txt", "text")
    assert "is a folder with jsonl and txt files of texts; give one file, or" in refusal(store, folder)


def test_answers_as_hugging_face_writes_squad(store, tmp_path):
    rows = [{"q": f"Which {i}?", "a": {"text": [f"dog {i}", "a dog"], "answer_start": [0, 4]}} for i in range(2)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for name in ("a.parquet", "a.jsonl"):
        first, second = records(store, tmp_path / name, **QUESTIONS)
        assert (first.text, first.answers) == ("Which 0? dog 0", ("dog 0", "a dog"))
        assert second.answers == ("dog 1", "a dog")


def test_bytes_in_parquet_are_decoded(store, tmp_path):
    pq.write_table(pa.table({"text": pa.array([b"one", "zwölf".encode()])}), tmp_path / "a.parquet")
    assert texts(store, tmp_path / "a.parquet") == ["one", "zwölf"]
    pq.write_table(pa.table({"text": pa.array([b"one", b"\xff"])}), tmp_path / "b.parquet")
    assert refusal(store, tmp_path / "b.parquet") == (
        "Column 'text' in row 2 of 'b.parquet' holds bytes that are not UTF-8 text; write the column as text."
    )


def test_text_in_parquet_that_is_not_utf8_is_named(store, tmp_path):
    raw = pa.array([b"one", b"two", b"\xff\xfe"]).view(pa.string())
    pq.write_table(pa.table({"text": raw}), tmp_path / "a.parquet")
    assert "Column 'text' in row 3 of 'a.parquet' is not UTF-8 text" in refusal(store, tmp_path / "a.parquet")


def test_numbers_dates_and_gaps_are_spelled_as_people_do(store, tmp_path):
    frame = pd.DataFrame({"q": ["1+1=", "?", "1+2="], "a": [2, None, 3]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert texts(store, tmp_path / "a.parquet", **QUESTIONS) == ["1+1= 2", "1+2= 3"]
    days = pa.array([datetime.date(2024, 5, 1), datetime.date(2024, 5, 2), None])
    pq.write_table(pa.table({"text": days}), tmp_path / "b.parquet")
    assert texts(store, tmp_path / "b.parquet") == ["2024-05-01", "2024-05-02"]
    write(tmp_path / "c.jsonl", '{"text": NaN}\n{"text": "nan"}\n{"text": true}\n{"text": 1.5}\n')
    assert texts(store, tmp_path / "c.jsonl") == ["1.5", "True", "nan"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (["one", "two"], "holds a list (['one', 'two']) and no text; name a column of text."),
        ({"en": "one"}, "holds an object ({'en': 'one'}) and no text; name a column of text."),
    ],
)
def test_what_is_no_text_is_refused_by_column_and_row(store, tmp_path, cell, words):
    path = write(tmp_path / "a.jsonl", f"{LINES}\n{json.dumps({'text': cell})}\n")
    assert refusal(store, path) == f"Column 'text' in line 4 of 'a.jsonl' {words}"
    path = write(tmp_path / "b.jsonl", json.dumps({"q": "What?", "a": [cell]}) + "\n")
    assert refusal(store, path, **QUESTIONS).startswith("Column 'a' in line 1 of 'b.jsonl' holds")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r'{"text": "half \ud83d"}', "a text holds half a character, U+D83D, which is not Unicode text"),
        ("[" * 70 + "]" * 70, "it nests lists and objects over 64 levels deep"),
        ("[" * 100_000, "it nests lists and objects over 64 levels deep"),
        ('{"text": ' + "9" * 5000 + "}", "a number has 5000 digits, and 300 are allowed"),
    ],
    ids=["surrogate", "deep", "deeper", "digits"],
)
def test_json_that_no_text_comes_from_is_named_by_its_line(store, tmp_path, line, words):
    assert refusal(store, write(tmp_path / "a.jsonl", LINES + line)) == (
        f"Line 3 of 'a.jsonl' is not JSON ({words}); write one JSON object per line."
    )
    assert words in refusal(store, write(tmp_path / "a.json", line))


def test_what_is_no_regular_file_is_never_opened(store, tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    for path in (tmp_path / "pipe.txt", Path("/dev/zero")):
        assert "is a pipe or a device, not a file; save its content in a file" in refusal(store, path)


def test_what_unpacks_to_more_than_text_does_is_given_up(store, tmp_path, monkeypatch):
    bomb = pa.Codec("zstd").compress(bytes(100 << 20), asbytes=True)
    words = refusal(store, write(tmp_path / "a.txt.zst", bomb))
    assert "unpacks to more than 1000 times its" in words
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    plain = write(tmp_path / "b.txt", "one\n\n" * 1000)
    assert "'b.txt' has 5,000 bytes, and 1,000 are allowed; give a part of it" in refusal(store, plain)
    packed = write(tmp_path / "c.txt.gz", gzip.compress(b"one\n\n" * 1000))
    assert "bytes, and 1,000 are allowed; give a part of it" in refusal(store, packed)
    pq.write_table(pa.table({"text": ["one" * 1000, "two"]}), tmp_path / "d.parquet")
    assert "holds more than 1,000 bytes; give a part of it" in refusal(store, tmp_path / "d.parquet")


def test_a_damaged_packed_file(store, tmp_path):
    whole = gzip.compress(LINES.encode() * 99)
    assert "'a.jsonl.gz' cannot be read" in refusal(store, write(tmp_path / "a.jsonl.gz", b"not packed"))
    for end in (len(whole) // 2, len(whole) - 1):
        assert refusal(store, write(tmp_path / "b.jsonl.gz", whole[:end]))


def test_old_macs_line_ends(store, tmp_path):
    assert texts(store, write(tmp_path / "a.txt", "one\rtwo\rthree")) == ["one", "three", "two"]


def test_columns_of_squad_json_are_refused_and_not_ignored(store, tmp_path):
    item = {"id": "1", "question": "What?", "answers": [{"text": "dog"}]}
    data = {"data": [{"title": "T", "paragraphs": [{"context": "A dog.", "qas": [item]}]}]}
    words = refusal(store, write(tmp_path / "a.json", json.dumps(data)), text_column="context")
    assert "'a.json' is SQuAD JSON, whose questions are read whole, so no 'context'; leave the column out" in words


def test_reading_a_folder_can_be_cancelled(store, tmp_path):
    for number in range(3):
        write(tmp_path / f"{number}.jsonl", LINES)

    def cancel(done, total, message=""):
        if done == 1:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        load_dataset(DatasetSpec(name="file", path=str(tmp_path), samples=2), store, cancel)
