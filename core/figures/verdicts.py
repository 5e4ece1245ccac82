"""Intervals beside the bounds that a claim states, and a matrix of verdicts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.intervals import Interval
from core.analysis.verdict import FAILS, HOLDS, UNDECIDED, Bounds, Verdict
from core.figures.hover import TEXT_ONLY, hover
from core.figures.palette import PRIOR, REFERENCE, Mark
from core.figures.style import error_bars, legend_once, rows_axis, style
from core.figures.text import show

VERDICT_MARKS = {
    HOLDS: Mark("#00846B", "circle", "circle", 11, 1),
    FAILS: Mark("#D55E00", "x", "x", 11, 1),
    UNDECIDED: Mark("#7C8696", "circle-open", "circle-open", 11, 1),
}
"""One colour and symbol per verdict, distinct also without colour vision."""
VERDICT_SIGNS: Mapping[str, str] = {HOLDS: "✓ holds", FAILS: "✗ fails", UNDECIDED: "? undecided", "": "·"}
BESIDE = Mark("#55606E", "diamond-open", "diamond-open", 8, 1)
_CHANCE = replace(REFERENCE, size=7)
_CLAIMED = "rgba(0,132,107,0.12)"
_ROW, _GAP, _ABOVE, _BELOW = 24, 72, 78, 40
"""Pixels: height of an interval, gap between panels, margins above and below."""
_MATRIX_ROW = 30
_NAME = 32
"""Characters in a line of a column's name; a longer line is not shown in a narrow window."""
_NAME_LINE = 16


@dataclass(frozen=True)
class Row:
    """One interval.

    Attributes:
        name: such as a site or a pair of priors.
        quantity: names the axis.
        interval: value and interval.
        bounds: that the claim states.
        null: value, or range, by chance alone.
        verdict: on this interval alone.
        decides: whether the claim's verdict depends on it; others are drawn small.
    """

    name: str
    quantity: str
    interval: Interval
    bounds: Bounds
    null: Interval | None
    verdict: Verdict
    decides: bool = True


def intervals_figure(rows: Sequence[Row]) -> go.Figure:
    """Draw intervals over the region that the claim states, one panel per quantity; the null is grey."""
    quantities = list(dict.fromkeys(row.quantity for row in rows))
    panels = [[row for row in rows if row.quantity == quantity] for quantity in quantities]
    heights = [_ROW * (len(panel) + 1) for panel in panels]
    area = sum(heights) + _GAP * (len(panels) - 1)
    figure: Any = make_subplots(
        len(panels),
        1,
        row_heights=heights,
        vertical_spacing=_GAP / area if len(panels) > 1 else 0,
        subplot_titles=[show(quantity) for quantity in quantities],
    )
    for number, panel in enumerate(panels, 1):
        reach = _reach(panel)
        _regions(figure, panel, reach, number)
        figure.add_traces(_panel_traces(panel, reach[1] - reach[0]), rows=number, cols=1)
        figure.update_yaxes(**rows_axis([_label(row) for row in panel]), row=number, col=1)
        figure.update_xaxes(range=list(reach), zeroline=False, row=number, col=1)
    legend_once(figure)
    style(figure, area + _ABOVE + _BELOW, "intervals")
    figure.update_layout(margin={"t": _ABOVE, "b": _BELOW}, legend={"y": 1 + 34 / area, "yanchor": "bottom"})
    # To the right edge: from the middle a long title would leave the page where names of rows take half of it.
    figure.update_annotations(font_size=13, x=1, xanchor="right")
    return figure


def _label(row: Row) -> str:
    return show(row.name) if row.decides else f"<i>{show(row.name)}</i>"


def _panel_traces(panel: Sequence[Row], span: float) -> list[Any]:
    shown = {
        ("by chance", _CHANCE): [
            (place, row.null, hover(f"by chance {row.null.value:.4g}")) for place, row in enumerate(panel) if row.null
        ]
    }
    for verdict, look in VERDICT_MARKS.items():
        mine = [_own(place, row) for place, row in enumerate(panel) if row.decides and row.verdict == verdict]
        shown[f"{verdict}, this interval alone", look] = mine
    shown["not part of the verdict", BESIDE] = [_own(place, row) for place, row in enumerate(panel) if not row.decides]
    return [_trace(name, found, look, span) for (name, look), found in shown.items() if found]


def _trace(name: str, found: Sequence[tuple[int, Interval, str]], look: Mark, span: float) -> Any:
    values = [each.value for _, each, _ in found]
    above = [_length(each.high - each.value, span) for _, each, _ in found]
    below = [_length(each.value - each.low, span) for _, each, _ in found]
    return go.Scatter(
        x=values,
        y=[place for place, _, _ in found],
        error_x=error_bars(above, below, color=look.colour, thickness=1.8, width=4),
        mode="markers",
        name=name,
        hovertext=[words for _, _, words in found],
        hovertemplate=TEXT_ONLY,
        marker={"color": look.colour, "symbol": look.symbol, "size": look.size},
    )


def _length(value: float, span: float) -> float:
    """Return the length of a bar: 0 if unknown, as long as the axis if infinite."""
    return 0.0 if math.isnan(value) else min(value, span)


def _own(place: int, row: Row) -> tuple[int, Interval, str]:
    """Return the interval of a row with its place and its hover text."""
    bounds = "no interval" if math.isnan(row.interval.low) else f"[{row.interval.low:.4g}, {row.interval.high:.4g}]"
    return place, row.interval, hover(f"{row.name}: {row.interval.value:.4g} {bounds}", f"claim: {row.bounds}")


def _reach(panel: Sequence[Row]) -> tuple[float, float]:
    """Return the range of an axis: around all intervals, nulls and bounds, with a margin.

    An interval of two seeds can be fifty times as wide as its value; it is cut where it would hide the rest.
    """
    centre = [row.interval.value for row in panel] + [row.null.value for row in panel if row.null]
    centre += [bound for row in panel for bound in (row.bounds.low, row.bounds.high)]
    known = [value for value in centre if math.isfinite(value)]
    low, high = min(known), max(known)
    span = max(high - low, 1e-9, 0.02 * max(abs(low), abs(high)))
    every = [found for row in panel for found in (row.interval, row.null) if found]
    ends = [end for found in every for end in (found.low, found.high) if math.isfinite(end)]
    low, high = max(min([low, *ends]), low - 2 * span), min(max([high, *ends]), high + 2 * span)
    return low - 0.08 * (high - low), high + 0.08 * (high - low)


def _regions(figure: Any, panel: Sequence[Row], reach: tuple[float, float], number: int) -> None:
    for place, row in enumerate(panel):
        if not row.decides:
            continue
        left, right = max(row.bounds.low, reach[0]), min(row.bounds.high, reach[1])
        where = {"row": number, "col": 1}
        _box(figure, (left, right), place, 0.5, fillcolor=_CLAIMED, line_width=0, layer="below", **where)


def _box(figure: go.Figure, ends: tuple[float, float], place: float, half: float, **look: Any) -> None:
    """Draw a rectangle from end to end around a row."""
    figure.add_shape(type="rect", x0=ends[0], x1=ends[1], y0=place - half, y1=place + half, **look)


def matrix_figure(
    claims: Sequence[tuple[int, str]],
    studies: Sequence[str],
    verdicts: Mapping[tuple[int, int], str],
    words: Mapping[tuple[int, int], str],
    chosen: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw a matrix of verdicts, claims by studies; `customdata` of a cell is [claim, column of the study].

    Args:
        claims: number and title of each, from top to bottom.
        studies: names, from left to right.
        verdicts: by number of the claim and column of the study; a missing cell is not judged yet.
        words: hover texts of the cells, likewise.
        chosen: the cell with a frame.
    """
    figure = go.Figure()
    cells = [(place, number, column) for place, (number, _) in enumerate(claims) for column in range(len(studies))]
    for verdict, sign in VERDICT_SIGNS.items():
        mine = [(p, n, c) for p, n, c in cells if verdicts.get((n, c), "") == verdict]
        look = VERDICT_MARKS.get(verdict)
        colour = look.colour if look else REFERENCE.colour
        figure.add_scatter(
            x=[column for _, _, column in mine],
            y=[place for place, _, _ in mine],
            mode="markers+text",
            text=[sign] * len(mine),
            textfont={"color": "#FFFFFF" if look else colour, "size": 13},
            customdata=[[number, column] for _, number, column in mine],
            hovertext=[hover(words.get((number, column), "not judged yet")) for _, number, column in mine],
            hovertemplate=TEXT_ONLY,
            marker={"symbol": "square", "size": 1, "opacity": 0, "color": colour},
            name=verdict or "not judged yet",
            showlegend=False,
        )
        for place, _, column in mine:
            if look:
                ends = column - 0.46, column + 0.46
                _box(figure, ends, place, 0.42, fillcolor=colour, line_width=0, layer="below")
    if chosen:
        place = [number for number, _ in claims].index(chosen[0])
        _box(figure, (chosen[1] - 0.48, chosen[1] + 0.48), place, 0.46, line={"color": PRIOR.colour, "width": 2})
    names = [wrap(name, _NAME) for name in studies]
    above = 30 + _NAME_LINE * max(map(len, names), default=1)
    style(figure, _MATRIX_ROW * len(claims) + above + 24, "matrix")
    figure.update_xaxes(
        tickvals=list(range(len(studies))),
        ticktext=["<br>".join(map(show, lines)) for lines in names],
        side="top",
        showgrid=False,
        range=[-0.5, len(studies) - 0.5],
        zeroline=False,
        fixedrange=True,
    )
    titles = [f"C{number} {show(title)}" for number, title in claims]
    figure.update_yaxes(**rows_axis(titles), showgrid=False, fixedrange=True)
    figure.update_layout(margin={"l": 20, "r": 12, "t": above, "b": 8})
    return figure
