"""Small clouds as SVG."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures.few_points import SVG_UP_TO, few_as_svg, thin
from core.figures.layer import Layer


def _figure(*sizes: int) -> go.Figure:
    clouds = [go.Scattergl(x=np.arange(n, dtype=np.float32), y=np.zeros(n), name=str(n)) for n in sizes]
    frames = [go.Frame(name="0", data=[go.Scattergl(x=[2.0], y=[3.0])], traces=[0])]
    return go.Figure(clouds, {"title": {"text": "clouds"}}, frames)


def test_few_points_are_drawn_as_svg_in_each_frame_and_nothing_else_changes():
    given = _figure(SVG_UP_TO - 5, 5)
    drawn: Any = few_as_svg(given)
    assert [trace.type for trace in (*drawn.data, *drawn.frames[0].data)] == ["scatter"] * 3
    told = drawn.to_dict()
    for trace in (*told["data"], *told["frames"][0]["data"]):
        trace["type"] = "scattergl"
    assert told == given.to_dict()
    assert few_as_svg(drawn) is drawn


def test_many_points_altogether_stay_in_webgl_also_where_they_are_packed():
    given = _figure(SVG_UP_TO - 5, 6)
    assert few_as_svg(given) is given
    packed = go.Figure(given.to_dict(), _validate=False)
    assert few_as_svg(packed) is packed


def places(layer: Layer) -> set[tuple[str, float, float]]:
    """Return each point's hover with its coordinates."""
    return {(text, x, y) for text, (x, y) in zip(layer.hover or (), layer.coordinates.tolist(), strict=True)}


def test_thinned_layers_make_an_svg_figure_and_say_how_many_points_they_show():
    rng = np.random.default_rng(0)
    layers = [
        Layer(
            f"{name} ({size:,})", rng.standard_normal((size, 2), np.float32), hover=[f"{name} {i}" for i in range(size)]
        )
        for name, size in (("vocabulary", 3000), ("news", 1000))
    ]

    few, fewer, fewest = thin(layers, 0), thin(layers, 500), thin(layers, 500, 600)

    assert [layer.name for layer in few] == ["vocabulary (1,875 of 3,000)", "news (625 of 1,000)"]
    assert sum(len(layer.coordinates) for layer in fewer) == SVG_UP_TO - 500
    assert sum(len(layer.coordinates) for layer in fewest) == 100
    for whole, some, part in zip(layers, few, fewer, strict=True):
        assert places(part) < places(some) < places(whole)
    assert thin(few, 0) == few, "few enough"
