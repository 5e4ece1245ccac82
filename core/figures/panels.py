"""Small multiples: one map a panel, with the same axes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.cloud_map import Axes, Layer, map_figure
from core.figures.style import style
from core.figures.text import show

_COLUMNS = 3
_BACKGROUND = 1500
"""Points of the background that each panel draws at most."""
_PANEL_HEIGHT = 330


def panels_figure(
    background: Sequence[Layer], panels: Sequence[tuple[str, Sequence[Layer]]], axes: Axes, revision: str = "panels"
) -> go.Figure:
    """Draw each panel's layers over the same background, on the same two axes.

    Args:
        background: drawn in every panel, thinned and without hover.
        panels: title and layers of each.
        axes: of two dimensions.
        revision: see `style`.
    """
    n_columns = min(_COLUMNS, len(panels))
    n_rows = -(-len(panels) // n_columns)
    shared: dict[str, Any] = {"shared_xaxes": "all", "shared_yaxes": "all"}
    figure = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=[show(title) for title, _ in panels],
        **shared,
        horizontal_spacing=0.03,
        vertical_spacing=0.18 / n_rows,
    )
    thin = [_thinned(layer) for layer in background]
    for i, (_, layers) in enumerate(panels):
        for trace in map_figure([*thin, *layers], axes).data:
            figure.add_trace(trace, row=i // n_columns + 1, col=i % n_columns + 1)
    seen: set[str] = set()
    for trace in figure.data:
        name = str(trace.name)  # pyright: ignore[reportAttributeAccessIssue]
        trace.update(showlegend=name not in seen, legendgroup=name)  # pyright: ignore[reportAttributeAccessIssue]
        seen.add(name)
    style(figure, _PANEL_HEIGHT * n_rows + 110, revision)
    figure.update_layout(margin_t=86, legend_y=1 + 46 / (_PANEL_HEIGHT * n_rows))
    figure.update_xaxes(title_text=axes.titles[0], row=n_rows)
    figure.update_yaxes(title_text=axes.titles[1], col=1)
    for empty in range(len(panels), n_rows * n_columns):
        where: dict[str, Any] = {"row": empty // n_columns + 1, "col": empty % n_columns + 1}
        figure.update_xaxes(visible=False, **where)
        figure.update_yaxes(visible=False, **where)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return figure


def _thinned(layer: Layer) -> Layer:
    step = -(-len(layer.coordinates) // _BACKGROUND)
    kept = np.zeros(len(layer.coordinates), bool)
    kept[::step] = True
    return replace(layer.subset(kept), hover=None)
