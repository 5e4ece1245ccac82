"""Looking closer at the Activations page, without a browser: what the address asks for is what is shown."""

import json
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.activations.annotate import annotate
from core.activations.clouds import find_cloud
from core.activations.selection import Selection, keep, rows_name
from core.figures.text import visible
from core.store import Store
from pages.activations_parts.colours import COLOURS
from pages.activations_parts.downloads import COLUMNS, table
from pages.activations_parts.points import HOVER_UP_TO, Points
from pages.activations_parts.search import Search
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of


def _open(filled: Content, **params: str):
    asked = {"data": '["file"]', "path": str(filled.dataset.path), "samples": "30", "rows": "500"}
    return open_page("activations", model=filled.model.name, **asked, **params)


def _cloud(filled: Content):
    found = find_cloud(filled.cloud, Store(filled.root))
    assert found is not None
    return found


def _lit(app) -> int:
    return sum(len(trace.get("selectedpoints", [])) for trace in charts_of(app)[0]["data"])


def test_a_selection_in_the_address_is_listed_and_lit(filled, no_engine):
    name = rows_name(_cloud(filled))
    app = _open(filled, selection=json.dumps({name: [3, 7, 8]}, separators=(",", ":")), token=f"{name}:7")
    assert "**3 tokens selected**" in texts_of(app)
    rows = _cloud(filled).rows
    assert table_of(app, "token")["token"].tolist() == [visible(rows["token"][i]) for i in (3, 7, 8)]
    assert _lit(app) == 3
    marked = charts_of(app)[0]["data"][-1]
    assert marked["name"] == "marked"
    assert "customdata" not in marked
    assert no_engine == []


def test_a_large_selection_is_found_by_its_key_and_undone(filled, no_engine):
    text = keep(Selection.of({rows_name(_cloud(filled)): range(0, 400, 2)}), Store(filled.root))
    app = _open(filled, selection=text, colour="norm")
    assert "**200 tokens selected**" in texts_of(app)
    assert _lit(app) == 200
    app.button(key="activations.clear").click().run()
    assert "Nothing is selected" in texts_of(app)
    assert "selection" not in app.query_params
    app.button(key="activations.undo").click().run()
    assert app.query_params["selection"] == text
    assert _lit(app) == 200


def test_a_selection_that_is_not_here_says_so_and_the_map_is_drawn(filled, no_engine):
    app = _open(filled, selection="kept-0123456789abcdef")
    assert "is not in this cache folder" in texts_of(app)
    assert charts_of(app)[0]["data"]


def test_rows_of_data_sets_that_are_not_on_the_map_are_told(filled, no_engine):
    asked = {rows_name(_cloud(filled)): [1], "0123456789abcdef": [1, 2]}
    app = _open(filled, selection=json.dumps(asked))
    assert "**1 token selected**, 2 more in data sets that are not on this map" in texts_of(app)


def test_what_is_found_is_counted_listed_and_selected(filled, no_engine):
    app = _open(filled, search="GIRL", place="context", panel="found")
    rows = _cloud(filled).rows
    sentences = rows["context_before"] + rows["token"] + rows["context_after"]
    n = int(sentences.str.lower().str.contains("girl").sum())
    assert f"**{n:,} of 500 tokens found**" in texts_of(app)
    assert charts_of(app)[0]["data"][-1]["name"] == f"found ({n:,})"
    app.button(key="activations.select_found").click().run()
    assert _lit(app) == n
    assert "**0 of 500 tokens found**" in texts_of(_open(filled, search="GIRL", case="true", panel="found"))


def test_the_nearest_tokens_of_a_marked_one_are_those_of_the_full_space(filled, no_engine):
    cloud = _cloud(filled)
    app = _open(filled, token=f"{rows_name(cloud)}:5", panel="near", metric="euclidean", n_near="4", others="true")
    points, rows = cloud.points(0), cloud.rows
    distances = np.linalg.norm(points - points[5], axis=1)
    distances[rows["document"] == rows["document"][5]] = np.inf
    listed = table_of(app, "distance")
    np.testing.assert_allclose(listed["distance"], np.sort(distances)[:4], atol=2e-3)
    assert rows["document"][5] not in set(listed["document"])
    assert "among 500 rows, without the same documents." in texts_of(app)


def test_without_a_token_or_selection_there_are_no_nearest(filled, no_engine):
    assert "Pick a row in a table to mark its token." in texts_of(_open(filled, panel="near"))
    assert "Select tokens first." in texts_of(_open(filled, panel="near", near_of="mean"))


def test_annotations_are_offered_with_their_cost_and_drawn_when_they_are_there(filled, no_engine):
    app = _open(filled, colour="surprise")
    assert "For these colours the model reads the texts once more" in texts_of(app)
    app.button(key="activations.annotate").click().run()
    assert [kind for kind, _ in no_engine] == ["annotate"]
    annotate(filled.cloud, Store(filled.root))
    charts = [charts_of(_open(filled, colour=name))[0] for name, colour in COLOURS.items() if colour.annotated]
    assert all(any(trace["type"] == "scatter" for trace in chart["data"]) for chart in charts)
    assert "coloraxis" in charts[-1]["layout"]


def test_other_sites_that_are_not_captured_are_said(filled, no_engine):
    assert "No other site of these data sets is captured" in texts_of(_open(filled, panel="sites"))


def test_density_lines_are_drawn_under_a_switch(filled, no_engine):
    kinds = [trace["type"] for trace in charts_of(_open(filled, lines="true"))[0]["data"]]
    assert kinds == ["scatter", "contour"]


def test_a_selection_is_shown_in_three_dimensions(filled, no_engine):
    app = _open(filled, dimensions="3", selection=json.dumps({rows_name(_cloud(filled)): [1, 2]}))
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
    assert names == ["not selected: stories.txt (500)", "stories.txt (500)"]


@pytest.fixture
def points() -> Points:
    """Return five points of two clouds."""
    frame = pd.DataFrame(
        {
            "cloud": [0, 0, 0, 1, 1],
            "number": [0, 1, 2, 1 << 20, (1 << 20) + 4],
            "row_id": [0, 1, 2, 0, 4],
            "document": [0, 0, 1, 0, 1],
            "position": [1, 2, 1, 1, 1],
            "token": ["a<b", "B.", " c", "b", "d"],
            "context_before": ["", "a<b", "", "x", "y"],
            "context_after": ["B.", "", "end", "", ""],
        }
    )
    return _points(frame)


def _points(frame: pd.DataFrame) -> Points:
    no_map: Any = None
    places = np.zeros((len(frame), 2), np.float32)
    return Points((), ("one", "two"), ("first", "second"), (), frame, places, no_map, 0)


@pytest.mark.parametrize(
    ("text", "scope", "case", "found"),
    [
        ("b", "token", True, [0, 3]),
        ("b", "token", False, [0, 1, 3]),
        (".", "token", False, [1]),
        ("a<bB", "context", True, [0, 1]),
        ("", "token", False, []),
    ],
)
def test_search_takes_the_text_as_it_is(text, scope, case, found, points):
    assert np.flatnonzero(Search(text, scope, case).found(points)).tolist() == found


def test_hover_is_short_where_there_are_many_points(points):
    assert points.hover[0].startswith("<b>a&lt;b</b>B.")
    many = pd.concat([points.frame] * (HOVER_UP_TO // 5 + 1), ignore_index=True)
    assert _points(many).hover[:3] == ["a&lt;b", "B.", "␣c"]


def test_points_are_taken_away_with_stable_columns(points):
    chosen = np.array([False, True, False, False, True])
    annotations = pd.DataFrame({"count": range(5), "part": "text", "rank": 1.0, "surprise": 0.5})
    whole, part = (table(points, chosen, "final", annotations, only) for only in (False, True))
    assert (len(whole), part["row_id"].tolist(), part["dataset"].tolist()) == (5, [1, 4], ["first", "second"])
    assert set(COLUMNS) - set(whole) == {"special", "norm"}  # which these five do not have
    with BytesIO() as file:
        whole.to_parquet(file, index=False)
        assert pd.read_parquet(file).equals(whole)


def test_regions_are_labelled_by_their_tokens_until_they_are_switched_off(filled, no_engine):
    (figure, *_) = charts_of(_open(filled))
    words = [note["text"] for note in figure["layout"]["annotations"]]
    assert words
    known = {visible(token) for token in _cloud(filled).rows["token"]}
    assert {word.replace("␣", " ") for text in words for word in text.split(" · ")} <= known
    assert not charts_of(_open(filled, regions="false"))[0]["layout"].get("annotations")
    assert not charts_of(_open(filled, dimensions="3"))[0]["layout"].get("annotations")
