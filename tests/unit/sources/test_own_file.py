"""The person's own files: every form, and every way they can be wrong."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BadData
from core.sources.datasets import dataset_key, find_dataset, load_dataset
from core.specs import DatasetSpec

SQUAD = {
    "version": "1.1",
    "data": [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": f"{title} is green.",
                    "qas": [{"id": f"{title}-1", "question": "Colour? ", "answers": [{"text": "green"}] * 3}],
                }
            ],
        }
        for title in ("Moss", "Frog")
    ],
}


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def texts(store, path: str, **fields) -> list[str]:
    return sorted(record.text for record in load_dataset(DatasetSpec(name="file", path=path, **fields), store).records)


def failure(store, path: str, **fields) -> str:
    with pytest.raises(BadData) as caught:
        load_dataset(DatasetSpec(name="file", path=path, **fields), store)
    message = str(caught.value)
    assert "\n" not in message
    assert list(store.artifacts()) == []
    return message


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a"])
def test_paragraphs_are_documents(store, tmp_path, name):
    path = write(tmp_path, name, "\ufeffone\nstill one\n\n \n\ntwo\r\n\r\nthree\n")
    assert texts(store, path) == ["one\nstill one", "three", "two"]


def test_without_blank_lines_lines_are_documents(store, tmp_path):
    path = write(tmp_path, "a.txt", "one\ntwo\n")
    data = load_dataset(DatasetSpec(name="file", path=path), store)
    assert sorted(record.text for record in data.records) == ["one", "two"]
    assert "each line counts as a document" in data.provenance["notes"][0]
    assert not data.is_task


def test_one_document_is_too_few(store, tmp_path):
    message = failure(store, write(tmp_path, "a.txt", "alone\n"))
    assert "'a.txt' has 1 usable records of the 2 that are needed at least" in message


TABLES = {
    "a.jsonl": '{"text": "one", "n": 1}\n\n{"text": "two"}\n{"text": null}\n{"text": "a\u2028b"}\n',
    "a.json": '[{"text": "one"}, {"text": "two"}, {"text": ""}, {"text": "a\u2028b"}]',
    "lines.json": '{"text": "one"}\n{"text": "two"}\n{"text": "a\u2028b"}\n{"text": "two"}\n',
    "a.csv": 'text,n\none,1\n"two",2\n,3\na\u2028b,4\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_documents(store, tmp_path, name):
    path = write(tmp_path, name, TABLES[name])
    data = load_dataset(DatasetSpec(name="file", path=path), store)
    assert sorted(record.text for record in data.records) == ["a\u2028b", "one", "two"]
    assert sum(data.provenance["dropped"].values()) == 1
    assert data.provenance["file"] == name
    assert str(tmp_path) not in json.dumps(data.provenance)


@pytest.mark.parametrize("name", ["a.parquet", "unknown-suffix"])
def test_parquet(store, tmp_path, name):
    pq.write_table(pa.table({"body": ["one", "two", None]}), tmp_path / name)
    assert texts(store, str(tmp_path / name), text_column="body") == ["one", "two"]


def test_questions_from_columns(store, tmp_path):
    path = write(tmp_path, "a.jsonl", '{"q": "1+1=", "a": [2, "two"]}\n{"q": "2+2=", "a": 4}\n{"q": "?", "a": null}\n')
    data = load_dataset(DatasetSpec(name="file", path=path, prompt_column="q", answer_column="a"), store)
    assert data.is_task
    found = {record.prompt: record for record in data.records}
    assert found["1+1="].answers == ("2", "two")
    assert found["2+2="].text == "2+2= 4"
    assert data.provenance["dropped"] == {"no question or answer": 1}


@pytest.mark.parametrize("name", ["squad.json", "squad"])
def test_squad_json_is_recognised(store, tmp_path, name):
    data = load_dataset(DatasetSpec(name="file", path=write(tmp_path, name, json.dumps(SQUAD))), store)
    assert data.is_task
    record = next(record for record in data.records if record.group == "Moss")
    assert record.text == "Title: Moss\nBackground: Moss is green.\nQuestion: Colour?\nAnswer: green"
    train, validation = data.split()
    assert {train[0].group, validation[0].group} == {"Moss", "Frog"}


def test_fewer_than_asked_for_is_noted(store, tmp_path):
    path = write(tmp_path, "a.txt", "one\n\ntwo\n\nthree")
    data = load_dataset(DatasetSpec(name="file", path=path, samples=10), store)
    assert data.provenance["notes"] == ["10 samples were asked for; there are only 3."]
    assert data.provenance["n_records"] == 3


def test_the_key_is_the_content_and_not_the_path_or_the_split(store, tmp_path):
    one, other = write(tmp_path, "a.txt", "one\n\ntwo"), write(tmp_path, "b.txt", "one\n\ntwo")
    spec = DatasetSpec(name="file", path=one)
    assert find_dataset(spec, store) is None
    data = load_dataset(spec, store)
    assert find_dataset(spec, store) == data
    assert dataset_key(DatasetSpec(name="file", path=other, validation_fraction=0.4)) == data.key
    Path(other).write_text("one\n\nthree")
    assert dataset_key(DatasetSpec(name="file", path=other)) != data.key
    assert dataset_key(DatasetSpec(name="file", path=one, seed=1)) != data.key


def test_an_empty_file(store, tmp_path):
    assert "is empty (0 bytes); give a file with at least 2 documents" in failure(store, write(tmp_path, "a.txt", b""))


def test_a_file_of_blanks(store, tmp_path):
    assert "has 0 usable records" in failure(store, write(tmp_path, "a.txt", " \n\n \n"))


def test_not_utf8(store, tmp_path):
    message = failure(store, write(tmp_path, "a.txt", "caf\xe9 noir".encode("latin-1")))
    assert "'a.txt' is not UTF-8: byte 3 is 0xe9" in message
    assert "save it as UTF-8" in message


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_not_utf8_in_a_table(store, tmp_path, name):
    assert "is not UTF-8: byte 0 is 0xff" in failure(store, write(tmp_path, name, b"\xff\xfe\x00"))


def test_no_such_file(store, tmp_path):
    message = failure(store, str(tmp_path / "none.txt"))
    assert "none.txt' cannot be read (No such file or directory); check the path" in message


def test_a_folder_is_no_file(store, tmp_path):
    assert "is a folder with no files of texts; give one file, or a folder" in failure(store, str(tmp_path))


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_column_shows_those_there(store, tmp_path, name):
    message = failure(store, write(tmp_path, name, TABLES[name]), text_column="body")
    assert f"'{name}' has no column 'body'; it has: text" in message
    assert "Name its text column, or its prompt and its answer column." in message


def test_a_missing_answer_column(store, tmp_path):
    path = write(tmp_path, "a.csv", "q,a\n1,2\n")
    assert "no column 'answer'; it has: q, a." in failure(store, path, prompt_column="q", answer_column="answer")


def test_plain_text_has_no_columns(store, tmp_path):
    path = write(tmp_path, "a.txt", "one\n\ntwo")
    assert "is plain text and has no columns, so no 'body'" in failure(store, path, text_column="body")


def test_a_wrong_line_is_named(store, tmp_path):
    message = failure(store, write(tmp_path, "a.jsonl", '{"text": "one"}\n{"text": two}\n'))
    assert "Line 2 of 'a.jsonl' is not JSON (Expecting value" in message


def test_a_line_that_is_no_object_is_named(store, tmp_path):
    assert "Line 1 of 'a.jsonl' is a JSON list, not an object" in failure(store, write(tmp_path, "a.jsonl", "[1]\n"))


def test_json_of_another_shape(store, tmp_path):
    assert "holds a JSON int; give SQuAD JSON or a list" in failure(store, write(tmp_path, "a.json", "3"))
    assert "Item 1 of 'b.json' is a JSON int" in failure(store, write(tmp_path, "b.json", "[3]"))
    assert "'c.json' is not JSON (Expecting" in failure(store, write(tmp_path, "c.json", '{"data": '))


def test_squad_json_with_a_hole(store, tmp_path):
    path = write(tmp_path, "a.json", json.dumps({"data": [{"title": "x", "paragraphs": [{"context": "y"}]}]}))
    assert "'a.json' is not SQuAD JSON: data[0] lacks 'qas'" in failure(store, path)


def test_a_broken_csv(store, tmp_path):
    message = failure(store, write(tmp_path, "a.csv", "text\none,two,three\nfour,five\nsix,seven,eight,nine\n"))
    assert "'a.csv' cannot be read as CSV (line 2 has 3 cells, the header 1)" in message
    assert "separate cells by commas" in message


def test_a_column_that_is_named_twice(store, tmp_path):
    message = failure(store, write(tmp_path, "a.csv", "text,text\none,two\n"))
    assert "'a.csv' cannot be read as CSV (the header names 'text' twice)" in message


def test_a_quote_that_never_ends(store, tmp_path):
    message = failure(store, write(tmp_path, "a.csv", 'text,n\none,1\n"two,2\n'))
    assert "'a.csv' cannot be read as CSV (unexpected end of data)" in message


def test_a_comma_at_the_end_of_each_row_shifts_no_column(store, tmp_path):
    path = write(tmp_path, "a.csv", "question,answer\n1 + 1,2,\n2 + 3,5,\n")
    data = load_dataset(DatasetSpec(name="file", path=path, prompt_column="question", answer_column="answer"), store)
    assert {(record.prompt, record.answers) for record in data.records} == {("1 + 1", ("2",)), ("2 + 3", ("5",))}


def test_a_short_row_has_empty_cells(store, tmp_path):
    data = load_dataset(DatasetSpec(name="file", path=write(tmp_path, "a.csv", "n,text\n1,one\n2\n3,three\n")), store)
    assert {record.text for record in data.records} == {"one", "three"}
    assert data.provenance["dropped"] == {"empty text": 1}


def test_a_broken_parquet(store, tmp_path):
    message = failure(store, write(tmp_path, "a.parquet", b"PAR1 and nothing"))
    assert "'a.parquet' cannot be read as Parquet (" in message
