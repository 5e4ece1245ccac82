"""Records: what is kept, drawn, split and written."""

from collections import Counter

import pytest

from core.errors import BadData
from core.sources.records import Record, content_hash, draw, read_records, split, usable, write_records


def documents(n: int, n_groups: int | None = None) -> list[Record]:
    return [Record(f"d{i}", f"g{i % (n_groups or n)}", "", (), f"text {i}") for i in range(n)]


def test_a_question_reads_as_prompt_space_answer():
    record = Record.question("q", "g", "What?\nAnswer:", [" blue ", "blue", "", "azure"])
    assert record.answers == ("blue", "azure")
    assert record.text == "What?\nAnswer: blue"


def test_empty_and_repeated_records_are_counted():
    dropped: Counter[str] = Counter()
    given = [Record.document("a", "x"), Record.document("b", " x "), Record.document("c", "  ")]
    assert [record.id for record in usable(given, dropped, is_task=False)] == ["a"]
    assert dropped == {"repeated": 1, "empty text": 1}


def test_repeats_stay_where_they_are_wanted():
    dropped: Counter[str] = Counter()
    given = [Record.question(name, "g", "What?", ["x"]) for name in "ab"] + [Record.question("c", "g", "What?", [])]
    assert len(usable(given, dropped, is_task=True, distinct=False)) == 2
    assert dropped == {"no question or answer": 1}


def test_a_larger_draw_begins_with_the_smaller_one():
    records = documents(50)
    assert draw(records, 20, seed=3) == draw(records, 40, seed=3)[:20]
    assert draw(records, 20, seed=3) != draw(records, 20, seed=4)
    assert len(draw(records, 500, seed=3)) == 50


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("n_groups", [2, 3, 17])
def test_no_group_is_on_both_sides_and_none_is_empty(fraction, n_groups):
    records = documents(40, n_groups)
    train, validation = split(records, fraction, seed=1)
    assert {record.group for record in train}.isdisjoint(record.group for record in validation)
    assert train
    assert validation
    assert sorted(train + validation, key=lambda record: record.id) == sorted(records, key=lambda record: record.id)
    assert (train, validation) == split(records, fraction, seed=1)


def test_the_share_is_of_records():
    train, validation = split(documents(1000), 0.2, seed=0)
    assert (len(train), len(validation)) == (800, 200)
    uneven = [Record(str(i), "big" if i < 90 else f"g{i}", "", (), str(i)) for i in range(100)]
    train, validation = split(uneven, 0.05, seed=0)
    assert "big" in {record.group for record in train} or len(validation) >= 90


def test_the_seed_decides_the_split():
    assert split(documents(100), 0.2, seed=0) != split(documents(100), 0.2, seed=1)


def test_one_group_cannot_be_split():
    with pytest.raises(BadData, match=r"All 5 records belong to one group \(g0\).*at least 2 groups"):
        split(documents(5, 1), 0.2, seed=0)


def test_records_survive_the_file(tmp_path):
    records = [*documents(3), Record.question("q", "é", "What\n?", ["ja", "nein"])]
    write_records(tmp_path / "r.parquet", records)
    assert read_records(tmp_path / "r.parquet") == records
    assert content_hash(records) == content_hash(read_records(tmp_path / "r.parquet"))
    assert content_hash(records) != content_hash(records[:-1])
