from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.analysis.regions import Region
from core.figures.map_words import frame_of, label_regions, leave_out_far


def region(x: float, y: float, *tokens: str) -> Region:
    return Region(np.array([x, y]), tokens, 10)


def test_labels_are_escaped_and_one_on_top_of_another_is_left_out():
    figure: Any = go.Figure()
    label_regions(figure, [region(0, 0, " the", "<b>"), region(10, 10, "far"), region(0.1, 0.1, "hidden")])
    assert [note.text for note in figure.layout.annotations] == ["␣the · &lt;b&gt;", "far"]
    label_regions(figure, [])
    assert len(figure.layout.annotations) == 2


def test_a_few_points_far_out_do_not_decide_the_frame_and_are_counted():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(997, 2)), np.full((3, 2), 500.0)]).astype(np.float32)
    figure: Any = go.Figure()
    leave_out_far(figure, points)
    assert figure.layout.xaxis.range[1] < 10
    (note,) = figure.layout.annotations
    n_outside = int(note.text.split(" ")[0])
    assert 3 <= n_outside <= 20
    assert "of 1,000 points lie outside" in note.text


def test_in_three_dimensions_the_axes_of_the_scene_leave_them_out():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(997, 3)), np.full((3, 3), [0.0, 0.0, 500.0])]).astype(np.float32)
    figure: Any = go.Figure(
        [go.Scatter3d(x=points[:, 0], y=2 * points[:, 1], z=points[:, 2])], {"scene": {"aspectmode": "data"}}
    )
    leave_out_far(figure, points * np.array([1, 2, 1]))
    scene = figure.layout.scene
    spans = [axis.range[1] - axis.range[0] for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    assert spans[2] < 20
    shape = [scene.aspectratio.x, scene.aspectratio.y, scene.aspectratio.z]
    assert np.divide(shape, spans) == pytest.approx([shape[0] / spans[0]] * 3), "a unit is as long on each axis"
    assert "points lie outside: the map in 2-D has them" in figure.layout.annotations[0].text


def test_a_cloud_without_outliers_and_one_of_few_points_are_shown_whole():
    rng = np.random.default_rng(0)
    assert frame_of(rng.uniform(size=(1000, 2))) is None
    assert frame_of(np.array([[0.0, 0.0], [1000.0, 0.0]])) is None
    figure: Any = go.Figure()
    leave_out_far(figure, rng.uniform(size=(1000, 2)))
    assert not figure.layout.annotations


def test_the_frame_holds_what_shall_stay_inside():
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(size=(997, 2)), np.full((3, 2), 500.0)]).astype(np.float32)
    prompt = np.array([[40.0, 0.0], [np.nan, np.nan]], np.float32)
    figure: Any = go.Figure()
    leave_out_far(figure, points, [prompt])
    assert figure.layout.xaxis.range[1] == 40
    assert figure.layout.yaxis.range[1] < 10
