from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.figures.cloud_map import Axes
from core.figures.layer import Layer
from core.figures.palette import ANSWER, DATASET_MARKS, POSTERIOR, PRIOR, QUESTION, SENTENCE_MARKS, XAVIER
from core.figures.text_trajectories import TextTrajectory, connected, sentence_mark, trajectories_figure
from core.figures.trajectory_curves import trajectory_curves

FLAT = Axes(("PC1", "PC2"))
SOLID = Axes(("PC1", "PC2", "PC3"))


def drawn(*given: Any) -> Any:
    return trajectories_figure(*given)


def curves(*given: Any) -> Any:
    return trajectory_curves(*given)


def cloud(d: int = 2) -> Layer:
    return Layer("cloud", np.random.default_rng(0).normal(size=(50, d)).astype(np.float32))


def path(n: int = 4, d: int = 2, **more) -> TextTrajectory:
    coordinates = np.arange(n * d, dtype=np.float32).reshape(n, d)
    return TextTrajectory("a <b> path", "sentence", 0, coordinates, [f"token {i}" for i in range(n)], **more)


def test_a_path_has_arrows_a_hollow_start_and_a_large_end():
    figure = drawn([cloud()], [path()], FLAT)
    line, points = figure.data[1:]
    assert line.marker.symbol == "arrow"
    assert line.marker.angleref == "previous"
    assert list(line.marker.size > 0) == [False, True, True, True]
    assert list(points.marker.symbol) == ["circle-open", "circle", "circle", "circle"]
    assert points.marker.size[-1] > points.marker.size[1]
    assert points.name == "a &lt;b&gt; path"
    assert not line.showlegend
    assert figure.frames == ()
    assert points.text is None


def test_an_answer_goes_on_from_its_question_and_has_no_start_of_its_own():
    answer = path(3, after=np.array([9, 9], np.float32), begins=4)
    line, points = drawn([cloud()], [path(4), answer], FLAT).data[3:]
    assert (line.x[0], line.y[0]) == (9, 9)
    assert len(line.x) == 4
    assert "circle-open" not in points.marker.symbol
    assert answer.ends == 6


def test_an_answer_is_connected_with_the_question_before_it():
    question, answer = replace(path(4), kind="question"), replace(path(3), kind="answer", number=0)
    first, second, third = connected([question, answer, path(2)])
    assert (first.begins, second.begins, third.begins) == (0, 4, 0)
    assert second.after is not None
    assert np.array_equal(second.after, question.coordinates[-1])
    assert first.after is third.after is None


def test_frames_show_one_token_more_each():
    answer = path(2, after=np.array([9, 9], np.float32), begins=3)
    labels = ["one", "<two>", "three", "four", "five"]
    figure = drawn([cloud()], [path(3), answer], FLAT, labels)
    lengths = [[len(trace.x) for trace in frame.data[1::2]] for frame in figure.frames]
    assert lengths == [[1, 0], [2, 0], [3, 0], [3, 1], [3, 2]]
    assert all(frame.traces == (1, 2, 3, 4) for frame in figure.frames)
    slider = figure.layout.sliders[0]
    assert [step.label for step in slider.steps] == ["one", "&lt;two&gt;", "three", "four", "five"]
    assert slider.active == 4
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["Play", "Pause"]
    assert [len(trace.x) for trace in figure.data[2::2]] == [3, 2]


def test_tokens_without_a_place_break_the_path_and_go_to_the_rail():
    broken = path()
    broken.coordinates[2] = np.nan
    figure = drawn([cloud()], [broken], FLAT)
    assert np.isnan(figure.data[2].x[2])
    rail = figure.data[-1]
    assert rail.name == "a &lt;b&gt; path, outside the support"
    assert np.isfinite(rail.x).sum() == 1
    assert np.nanmax(rail.y) < cloud().coordinates[:, 1].min()
    assert "outside the support" in figure.layout.annotations[0].text


def test_three_dimensions_have_cones_for_arrows():
    figure = drawn([cloud(3)], [path(d=3, words=["a", "b", "c", "d"])], SOLID, ["1", "2", "3", "4"])
    kinds = [trace.type for trace in figure.data]
    assert kinds == ["scatter3d", "scatter3d", "cone", "scatter3d"]
    cones, points = figure.data[2:]
    assert len(cones.x) == 3
    assert cones.sizemode == "raw"  # in the map's own units; "absolute" depends on how close arrows are
    assert 0 < cones.sizeref < 1
    assert np.allclose(np.stack([cones.u, cones.v, cones.w]), 1 / np.sqrt(3))
    assert list(points.text) == ["a", "b", "c", "d"]
    assert all(frame.traces == (1, 2, 3) for frame in figure.frames)


def test_a_path_of_one_token_can_be_drawn():
    for axes, d in ((FLAT, 2), (SOLID, 3)):
        assert drawn([cloud(d)], [path(1, d)], axes).data[-1].x[0] == 0


def test_paths_are_told_apart_by_colour_and_symbol_and_from_the_roles():
    colours = [mark.colour for mark in (*SENTENCE_MARKS, QUESTION, ANSWER, *DATASET_MARKS, PRIOR, POSTERIOR, XAVIER)]
    assert len(set(colours)) == len(colours)
    assert len({mark.symbol for mark in SENTENCE_MARKS}) == len(SENTENCE_MARKS)
    assert len({mark.symbol_3d for mark in SENTENCE_MARKS}) == len(SENTENCE_MARKS)
    assert QUESTION.symbol != ANSWER.symbol
    assert sentence_mark(len(SENTENCE_MARKS)) == SENTENCE_MARKS[0]


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        {
            "site": site,
            "statistic": statistic,
            "null": null,
            "of": "difference" if statistic == "exponent" else "ratio",
            "value": 0.9,
            "low": 0.8,
            "high": 1.0,
            "null_low": 0.95,
            "null_high": 1.05,
        }
        for site in (0, 10, "final")
        for statistic in ("step", "exponent")
        for null in ("", "order shuffled", "unigram draw")
    ]
    return pd.DataFrame(rows)


def test_curves_have_a_panel_a_statistic_with_bands_and_intervals(table):
    figure = curves(table, {"step": "steps", "exponent": "exponents"})
    assert [note.text for note in figure.layout.annotations] == ["steps", "exponents"]
    curve = next(trace for trace in figure.data if trace.name == "against unigram draw")
    assert list(curve.x) == ["0", "10", "final"]
    assert np.allclose(curve.error_y.array, 0.1)
    assert np.allclose(curve.error_y.arrayminus, 0.1)
    bands = [trace for trace in figure.data if trace.fill == "tonexty"]
    assert len(bands) == 2
    assert np.allclose(bands[0].y, 1.05)
    assert [shape.y0 for shape in figure.layout.shapes] == [1, 0]
    assert len({trace.name for trace in figure.data if trace.showlegend}) == 3
