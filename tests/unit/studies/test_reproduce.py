"""The paper's figures on a tiny model: three files each, and numbers that are there."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.errors import BadRequest
from core.studies.reproduce import FIGURES, reproduce_figures
from tests.unit.studies.conftest import CountedBench


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all figures are made in."""
    return tmp_path_factory.mktemp("out") / "figures"


@pytest.fixture(scope="module")
def report(bench: CountedBench, out: Path) -> dict[str, Any]:
    """Return the report on all figures, asked for in no order and one twice."""
    return reproduce_figures(bench, [2, 1, 5, 4, 3, 2], out)


def numbers_of(report: dict[str, Any], number: int) -> dict[str, Any]:
    return next(made["numbers"] for made in report["figures"] if made["figure"] == number)


def test_each_figure_is_a_page_points_and_numbers(report, out):
    assert [made["figure"] for made in report["figures"]] == list(FIGURES)
    for made in report["figures"]:
        number, files = made["figure"], made["files"]
        assert files == {kind: f"figure-{number}.{kind}" for kind in ("html",)} | {
            "points": f"figure-{number}.parquet",
            "numbers": f"figure-{number}.json",
        }
        page = (out / files["html"]).read_text()
        assert escape(f"Figure {number}. {FIGURES[number].title}") in page
        assert escape(made["caption"]) in page
        assert "<script src=" not in page, "it opens without a network"
        assert {"x", "y", "cloud", "token"} <= set(pd.read_parquet(out / files["points"]).columns)
        assert json.loads((out / files["numbers"]).read_text())["figure"] == number
    assert json.loads((out / "report.json").read_text()) == report


def test_a_second_call_only_reads(report, bench, tmp_path):
    asked = list(bench.asked)
    again = reproduce_figures(bench, list(FIGURES), tmp_path)
    assert bench.asked == asked
    for first, second in zip(report["figures"], again["figures"], strict=True):
        assert first["numbers"] == second["numbers"]


def test_figures_1_and_2_measure_paths_against_three_nulls(report):
    for number in (1, 2):
        nulls = {row.get("null") for row in numbers_of(report, number)["paths"]}
        assert {"order shuffled", "unigram draw", "uniform draw"} <= nulls


def test_every_token_of_a_sentence_is_on_the_vocabulary_map_it_was_fitted_on(report, out, bench):
    points = pd.read_parquet(out / "figure-1.parquet")
    sentences = points.loc[points["cloud"].str.startswith("sentence")]
    rows = points.loc[points["cloud"] == "vocabulary"].set_index("token")
    known = sentences.loc[sentences["token"].isin(rows.index)]
    assert len(known) > 30
    for _, token in known.iterrows():
        assert (token["x"], token["y"]) == (rows.loc[token["token"], "x"], rows.loc[token["token"], "y"])


def test_figure_3_shows_padding_and_what_it_does(report, out):
    numbers = numbers_of(report, 3)
    points = pd.read_parquet(out / "figure-3.parquet")
    assert 0 < numbers["padding"]["share"] < 1
    assert points.loc[points["cloud"].isin(numbers["data_sets"]), "pad"].any()
    assert {"question", "answer"} <= set(points["cloud"])
    assert {"value", "low", "high", "p"} <= set(numbers["answer_spread"][0])


def test_figure_4_tests_for_one_mode_at_each_site(report):
    numbers = numbers_of(report, 4)
    assert numbers["sites"] == [0, 2, "final"]
    for at in numbers["by_site"].values():
        assert 0 < at["modality"]["dip"]["texts.txt"]["p"] <= 1


def test_figure_5_tells_data_sets_apart_with_a_null(report, out, bench):
    numbers = numbers_of(report, 5)
    accuracy = numbers["separability"]["lda_accuracy"]["all"]
    assert accuracy["null_low"] <= accuracy["null"] <= accuracy["null_high"]
    assert accuracy["value"] > accuracy["null_high"], "texts and sums of letters are told apart by any model"
    points = pd.read_parquet(out / "figure-5.parquet")
    assert points["cloud"].value_counts().to_dict() == dict.fromkeys(numbers["data_sets"], bench.spec.n_texts)


def test_an_unknown_figure_is_refused_before_anything_is_made(bench, tmp_path):
    with pytest.raises(BadRequest, match=r"^Figure 9 cannot be reproduced; there are 1, 2, 3, 4, 5\.$"):
        reproduce_figures(bench, [1, 9], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(bench, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRequest, match=r"file/out cannot be made .*; name another with --out"):
        reproduce_figures(bench, [1], tmp_path / "file" / "out")
