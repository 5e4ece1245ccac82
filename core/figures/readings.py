"""Prompts on other data, on the way to other prompts, and under doses of regularisers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.intervals import Interval
from core.array_types import Floats
from core.figures.palette import DATASET_MARKS, POSTERIOR, PRIOR
from core.figures.style import HEIGHT, SMALL_HEIGHT, error_bars, legend_once, style
from core.figures.text import show

_PANEL = 230
_ROW = 34


def elsewhere_figure(
    priors: Sequence[str], datasets: Sequence[str], differences: Floats, losses: Floats, revision: str = "elsewhere"
) -> go.Figure:
    """Draw the loss of prompts on data sets they were not tuned on, against that of the reference.

    Args:
        priors: (n,) names of the rows.
        datasets: (m,) names of the columns.
        differences: (n, m) loss minus the reference's, the colour; NaN where not measured.
        losses: (n, m) loss, written into the squares.
        revision: see `style`.
    """
    largest = float(np.nanmax(np.abs(differences))) if np.isfinite(differences).any() else 1.0
    written = [["" if np.isnan(loss) else f"{loss:.2f}" for loss in row] for row in losses]
    figure = go.Figure(
        go.Heatmap(
            z=np.asarray(differences, np.float32),
            x=[show(name) for name in datasets],
            y=[show(name) for name in priors],
            text=written,
            texttemplate="%{text}",
            hoverongaps=False,
            zmin=-largest or -1,
            zmax=largest or 1,
            colorscale="PRGn_r",
            xgap=3,
            ygap=3,
            hovertemplate="%{y} on %{x}<br>loss %{text}<br>minus the reference's %{z:+.3f}<extra></extra>",
            colorbar={"title": {"text": "loss minus<br>reference's"}, "thickness": 14},
        )
    )
    style(figure, 200 + _ROW * len(priors), revision)
    figure.update_xaxes(title_text="read on, without tuning", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(showlegend=False)
    return figure


@dataclass(frozen=True)
class LossLine:
    """The loss along a straight line between two prompts, or the mean of several.

    Attributes:
        name: for the legend.
        shares: (n,) of the way, from 0 to 1.
        losses: (n,).
    """

    name: str
    shares: Sequence[float]
    losses: Sequence[float]


def lines_figure(panels: Mapping[str, Sequence[LossLine]], revision: str = "lines") -> go.Figure:
    """Draw the loss along straight lines between prompts, one panel per group; `panels` by title."""
    figure: Any = make_subplots(1, len(panels), subplot_titles=[show(name) for name in panels])
    for column, lines in enumerate(panels.values(), 1):
        for place, one in enumerate(lines):
            look = DATASET_MARKS[place % len(DATASET_MARKS)]
            figure.add_scatter(
                x=np.asarray(one.shares, np.float32),
                y=np.asarray(one.losses, np.float32),
                mode="lines+markers",
                name=show(one.name),
                line={"color": look.colour},
                marker={"color": look.colour, "symbol": look.symbol, "size": 7},
                hovertemplate="%{x:.0%} of the way<br>loss %{y:.4f}<extra></extra>",
                row=1,
                col=column,
            )
    legend_once(figure)
    style(figure, SMALL_HEIGHT + 80, revision)
    figure.update_xaxes(title_text="share of the line", tickformat=".0%")
    figure.update_yaxes(title_text="validation loss, nats per token", col=1)
    return figure


@dataclass(frozen=True)
class DoseCurve:
    """What doses of a regulariser do.

    Attributes:
        title: the regulariser.
        weights: (n,).
        quantity: (n,) change of its own quantity at the posterior, as a share of the plain prompt's.
        loss: (n,) loss minus that of the plain prompt.
    """

    title: str
    weights: Sequence[float]
    quantity: Sequence[Interval]
    loss: Sequence[Interval]


def doses_figure(curves: Sequence[DoseCurve], revision: str = "doses") -> go.Figure:
    """Draw what each dose does to a regulariser's own quantity (left) and to the loss (right)."""
    titles = [
        f"{show(one.title)}: {what}" for one in curves for what in ("own quantity, relative change", "loss, nats")
    ]
    figure: Any = make_subplots(len(curves), 2, subplot_titles=titles)
    for row, one in enumerate(curves, 1):
        for column, (found, look) in enumerate(((one.quantity, PRIOR), (one.loss, POSTERIOR)), 1):
            above = [each.high - each.value for each in found]
            below = [each.value - each.low for each in found]
            figure.add_scatter(
                x=np.asarray(one.weights, np.float32),
                y=[each.value for each in found],
                error_y=error_bars(np.nan_to_num(above), np.nan_to_num(below), color=look.colour),
                mode="lines+markers",
                marker={"color": look.colour, "symbol": look.symbol, "size": 8},
                hovertemplate="weight %{x:g}<br>%{y:+.3f}<extra></extra>",
                showlegend=False,
                row=row,
                col=column,
            )
    style(figure, max(HEIGHT, _PANEL * len(curves)), revision)
    figure.update_xaxes(type="log", title_text="weight")
    figure.update_layout(showlegend=False)
    figure.update_annotations(font_size=12)
    return figure
