"""Points of one kind as a layer of a map, and how they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.hover import TEXT_AND_NAME
from core.figures.palette import CONTINUOUS, Mark, Role, mark
from core.figures.style import BESIDE_POINTS, Properties
from core.figures.text import show

_SVG_UP_TO = 2000
"""Layers of up to this many points are drawn above the WebGL canvas, with outlines."""
_VECTORS = ("prior", "posterior", "xavier")
_FEW = 60
"""Up to this many vectors are drawn large."""
_SMALLEST, _LARGEST = 5.0, 20.0
"""Pixels of points whose size says something."""
_ARROW = "rgba(120,126,137,0.75)"
LABELLED = "markers+text"
"""Plotly's mode of points with labels."""
DISPLACEMENT = "displacement"
"""Name of the arrows from prior sample to posterior."""


@dataclass(frozen=True)
class Layer:
    """Points of one kind on a map.

    Attributes:
        name: for the legend; shown as text, never as markup.
        coordinates: (n, 2 or 3) float32; a row of NaN has no place on the map and goes to the rail.
        role: decides colour and symbol.
        index: which data set, for its own hue.
        hover: (n,) texts made by `core.figures.hover`.
        ids: (n,) stable ids, sent as `customdata`.
        values: (n,) numbers that colour the points, instead of the role.
        values_title: of the colour bar.
        decades: whether the values are decimal logarithms, so that the bar shows 1, 10, 100 ….
        mark: used instead of the role's.
        weights: (n,) from 0 to 1; the size of each point, instead of one size for all.
        labels: (n,) texts beside the points, made by `core.figures.text`; empty for a point without one.
        group: name of the legend entry that several layers share; empty for an entry of its own.
    """

    name: str
    coordinates: NDArray[np.float32]
    role: Role = "reference"
    index: int = 0
    hover: Sequence[str] | None = None
    ids: NDArray[Any] | None = None
    values: NDArray[np.floating] | None = None
    values_title: str = ""
    decades: bool = False
    mark: Mark | None = None
    weights: NDArray[np.floating] | None = None
    labels: Sequence[str] | None = None
    group: str = ""

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Return which points have a place on the map, (n,)."""
        return np.asarray(np.isfinite(self.coordinates).all(axis=1))

    def subset(self, chosen: NDArray[np.bool_]) -> "Layer":
        """Return the chosen points as a layer."""
        return replace(
            self,
            coordinates=self.coordinates[chosen],
            hover=_chosen(self.hover, chosen),
            ids=None if self.ids is None else self.ids[chosen],
            values=None if self.values is None else self.values[chosen],
            weights=None if self.weights is None else self.weights[chosen],
            labels=_chosen(self.labels, chosen),
        )


def _chosen(texts: Sequence[str] | None, chosen: NDArray[np.bool_]) -> list[str] | None:
    return None if texts is None else [text for text, keep in zip(texts, chosen, strict=True) if keep]


def points_trace(layer: Layer, n_dimensions: int) -> Any:
    """Return a layer's points as a trace: WebGL for many, SVG for a few vectors."""
    look = layer.mark or mark(layer.role, layer.index)
    scale = 1.0 if len(layer.coordinates) <= _FEW else 0.65
    marker: Properties = {
        "color": look.colour,
        "size": look.size * (scale if layer.role in _VECTORS else 1),
        "opacity": look.opacity,
    }
    if layer.weights is not None:
        marker["size"] = sizes(layer.weights)
    if layer.values is not None:
        marker |= {
            "color": np.asarray(layer.values, np.float32),
            "colorscale": CONTINUOUS,
            "colorbar": {"title": {"text": show(layer.values_title)}, "thickness": 12, "outlinewidth": 0},
            "showscale": True,
        }
    common: Properties = {
        "mode": "markers" if layer.labels is None else LABELLED,
        "text": layer.labels,
        "textposition": None if layer.labels is None else "top center",
        "textfont": None if layer.labels is None else BESIDE_POINTS,
        "name": show(layer.name),
        "customdata": None if layer.ids is None else np.asarray(layer.ids),
        # Plotly looks at each element of a list, of 49,152 for longer than the rest of the map takes
        "hovertext": None if layer.hover is None else np.asarray(layer.hover, dtype=object),
        "hovertemplate": TEXT_AND_NAME if layer.hover is not None else None,
        "hoverinfo": "name" if layer.hover is None else None,
        "legendgroup": layer.group or None,
    }
    x, y, *z = np.ascontiguousarray(layer.coordinates.T, np.float32)
    small = len(layer.coordinates) <= _SVG_UP_TO and layer.role in _VECTORS
    if n_dimensions == 3:
        marker |= {"symbol": look.symbol_3d, "size": marker["size"] * 0.6}
        return go.Scatter3d(x=x, y=y, z=z[0], marker=marker, **common)
    marker["symbol"] = look.symbol
    if small:
        marker["line"] = {"width": 1, "color": "white"}
        return go.Scatter(x=x, y=y, marker=marker, **common)
    return go.Scattergl(x=x, y=y, marker=marker, **common)


def sizes(weights: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the sizes in pixels (n,) of points with weights from 0 to 1; one without is as small as can be."""
    shares = np.clip(np.nan_to_num(np.asarray(weights, np.float32)), 0, 1)
    return (_SMALLEST + (_LARGEST - _SMALLEST) * shares).astype(np.float32)


def arrows_trace(before: Layer, after: Layer, n_dimensions: int, first: bool) -> Any:
    """Return arrows from each point of a layer to its partner; the `first` such trace has the legend's entry."""
    both = before.placed & after.placed
    start, stop = before.coordinates[both], after.coordinates[both]
    gap = np.full_like(start, np.nan)
    path = np.stack([start, stop, gap], axis=1).reshape(-1, n_dimensions)
    common: Properties = {
        "name": DISPLACEMENT,
        "hoverinfo": "skip",
        "line": {"color": _ARROW, "width": 1.4},
        "legendgroup": DISPLACEMENT,
        "showlegend": first,
    }
    if n_dimensions == 3:
        return go.Scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", **common)
    heads = {"symbol": "arrow", "angleref": "previous", "size": np.tile([0, 9, 0], len(start)), "color": _ARROW}
    return go.Scatter(x=path[:, 0], y=path[:, 1], mode="lines+markers", marker={**heads, "opacity": 1}, **common)
