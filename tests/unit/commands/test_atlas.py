"""The `atlas` verb."""

from pathlib import Path

import pytest

from core.commands.datasets import dataset_specs


@pytest.fixture
def texts(tmp_path: Path) -> str:
    for name, text in {"cats": "the cat sat on mat {}.", "sums": "{0} + {0} = 2 * {0}"}.items():
        (tmp_path / f"{name}.txt").write_text("\n\n".join(text.format(i * i + 3) for i in range(12)))
    return f"file:{tmp_path / 'cats.txt'}, file:{tmp_path / 'sums.txt'}"


def test_each_site_has_separability_modality_and_shape_with_interval_and_null(ask, call, inline, texts, tiny_folder):
    asked = ["atlas", "--model", str(tiny_folder), "--datasets", texts, "--sites", "0,final", "--samples", "10"]
    asked += ["--rows", "120", "--permutations", "19"]
    document = ask(*asked)
    assert [at["site"] for at in document["sites"]] == [0, "final"]
    assert document["names"] == ["cats.txt", "sums.txt"]
    assert document["n_documents"] == [10, 10]
    for at in document["sites"]:
        accuracy = at["separability"]["lda_accuracy"]["all"]
        assert set(accuracy) == {"value", "low", "high", "null", "null_low", "null_high", "p"}
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert accuracy["null_low"] <= accuracy["null"] <= accuracy["null_high"]
        assert set(at["modality"]["dip"]) == {"all", "cats.txt", "sums.txt"}
        assert "p" not in at["shape"]["participation_ratio"]["cats.txt"]
        assert len(at["explained_variance"]) == 2
    assert not document["cached"]
    assert ask(*asked) == {**document, "cached": True}
    code, out, _ = call(*asked)
    assert code == 0
    assert "cats.txt: 120 points of 10 documents  sums.txt: 120 points of 10 documents" in out
    assert "LDA accuracy, all" in out
    assert next(line for line in out.splitlines() if line.strip().startswith("final")).count("[") == 2


def test_data_sets_are_read_as_a_person_writes_them():
    squad, sums, own = dataset_specs("squad, math:algebra__linear_1d ,file:a/b.txt", "--datasets", "40", "3")
    assert (squad.name, squad.samples, squad.seed) == ("squad", 40, 3)
    assert sums.module == "algebra__linear_1d"
    assert own.path == "a/b.txt"


def test_a_comma_in_a_path_and_columns_are_read_as_such():
    one, other, rows, news = dataset_specs(
        "file:/a/b,c d.txt,file:x.txt, file:q?.csv?prompt_column=q&answer_column=a ,news", "--datasets", "2", "0"
    )
    assert (one.path, other.path, rows.path, news.name) == ("/a/b,c d.txt", "x.txt", "q?.csv", "news")
    assert (rows.prompt_column, rows.answer_column) == ("q", "a")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--datasets", "squads"], "no such data set; choose one of: squad, c4, news, math, file (got 'squads')"),
        (["--datasets", " ,"], "--datasets is ' ,', which names no data set; write for example squad,news,math."),
        (
            ["--datasets", "news:x"],
            "'news:x' has something after a colon, which only math, file, squad, c4 take; write",
        ),
        (["--datasets", "file"], "the data set 'file' needs a path; give the file's location"),
        (["--datasets", "news,news"], "the same cloud is named twice; leave one out"),
        (["--datasets", "file:/nowhere.txt"], "/nowhere.txt"),
        (["--datasets", "math:nothing"], "Unknown module 'nothing'"),
        (["--samples", "1"], "samples: Input should be greater than or equal to 2 (got '1')"),
        (["--rows", "many"], "rows: Input should be a valid integer"),
        (["--sites", "5,top"], "site 'top' is neither a block number from 0 nor 'final'; give one of those"),
        (["--permutations", "3"], "n_permutations: Input should be greater than or equal to 19 (got '3')"),
        (["--seed", "-1"], "seed: Input should be greater than or equal to 0 (got '-1')"),
        (["--model", ""], "String should have at least 1 character"),
        (["--model", "/nowhere"], "/nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(call, store, arguments, reason):
    code, out, err = call("atlas", *arguments, "--json")
    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1
