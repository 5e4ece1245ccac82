"""Small clouds are drawn as SVG: to start WebGL takes longer than to draw them."""

from base64 import b64decode
from typing import Any

import numpy as np
import plotly.graph_objects as go

SVG_UP_TO = 2500
"""Points of a figure. In Chromium without a graphics card the first picture of so many takes a quarter of WebGL's
time, and a redraw a third more; of twice as many, a redraw takes two to three times as long.
"""
_WEBGL, _SVG = "scattergl", "scatter"


def few_as_svg(figure: go.Figure) -> go.Figure:
    """Return a figure whose WebGL traces, if they have few points altogether, are SVG; any other as it is."""
    traces: Any = figure.data
    clouds = [trace for trace in traces if trace.type == _WEBGL]
    if not clouds or sum(_length(trace.x) for trace in clouds) > SVG_UP_TO:
        return figure
    told = figure.to_dict()
    for trace in (*told["data"], *(moved for frame in told.get("frames", ()) for moved in frame["data"])):
        if trace["type"] == _WEBGL:
            trace["type"] = _SVG
    return go.Figure(told, _validate=False)  # what the given one had


def _length(values: Any) -> int:
    """Return the length of an array, also where it is packed as Plotly packs it."""
    if isinstance(values, dict):
        return len(b64decode(values["bdata"])) // np.dtype(values["dtype"]).itemsize
    return len(values)
