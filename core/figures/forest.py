"""Values with intervals, one per line, and the levels they are compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.intervals import Interval
from core.figures.hover import TEXT_ONLY, hover
from core.figures.palette import POSTERIOR
from core.figures.style import error_bars, legend_once, rows_axis, style
from core.figures.text import show

_LINE, _PANEL = 26, 96
_DASHES = ("dash", "dot", "dashdot")
_COLOURS = ("#7C8696", "#1F6FC4", "#8C564B")


@dataclass(frozen=True)
class Lines:
    """One panel: values from top to bottom, and levels drawn across it, each by name."""

    title: str
    values: Mapping[str, Interval]
    levels: Mapping[str, float] = field(default_factory=dict)


def forest_figure(panels: Sequence[Lines], axis: str) -> go.Figure:
    """Draw panels below each other whose axes all show what `axis` says, with its unit."""
    heights = [_PANEL + _LINE * len(panel.values) for panel in panels]
    tall = sum(heights) + 60
    figure: Any = make_subplots(
        len(panels),
        1,
        row_heights=heights,
        vertical_spacing=min(0.9 / len(panels), 70 / tall),
        subplot_titles=[show(panel.title) for panel in panels],
    )
    names = list(dict.fromkeys(name for panel in panels for name in panel.levels))
    for number, panel in enumerate(panels, 1):
        for name, level in panel.levels.items():
            figure.add_trace(_level(name, level, names.index(name), len(panel.values)), row=number, col=1)
        figure.add_trace(_values(panel), row=number, col=1)
        figure.update_yaxes(**rows_axis([show(name) for name in panel.values]), row=number, col=1)
        figure.update_xaxes(zeroline=False, row=number, col=1)
    figure.update_xaxes(title_text=axis, row=len(panels), col=1)
    legend_once(figure)
    style(figure, tall, "forest")
    figure.update_layout(margin={"t": 78}, legend={"y": 1 + 40 / (tall - 134), "yanchor": "bottom"})
    figure.update_annotations(font_size=13)
    return figure


def _values(panel: Lines) -> go.Scatter:
    found = list(panel.values.values())
    return go.Scatter(
        name="mean over seeds, 95 % interval",
        legendgroup="values",
        x=[one.value for one in found],
        y=list(range(len(found))),
        error_x=error_bars(
            [one.high - one.value for one in found], [one.value - one.low for one in found], thickness=1.5
        ),
        mode="markers",
        marker={"color": POSTERIOR.colour, "size": 9},
        hovertext=[
            hover(f"{name}: {one.value:.4g} [{one.low:.4g}, {one.high:.4g}]") for name, one in panel.values.items()
        ],
        hovertemplate=TEXT_ONLY,
    )


def _level(name: str, level: float, order: int, n_lines: int) -> go.Scatter:
    return go.Scatter(
        name=show(name),
        legendgroup=name,
        x=[level, level],
        y=[-0.5, n_lines - 0.5],
        mode="lines",
        line={"color": _COLOURS[order % len(_COLOURS)], "dash": _DASHES[order % len(_DASHES)], "width": 1.5},
        hovertemplate=f"{show(name)}: {level:.4g}<extra></extra>",
    )
