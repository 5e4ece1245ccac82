"""Maps whose points can be selected: selected points keep their colour, the rest becomes grey context."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.figures.cloud_map import Axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import CONTINUOUS, REFERENCE, Mark
from core.figures.style import Properties, style
from core.figures.text import show

HIT = Mark("#111827", "circle-open", "circle-open", 9, 0.9)
"""How the hits of a search are drawn."""
MARKED = Mark("#D81B9A", "circle-open", "circle-open", 18, 1.0)
"""How the inspected point is drawn."""
NEIGHBOUR = Mark("#D81B9A", "circle-open", "circle-open", 9, 0.95)
"""How the nearest neighbours of the inspected point are drawn."""
_GREY = replace(REFERENCE, opacity=0.18)
_CONTEXT = {"color": _GREY.colour, "opacity": _GREY.opacity}
_SVG_UP_TO = 2000
"""Up to this many rings are drawn above the WebGL canvas, where no point hides them."""
_ZOOM_MARGIN = 0.08
_AXIS = "coloraxis"
_DECADES = 8
_NOT = "not selected"
_ROW_HEIGHT = 380


def selectable_map(
    layers: Sequence[Layer],
    axes: Axes,
    selected: NDArray[np.integer] | None = None,
    rings: Sequence[Layer] = (),
    revision: str = "map",
    turn: int = 0,
    zoom: NDArray[np.floating] | None = None,
) -> go.Figure:
    """Draw layers on a map whose points can be selected with a lasso or a box.

    Args:
        layers: with ids, the first at the bottom.
        axes: two or three; in three dimensions there is no lasso, but the selection is shown.
        selected: ids of the selected points; None for no selection, which leaves no grey context either.
        rings: points to mark, without ids, so that a selection does not count them twice.
        revision: see `style`.
        turn: raise it to make the browser forget the last lasso: it takes the figure for another one.
        zoom: (n, 2) points that the axes span at first; None for all.
    """
    if len(axes.titles) == 3:
        layers = _lit(layers, selected)
    figure = map_figure(layers, axes, revision=revision)
    figure.add_traces([_ring_trace(layer, len(axes.titles)) for layer in rings])
    share_colours(figure, layers)
    figure.update_layout(meta={"turn": turn})
    if len(axes.titles) == 2:
        _let_select(figure, selected)
        if zoom is not None and len(zoom):
            _zoom(figure, zoom)
    return figure


@dataclass(frozen=True)
class SiteMap:
    """One site's map in a row of several: its layers have ids, and the ids that are selected may be None."""

    title: str
    layers: Sequence[Layer]
    axes: Axes
    selected: NDArray[np.integer] | None


def sites_figure(maps: Sequence[SiteMap]) -> go.Figure:
    """Draw maps of sites side by side, each on its own axes, selected points over grey context."""
    figure = make_subplots(1, len(maps), subplot_titles=[show(one.title) for one in maps], horizontal_spacing=0.085)
    for column, one in enumerate(maps, start=1):
        layers = _lit(one.layers, one.selected)
        ordered = sorted(layers, key=lambda layer: layer.role != "reference")
        for trace in _traces(map_figure(ordered, one.axes)):
            name = trace.legendgroup or trace.name
            trace.update(name=name, legendgroup=name, showlegend=column == 1 and name != _NOT)
            trace.update(customdata=None, hovertext=None, hoverinfo="skip", hovertemplate=None)
            figure.add_trace(trace, row=1, col=column)
        figure.update_xaxes(title_text=one.axes.titles[0], row=1, col=column)
        figure.update_yaxes(title_text=one.axes.titles[1], row=1, col=column, title_standoff=2)
    style(figure, _ROW_HEIGHT, "sites")
    figure.update_layout(margin_t=84, legend_y=1.12)
    return figure


def lit(layer: Layer, selected: NDArray[np.integer]) -> list[Layer]:
    """Split a layer into grey context of its unselected points, and its selected points as they were."""
    chosen = np.isin(layer.ids, selected) if layer.ids is not None else np.zeros(len(layer.coordinates), dtype=bool)
    rest = layer.subset(~chosen)
    grey = Layer(f"{_NOT}: {layer.name}", rest.coordinates, hover=rest.hover, ids=rest.ids, mark=_GREY, group=_NOT)
    return [part for part in (grey, layer.subset(chosen)) if len(part.coordinates)]


def _lit(layers: Sequence[Layer], selected: NDArray[np.integer] | None) -> Sequence[Layer]:
    return layers if selected is None else [part for layer in layers for part in lit(layer, selected)]


def share_colours(figure: go.Figure, layers: Sequence[Layer]) -> None:
    """Colour all layers that have values by one scale, from the 1st to the 99th percentile of all values."""
    coloured = [layer for layer in layers if layer.values is not None]
    if not coloured:
        return
    values = np.concatenate([np.asarray(layer.values, np.float64) for layer in coloured])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [1, 99]) if len(values) else (0, 1)
    bar: Properties = {"title": {"text": show(coloured[0].values_title)}, "thickness": 12, "outlinewidth": 0}
    if coloured[0].decades:
        ticks = np.arange(_DECADES)
        bar |= {"tickvals": ticks.tolist(), "ticktext": [f"{10**tick:,}" for tick in ticks.tolist()]}
    figure.update_layout(
        {_AXIS: {"cmin": float(low), "cmax": float(max(high, low + 1e-9)), "colorscale": CONTINUOUS, "colorbar": bar}}
    )
    for trace in _traces(figure):
        if trace.marker.colorbar.thickness is not None:
            trace.marker.update(coloraxis=_AXIS, colorscale=None, showscale=None, colorbar=None)


def _ring_trace(layer: Layer, n_dimensions: int) -> Any:
    look = layer.mark or HIT
    common: Properties = {"mode": "markers", "name": show(layer.name), "hoverinfo": "skip"}
    x, y, *z = np.ascontiguousarray(layer.coordinates.T, np.float32)
    marker: Properties = {"color": look.colour, "size": look.size, "opacity": look.opacity}
    if n_dimensions == 3:
        return go.Scatter3d(x=x, y=y, z=z[0], marker=marker | {"symbol": look.symbol_3d}, **common)
    kind = go.Scatter if len(x) <= _SVG_UP_TO else go.Scattergl
    return kind(x=x, y=y, marker=marker | {"symbol": look.symbol, "line": {"width": 2}}, **common)


def _zoom(figure: go.Figure, points: NDArray[np.floating]) -> None:
    low, high = np.min(points, axis=0).astype(float), np.max(points, axis=0).astype(float)
    span = np.maximum(high - low, 1e-6)
    low, high = low - _ZOOM_MARGIN * span, high + _ZOOM_MARGIN * span
    figure.update_xaxes(range=[low[0], high[0]])
    figure.update_yaxes(range=[low[1], high[1]])


def _let_select(figure: go.Figure, selected: NDArray[np.integer] | None) -> None:
    figure.update_layout(dragmode="lasso", clickmode="event+select", hovermode="closest")
    for trace in _traces(figure):
        if trace.customdata is None:
            trace.update(unselected={"marker": {"opacity": trace.marker.opacity}}, hoverinfo="skip")
            continue
        trace.unselected = {"marker": _CONTEXT}
        if selected is not None:
            trace.selectedpoints = np.flatnonzero(np.isin(np.asarray(trace.customdata), selected)).tolist()


def _traces(figure: go.Figure) -> tuple[Any, ...]:
    return figure.data  # pyright: ignore[reportReturnType] - plotly says it is a text
