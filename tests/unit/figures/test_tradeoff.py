from collections.abc import Callable
from typing import Any

import numpy as np

from core.figures.tradeoff import tradeoff_figure


def _loose(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Plotly's own annotations do not know what is inside a figure."""
    return draw


def test_one_labelled_point_a_value_connected_in_order_beside_the_baselines():
    figure = _loose(tradeoff_figure)(
        ["0", "0.1", "<b>1</b>"],
        np.array([80.0, 40.0, 10.0]),
        np.array([1.0, 1.2, 2.0]),
        "Apart <i>from</i> each other",
        {"no prompt": 3.0, "prior sample": 2.5},
    )
    points, *baselines = figure.data
    assert points.x.tolist() == [80, 40, 10]
    assert points.mode == "lines+markers+text"
    assert list(points.text) == ["0", "0.1", "&lt;b&gt;1&lt;/b&gt;"]
    assert points.name == "Apart &lt;i&gt;from&lt;/i&gt; each other"
    assert [line.name for line in baselines] == ["no prompt (3.000)", "prior sample (2.500)"]
    assert baselines[0].y.tolist() == [3, 3]
    assert "angle" in figure.layout.xaxis.title.text
    assert "loss" in figure.layout.yaxis.title.text


def test_the_picture_is_as_wide_as_its_points_and_says_which_baseline_lies_beyond_it():
    figure = _loose(tradeoff_figure)(
        ["0", "1"], np.array([40.0, 50.0]), np.array([2.0, 3.0]), "x", {"no prompt": 11.0, "prior sample": 4.0}
    )
    assert [line.name for line in figure.data[1:]] == ["no prompt (11.000, outside the plot)", "prior sample (4.000)"]
    low, high = figure.layout.yaxis.range
    assert low < 2
    assert 4 < high < 5
    assert figure.layout.xaxis.range == (38, 52)


def test_labels_of_points_at_one_place_do_not_lie_on_each_other():
    figure = _loose(tradeoff_figure)(list("abc"), np.array([10.0, 10.1, 90]), np.array([1.0, 1.0, 2]), "x", {})
    first, second, third = figure.data[0].textposition
    assert first != second
    assert third == first


def test_no_points_yet():
    assert len(_loose(tradeoff_figure)([], np.array([]), np.array([]), "x", {"no prompt": 1.0}).data) == 2
