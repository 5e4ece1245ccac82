"""Small clouds as SVG."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures.few_points import SVG_UP_TO, few_as_svg


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
