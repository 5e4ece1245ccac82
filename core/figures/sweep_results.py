"""Results of a sweep: states of its runs, losses over learning rates, groups at their best rates, and transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.hover import hover
from core.figures.palette import REFERENCE, Mark
from core.figures.style import SMALL_HEIGHT, error_bars, rows_axis, style
from core.figures.text import show

STATES = {
    "not started": "#E6E9ED",
    "queued": "#C8CED7",
    "running": "#9CC3EE",
    "succeeded": "#A9D8BD",
    "failed": "#F0A8AE",
    "refused": "#F0A8AE",
    "cancelled": "#EBD48F",
    "interrupted": "#EBD48F",
    "damaged": "#F0A8AE",
}
"""Colours light enough for dark text, which names the state too."""
_INK = "#20242B"
_ROW_HEIGHT = 34
_BELOW = 0.24
"""Distance below a mean at which its runs are drawn."""
_LONGEST = 46
"""Most characters of a label on an axis; the hover has the whole."""


@dataclass(frozen=True)
class Square:
    """One run in the grid of states, which are the keys of `STATES`."""

    row: str
    column: str
    state: str
    text: str
    hover: str


@dataclass(frozen=True)
class Curve:
    """One group's final validation losses (n,) over the learning rates (n,) of its runs; NaN is none."""

    name: str
    look: Mark
    rates: NDArray[np.floating]
    losses: NDArray[np.floating]
    best: float | None


@dataclass(frozen=True)
class Compared:
    """One group's mean validation loss at its best rate, its 95 % interval (NaN for one seed), and (n,) each loss."""

    name: str
    look: Mark
    value: float
    low: float
    high: float
    losses: NDArray[np.floating]


def states_figure(squares: Sequence[Square], revision: str = "states") -> go.Figure:
    """Draw one square per run in the colour of its state, in the order of the sweep."""
    rows = list(dict.fromkeys(square.row for square in squares))
    columns = list(dict.fromkeys(square.column for square in squares))
    states = list(STATES)
    shape = (len(rows), len(columns))
    codes, texts, hovers = np.full(shape, np.nan, np.float32), np.full(shape, "", object), np.full(shape, "", object)
    for square in squares:
        place = rows.index(square.row), columns.index(square.column)
        codes[place] = states.index(square.state)
        texts[place], hovers[place] = show(square.text), hover(square.hover)
    edges = np.linspace(0, 1, len(states) + 1)
    scale = [[float(edge), colour] for i, colour in enumerate(STATES.values()) for edge in edges[i : i + 2]]
    figure = _squares(
        codes,
        texts.tolist(),
        textfont={"color": _INK, "size": 12},
        customdata=hovers.tolist(),
        hovertemplate="%{customdata}<extra></extra>",
        zmin=-0.5,
        zmax=len(states) - 0.5,
        colorscale=scale,
        showscale=False,
    )
    style(figure, 110 + _ROW_HEIGHT * len(rows), revision)
    figure.update_xaxes(tickvals=np.arange(len(columns)), ticktext=[_label(name) for name in columns], side="top")
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(**rows_axis([_label(name) for name in rows]), showgrid=False)
    figure.update_layout(showlegend=False, margin={"l": 12, "r": 12, "t": 60, "b": 16})
    return figure


def rates_figure(curves: Sequence[Curve], revision: str = "rates") -> go.Figure:
    """Draw the validation loss over the learning rate: a point per run, a line through means, a ring at the best.

    A rate at which some run has no loss has no mean.
    """
    figure = go.Figure()
    for curve in curves:
        colour, name = curve.look.colour, show(curve.name)
        tried = np.unique(curve.rates)
        means = np.array([curve.losses[curve.rates == rate].mean() for rate in tried])
        tried, means = tried[np.isfinite(means)], means[np.isfinite(means)]
        figure.add_scatter(
            x=tried.astype(np.float32),
            y=means.astype(np.float32),
            mode="lines",
            name=name,
            legendgroup=curve.name,
            line={"color": colour, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=curve.rates.astype(np.float32),
            y=curve.losses.astype(np.float32),
            mode="markers",
            name=name,
            legendgroup=curve.name,
            marker={"color": colour, "symbol": curve.look.symbol, "size": 8},
            hovertemplate=f"{name}<br>rate %{{x:g}}<br>loss %{{y:.4f}}<extra></extra>",
        )
        if curve.best is not None:
            figure.add_scatter(
                x=[curve.best],
                y=[means[tried == curve.best][0]],
                mode="markers",
                legendgroup=curve.name,
                showlegend=False,
                hoverinfo="skip",
                marker={"symbol": "circle-open", "size": 18, "color": colour, "line": {"width": 2.5}},
            )
    style(figure, SMALL_HEIGHT + 60, revision)
    every = np.unique(np.concatenate([curve.rates for curve in curves])) if curves else np.array([])
    figure.update_xaxes(
        title_text="learning rate", type="log", tickvals=every, ticktext=[f"{rate:g}" for rate in every]
    )
    figure.update_yaxes(title_text="validation loss (nats per token)")
    return figure


def compared_figure(groups: Sequence[Compared], revision: str = "compared") -> go.Figure:
    """Draw each group's mean loss with its interval and the runs behind it, from top to bottom."""
    figure = go.Figure()
    for place, group in enumerate(groups):
        name, colour = show(group.name), group.look.colour
        figure.add_scatter(
            x=group.losses.astype(np.float32),
            y=np.full(len(group.losses), place + _BELOW),
            mode="markers",
            name="single run",
            marker={"color": REFERENCE.colour, "size": 7},
            legendgroup="run",
            showlegend=place == 0,
            hovertemplate=f"{name}<br>loss %{{x:.4f}}<extra></extra>",
        )
        above, below = [group.high - group.value], [group.value - group.low]
        reach = error_bars(above, below, color=colour, thickness=2, width=6)
        figure.add_scatter(
            x=[group.value],
            y=[place],
            mode="markers",
            name=name,
            showlegend=False,
            marker={"color": colour, "symbol": group.look.symbol, "size": 12},
            error_x=reach if np.isfinite(group.low) else None,
            hovertemplate=f"{name}<br>mean %{{x:.4f}}<extra></extra>",
        )
    style(figure, 130 + 46 * len(groups), revision)
    figure.update_xaxes(title_text="validation loss (nats per token), mean and 95 % interval over seeds")
    figure.update_yaxes(**rows_axis([_label(group.name) for group in groups]), showgrid=False)
    return figure


def transfer_figure(
    names: Sequence[str], gains: NDArray[np.floating], texts: Mapping[tuple[int, int], str]
) -> go.Figure:
    """Draw how much loss a task saves when it starts from another task's posterior.

    Args:
        names: of the tasks.
        gains: (n, n) loss from scratch minus loss from the posterior, above 0 where the posterior helps. The row is
            the task that the posterior comes from, the column the tuned task. NaN if not measured, as on the diagonal.
        texts: shown in a square, by row and column.
    """
    largest = float(np.nanmax(np.abs(gains))) if np.isfinite(gains).any() else 1.0
    written = [[texts.get((i, k), "") for k in range(len(names))] for i in range(len(names))]
    labels = [_label(name) for name in names]
    figure = _squares(
        np.asarray(gains, np.float32),
        written,
        x=labels,
        y=labels,
        zmin=-largest,
        zmax=largest,
        colorscale="PRGn",
        hovertemplate="from %{y} to %{x}<br>%{text}<extra></extra>",
        colorbar={"title": {"text": "loss saved<br>(nats per token)"}, "thickness": 14},
    )
    style(figure, 180 + 86 * len(names), "transfer")
    figure.update_xaxes(title_text="tuned on", showgrid=False)
    figure.update_yaxes(title_text="started from the posterior of", autorange="reversed", showgrid=False)
    figure.update_layout(showlegend=False)
    return figure


def _squares(values: NDArray[np.floating], texts: list[list[str]], **look: Any) -> go.Figure:
    """Return a figure of squares, one per value, with a text in each."""
    gaps = {"hoverongaps": False, "xgap": 3, "ygap": 3}
    return go.Figure(go.Heatmap(z=values, text=texts, texttemplate="%{text}", **gaps, **look))


def _label(name: str) -> str:
    return show(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
