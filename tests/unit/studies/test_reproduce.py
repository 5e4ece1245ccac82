"""The paper's figures on a tiny model: three files each, and numbers that are there."""

import json
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.errors import BadRequest, Cancelled, Failed, Interrupted, UnknownName
from core.specs import StudyItemSpec
from core.studies.items import FIGURES, ITEMS, studies_of
from core.studies.reproduce import figure_names, reproduce
from tests.unit.studies.conftest import CountedBench


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all figures are made in."""
    return tmp_path_factory.mktemp("out") / "figures"


@pytest.fixture(scope="module")
def report(bench: CountedBench, out: Path) -> dict[str, Any]:
    """Return the report on figures asked for in no order and one twice."""
    return reproduce(bench.spec, figure_names([2, 1, 5, 4, 3, 2]), out, bench.obtain).document


def numbers_of(report: dict[str, Any], number: int) -> dict[str, Any]:
    return next(made["numbers"] for made in report["items"] if made["item"] == f"figure-{number}")


def test_each_figure_is_a_page_points_and_numbers(report, out):
    assert [made["item"] for made in report["items"]] == figure_names(range(1, 6))
    for made in report["items"]:
        item, files = made["item"], made["files"]
        assert files == {"html": f"{item}.html", "points": f"{item}.parquet", "numbers": f"{item}.json"}
        page = (out / files["html"]).read_text()
        assert escape(ITEMS[item].title) in page
        assert escape(made["caption"]) in page
        assert "<script src=" not in page, "it opens without a network"
        assert {"x", "y", "cloud", "token"} <= set(pd.read_parquet(out / files["points"]).columns)
        assert json.loads((out / files["numbers"]).read_text())["item"] == item
    assert json.loads((out / "report.json").read_text()) == report


def test_the_report_is_one_page_with_every_picture_and_plotly_once(report, out):
    page = (out / "report.html").read_text()
    assert page.count("plotly.js v") == 1
    for made in report["items"]:
        assert f'id="{made["item"]}"' in page
        assert escape(made["caption"]) in page


def test_the_film_shows_the_sites_of_figure_4(report, bench):
    asked = list(bench.asked)
    made = bench.obtain(StudyItemSpec(study=bench.spec, item="film")).reproduced
    assert bench.asked == asked, "it needs nothing that Figure 4 did not make"
    by_site = numbers_of(report, 4)
    assert made.numbers["sites"] == by_site["sites"]
    assert [frame.name for frame in made.picture.frames] == [str(k) for k in range(len(by_site["sites"]))]
    assert set(made.points["site"]) == set(by_site["by_site"])
    assert "The planes differ" in made.caption


def test_a_second_call_only_reads(report, bench, tmp_path):
    asked = list(bench.asked)
    again = reproduce(bench.spec, figure_names(range(1, 6)), tmp_path, bench.obtain)
    assert bench.asked == asked
    for first, second in zip(report["items"], again.items, strict=True):
        assert first["numbers"] == second.numbers
    assert studies_of(bench.store) == [bench.spec]


def test_an_item_that_fails_does_not_stop_the_others(report, bench, tmp_path):
    def obtain(spec):
        if spec.item == "figure-1":
            raise Failed("the <disk> broke")
        return bench.obtain(spec)

    broken = reproduce(bench.spec, figure_names([1, 4]), tmp_path, obtain)
    assert broken.items[0].error == "the <disk> broke"
    assert "files" not in broken.items[0].document
    assert broken.items[1].files["html"] == "figure-4.html"
    assert "the &lt;disk&gt; broke" in (tmp_path / "report.html").read_text()


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


@pytest.mark.parametrize("stop", [Cancelled("t-1 was cancelled"), Interrupted("stopped by SIGINT", 2)])
def test_a_person_who_stops_an_item_stops_the_others(bench, tmp_path, stop):
    asked = []

    def obtain(spec):
        asked.append(spec.item)
        raise stop

    with pytest.raises(type(stop)):
        reproduce(bench.spec, figure_names([1, 4]), tmp_path, obtain)
    assert asked == ["figure-1"]


def test_an_unknown_figure_or_item_is_refused_before_anything_is_made(bench, tmp_path):
    with pytest.raises(
        BadRequest, match=rf"^Figure 99 cannot be reproduced; there are {', '.join(map(str, FIGURES))}\.$"
    ):
        figure_names([1, 99])
    with pytest.raises(UnknownName, match="figure-99"):
        reproduce(bench.spec, ["figure-1", "figure-99"], tmp_path / "out", bench.obtain)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_named(bench, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRequest, match=r"file/out cannot be made .*; name another with --out"):
        reproduce(bench.spec, ["figure-1"], tmp_path / "file" / "out", bench.obtain)
