"""Small multiples: one map per panel, with the same axes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.cloud_map import Axes, map_figure
from core.figures.layer import Layer
from core.figures.panel_grid import PanelGrid
from core.figures.style import legend_once, style
from core.figures.text import show

_COLUMNS = 3
_BACKGROUND = 1500
"""Most points of the background that a panel draws."""
_PANEL_HEIGHT = 330


def panels_figure(
    background: Sequence[Layer], panels: Sequence[tuple[str, Sequence[Layer]]], axes: Axes, revision: str = "panels"
) -> go.Figure:
    """Draw each panel's layers over the same thinned background, on the same two axes."""
    grid = PanelGrid(len(panels), _COLUMNS)
    n_rows = grid.n_rows
    figure = make_subplots(
        n_rows,
        grid.n_columns,
        subplot_titles=[show(title) for title, _ in panels],
        shared_xaxes="all",  # pyright: ignore[reportArgumentType] - plotly's own documentation names it
        shared_yaxes="all",  # pyright: ignore[reportArgumentType]
        horizontal_spacing=0.03,
        vertical_spacing=0.18 / n_rows,
    )
    thin = [_thinned(layer) for layer in background]
    for i, (_, layers) in enumerate(panels):
        for trace in map_figure([*thin, *layers], axes).data:
            figure.add_trace(trace, *grid.cell(i))
    legend_once(figure)
    style(figure, _PANEL_HEIGHT * n_rows + 110, revision)
    figure.update_layout(margin_t=86, legend_y=1 + 46 / (_PANEL_HEIGHT * n_rows))
    figure.update_xaxes(title_text=axes.titles[0], row=n_rows)
    figure.update_yaxes(title_text=axes.titles[1], col=1)
    grid.hide_gaps(figure)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return figure


def _thinned(layer: Layer) -> Layer:
    step = -(-len(layer.coordinates) // _BACKGROUND)
    kept = np.zeros(len(layer.coordinates), bool)
    kept[::step] = True
    return replace(layer.subset(kept), hover=None)
