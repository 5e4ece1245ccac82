"""Clouds on a map, in two or three dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.analysis.frozen_maps import Map
from core.figures.hover import TEXT_AND_NAME
from core.figures.palette import CONTINUOUS, Mark, Role, mark
from core.figures.style import GRID, HEIGHT, style
from core.figures.text import show

_SVG_UP_TO = 2000
"""Layers of up to this many points are drawn above the WebGL canvas, with outlines."""
_VECTORS = ("prior", "posterior", "xavier")
_FEW = 60
"""Up to so many vectors are drawn large."""
_RAIL_GAP = 0.09
_RAIL_FIRST = 1.7
"""Gaps between a map and the first row of its rail: room for a line of words."""
_SMALLEST, _LARGEST = 5.0, 20.0
"""Pixels of points whose size tells something."""
_EYE = {"x": 1.7, "y": 1.5, "z": 0.9}
"""Far enough that no axis title is cut."""
_ARROW = "rgba(120,126,137,0.75)"


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
        values: (n,) numbers that colour the points instead of the role.
        values_title: of the colour bar.
        mark: overrides the role's.
        weights: (n,) shares of 1 that decide how large each point is, instead of one size for all.
    """

    name: str
    coordinates: NDArray[np.float32]
    role: Role = "reference"
    index: int = 0
    hover: Sequence[str] | None = None
    ids: NDArray[Any] | None = None
    values: NDArray[np.floating] | None = None
    values_title: str = ""
    mark: Mark | None = None
    weights: NDArray[np.floating] | None = None

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Return which points have a place on the map, (n,)."""
        return np.asarray(np.isfinite(self.coordinates).all(axis=1))

    def subset(self, chosen: NDArray[np.bool_]) -> "Layer":
        """Return the chosen points as a layer."""
        return replace(
            self,
            coordinates=self.coordinates[chosen],
            hover=None if self.hover is None else [text for text, keep in zip(self.hover, chosen, strict=True) if keep],
            ids=None if self.ids is None else self.ids[chosen],
            values=None if self.values is None else self.values[chosen],
            weights=None if self.weights is None else self.weights[chosen],
        )


@dataclass(frozen=True)
class Axes:
    """What the axes mean.

    Attributes:
        titles: one a dimension.
        ticks: whether numbers along an axis mean anything.
        equal: whether one unit is equally long along both axes.
    """

    titles: tuple[str, ...]
    ticks: bool = True
    equal: bool = True


def map_axes(fitted: Map) -> Axes:
    """Return the axes of a fitted map."""
    if fitted.method == "pca":
        return pca_axes(fitted.pca.explained, fitted.n_components)
    return tsne_axes(fitted.n_components)


def pca_axes(explained: NDArray[np.floating], n_components: int, equal: bool = True) -> Axes:
    """Return axes such as 'PC1 (12.3 % of variance)'."""
    return Axes(tuple(f"PC{k + 1} ({100 * explained[k]:.1f} % of variance)" for k in range(n_components)), True, equal)


def tsne_axes(n_components: int) -> Axes:
    """Return axes without ticks: distances on a t-SNE map mean nothing beyond neighbourhoods."""
    return Axes(tuple(f"t-SNE {k + 1}" for k in range(n_components)), False, True)


def map_figure(
    layers: Sequence[Layer],
    axes: Axes,
    arrows: Sequence[tuple[Layer, Layer]] = (),
    height: int = HEIGHT,
    revision: str = "map",
) -> go.Figure:
    """Draw layers on a map, the first at the bottom.

    Args:
        layers: at least one with a placed point.
        axes: their number is the number of dimensions.
        arrows: pairs of equally long layers; an arrow goes from each point of the first to its partner, where both
            have a place.
        height: pixels.
        revision: see `style`.
    """
    drawn = [layer.subset(layer.placed) for layer in layers]
    traces = [points_trace(layer, len(axes.titles)) for layer in drawn if len(layer.coordinates)]
    traces += [arrows_trace(before, after, len(axes.titles), i == 0) for i, (before, after) in enumerate(arrows)]
    outside = [layer.subset(~layer.placed) for layer in layers]
    outside = [layer for layer in outside if len(layer.coordinates)]
    figure = go.Figure(traces)
    if outside:
        _rail(figure, drawn, outside, len(axes.titles))
    style(figure, height, revision)
    return _three(figure, axes) if len(axes.titles) == 3 else _two(figure, axes)


def split_by_token(layer: Layer, tokens: Sequence[str], n_tokens: int = 6) -> list[Layer]:
    """Split a layer by its most frequent tokens, each with a data set's hue; the rest stays grey.

    Args:
        layer: n points.
        tokens: (n,) text of each.
        n_tokens: that get a hue of their own, at most six.
    """
    names, inverse, counts = np.unique(
        np.asarray(tokens, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    top = np.argsort(-counts, kind="stable")[:n_tokens]
    rest = layer.subset(~np.isin(inverse, top))
    layers = [replace(rest, name="other tokens", role="reference", mark=None, values=None)]
    for index, which in enumerate(top):
        chosen = layer.subset(inverse == which)
        layers.append(
            replace(chosen, name=repr(str(names[which])), role="dataset", index=index, mark=None, values=None)
        )
    return layers


def points_trace(layer: Layer, n_dimensions: int) -> Any:
    """Return a layer's points as a trace: WebGL for many, SVG for a few vectors."""
    look = layer.mark or mark(layer.role, layer.index)
    scale = 1.0 if len(layer.coordinates) <= _FEW else 0.65
    marker: dict[str, Any] = {
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
    common: dict[str, Any] = {
        "mode": "markers",
        "name": show(layer.name),
        "customdata": None if layer.ids is None else np.asarray(layer.ids),
        "hovertext": None if layer.hover is None else list(layer.hover),
        "hovertemplate": TEXT_AND_NAME if layer.hover is not None else None,
        "hoverinfo": "name" if layer.hover is None else None,
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
    common: dict[str, Any] = {
        "name": "way travelled",
        "hoverinfo": "skip",
        "line": {"color": _ARROW, "width": 1.4},
        "legendgroup": "way travelled",
        "showlegend": first,
    }
    if n_dimensions == 3:
        return go.Scatter3d(x=path[:, 0], y=path[:, 1], z=path[:, 2], mode="lines", **common)
    heads = {"symbol": "arrow", "angleref": "previous", "size": np.tile([0, 9, 0], len(start)), "color": _ARROW}
    return go.Scatter(x=path[:, 0], y=path[:, 1], mode="lines+markers", marker={**heads, "opacity": 1}, **common)


@dataclass(frozen=True)
class Rail:
    """Where points without a place on a map are lined up: below it, one row a layer.

    Attributes:
        low: (n_dimensions,) smallest coordinates of what has a place.
        high: (n_dimensions,) largest.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def under(cls, layers: Sequence[Layer], n_dimensions: int) -> "Rail":
        """Return the rail under layers."""
        placed = [layer.coordinates[layer.placed] for layer in layers]
        every = np.concatenate([*placed, np.zeros((0, n_dimensions))])
        if not len(every):
            return cls(np.zeros(n_dimensions, np.float32), np.ones(n_dimensions, np.float32))
        return cls(every.min(axis=0), every.max(axis=0))

    @property
    def span(self) -> NDArray[np.float32]:
        """Return the extent of the map, (n_dimensions,)."""
        return np.where(self.high > self.low, self.high - self.low, 1)

    @property
    def edge(self) -> float:
        """Return the height of the line between map and rail."""
        return float(self.low[-1] - self.span[-1] * _RAIL_GAP / 2)

    def line_up(self, layer: Layer, row: int, share: float = 0.5) -> Layer:
        """Return a layer's points without a place in their row; those that have one have none here.

        Layers with different shares, from 0 to 1, stand side by side in a row.
        """
        n, outside = len(layer.coordinates), ~layer.placed
        rail = np.full_like(layer.coordinates, np.nan)
        rail[outside] = self.low
        rail[outside, 0] = (self.low[0] + self.span[0] * (np.arange(n) + share) / n)[outside]
        rail[outside, -1] = self.low[-1] - self.span[-1] * _RAIL_GAP * (row + _RAIL_FIRST)
        return replace(layer, coordinates=rail, name=f"{layer.name}, outside the support")

    def mark(self, figure: go.Figure, **where: Any) -> None:
        """Draw and name the line between a flat map and its rail."""
        figure.add_hline(y=self.edge, line={"color": GRID, "width": 1.5, "dash": "dot"}, **where)
        figure.add_annotation(
            x=float(self.low[0]),
            y=self.edge,
            text="below: outside the support, no place on this map",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            font={"size": 11},
            opacity=0.75,
            **where,
        )


def _rail(figure: go.Figure, drawn: Sequence[Layer], outside: Sequence[Layer], n_dimensions: int) -> None:
    """Line up points without a place below the map, one row a layer, so that nobody takes them for members."""
    rail = Rail.under(drawn, n_dimensions)
    for row, layer in enumerate(outside):
        figure.add_trace(points_trace(rail.line_up(layer, row), n_dimensions))
    if n_dimensions == 2:
        rail.mark(figure)


def _two(figure: go.Figure, axes: Axes) -> go.Figure:
    for update, title in zip((figure.update_xaxes, figure.update_yaxes), axes.titles, strict=True):
        update(title_text=title, showticklabels=axes.ticks, zeroline=axes.ticks, showgrid=axes.ticks)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return figure


def _three(figure: go.Figure, axes: Axes) -> go.Figure:
    figure.update_layout(scene=scene(axes), margin={"l": 0, "r": 0, "b": 0})
    return figure


def scene(axes: Axes) -> dict[str, Any]:
    """Return the layout of a picture in three dimensions."""
    sides = {
        name: {
            "title": {"text": title},
            "showticklabels": axes.ticks,
            "showbackground": False,
            "showgrid": True,
            "gridcolor": GRID,
            "zeroline": False,
        }
        for name, title in zip(("xaxis", "yaxis", "zaxis"), axes.titles, strict=True)
    }
    return {**sides, "aspectmode": "data" if axes.equal else "cube", "camera": {"eye": _EYE}}
