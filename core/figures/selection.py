"""Figures whose points can be selected: what is chosen keeps its colour, the rest stays as grey context."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.clouds import Axes, Layer, map_figure
from core.figures.palette import CONTINUOUS, REFERENCE, Mark
from core.figures.text import show

HIT = Mark("#111827", "circle-open", "circle-open", 9, 0.9)
"""What a search found."""
MARKED = Mark("#D81B9A", "circle-open", "circle-open", 18, 1.0)
"""The one point that is looked at."""
NEIGHBOUR = Mark("#D81B9A", "circle-open", "circle-open", 9, 0.95)
"""The nearest points of the one that is looked at."""
_CONTEXT = {"color": REFERENCE.colour, "opacity": 0.18}
_AXIS = "coloraxis"
_DECADES = 8


def selectable_map(
    layers: Sequence[Layer],
    axes: Axes,
    selected: NDArray[np.integer] | None = None,
    rings: Sequence[Layer] = (),
    revision: str = "map",
    turn: int = 0,
) -> go.Figure:
    """Draw layers on a map whose points can be selected with a lasso or a box.

    Args:
        layers: with ids, the first at the bottom.
        axes: two or three; in three dimensions there is no lasso, but what is selected is shown.
        selected: ids of the points that are; None is no selection, and no context either.
        rings: points to mark, such as the hits of a search; a selection leaves them as they are.
        revision: see `style`.
        turn: a figure of another turn is another one to the browser, which then forgets what was lassoed in it.
    """
    if len(axes.titles) == 3 and selected is not None:
        layers = [part for layer in layers for part in lit(layer, selected)]
    figure = map_figure([*layers, *rings], axes, revision=revision)
    share_colours(figure, layers)
    figure.update_layout(meta={"turn": turn})
    if len(axes.titles) == 2:
        _let_select(figure, selected)
    return figure


def lit(layer: Layer, selected: NDArray[np.integer]) -> list[Layer]:
    """Return a layer's unselected points as grey context, and its selected ones as they are."""
    chosen = np.isin(layer.ids, selected) if layer.ids is not None else np.zeros(len(layer.coordinates), dtype=bool)
    rest = layer.subset(~chosen)
    grey = Layer(name=f"not selected: {layer.name}", coordinates=rest.coordinates, hover=rest.hover, ids=rest.ids)
    return [part for part in (grey, layer.subset(chosen)) if len(part.coordinates)]


def ring(name: str, coordinates: NDArray[np.float32], look: Mark) -> Layer:
    """Return points to mark; they have no ids, so that no selection counts them twice."""
    return Layer(name=name, coordinates=coordinates, mark=look)


def share_colours(figure: go.Figure, layers: Sequence[Layer]) -> None:
    """Colour all layers that have values by one scale, from the first to the last percentile of them together."""
    coloured = [layer for layer in layers if layer.values is not None]
    if not coloured:
        return
    values = np.concatenate([np.asarray(layer.values, np.float64) for layer in coloured])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, [1, 99]) if len(values) else (0, 1)
    title = coloured[0].values_title
    bar: dict[str, Any] = {"title": {"text": show(title.removeprefix("log "))}, "thickness": 12, "outlinewidth": 0}
    if title.startswith("log "):
        ticks = np.arange(_DECADES)
        bar |= {"tickvals": ticks.tolist(), "ticktext": [f"{10**tick:,}" for tick in ticks.tolist()]}
    figure.update_layout(
        {_AXIS: {"cmin": float(low), "cmax": float(max(high, low + 1e-9)), "colorscale": CONTINUOUS, "colorbar": bar}}
    )
    for trace in _traces(figure):
        if trace.marker.colorbar.thickness is not None:
            trace.marker.update(coloraxis=_AXIS, colorscale=None, showscale=None, colorbar=None)


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
