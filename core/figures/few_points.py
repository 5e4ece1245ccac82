"""Small clouds are drawn as SVG: to start WebGL takes longer than to draw them."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures.layer import Layer

SVG_UP_TO = 2500
"""Points of a figure. In Chromium without a graphics card the first picture of so many takes a quarter of WebGL's
time, and a redraw a third more; of twice as many, a redraw takes two to three times as long.
"""
AT_ONCE = 800
"""Points of a figure that follows each move of a control. Of these, a new figure takes 0.1 to 0.15 s in the same
browser; of 1,200 0.15 to 0.25 s.
"""
_WEBGL, _SVG = "scattergl", "scatter"


def thin(layers: Sequence[Layer], drawn_too: int, at_most: int = SVG_UP_TO) -> list[Layer]:
    """Return a random part of the points of layers, so that a figure is drawn quickly; names say how many they are.

    The part is the same each time; a smaller one lies in a larger one.

    Args:
        layers: each keeps its share of the points.
        drawn_too: points that the figure has beside them.
        at_most: points of the figure.
    """
    total, most = sum(len(layer.coordinates) for layer in layers), max(0, at_most - drawn_too)
    if total <= most:
        return list(layers)
    return [_part(layer, len(layer.coordinates) * most // total) for layer in layers]


def _part(layer: Layer, n: int) -> Layer:
    size = len(layer.coordinates)
    chosen = np.zeros(size, bool)
    chosen[np.random.default_rng(0).permutation(size)[:n]] = True
    return replace(layer.subset(chosen), name=f"{layer.name.removesuffix(f' ({size:,})')} ({n:,} of {size:,})")


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
