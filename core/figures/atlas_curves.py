"""Curves over sites: values with intervals, and the bands of their nulls."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.analysis.atlas_terms import ALL, QUANTITIES, pair_name
from core.figures.hover import TEXT_AND_NAME, hover
from core.figures.palette import faint, mark
from core.figures.panel_grid import PanelGrid
from core.figures.style import GRID, band, error_bars, style
from core.figures.text import show

SIGNIFICANT = 0.05
_TOGETHER = "#3C4350"
_COLUMNS = 2
_HEIGHT = 250
_WIDEST = 12
"""Most site names on an axis."""
_BAND = 0.14


def curves_figure(
    table: pd.DataFrame,
    quantities: Sequence[str],
    names: Sequence[str],
    sites: Sequence[int | str],
    chosen: int | str | None = None,
    revision: str = "curves",
) -> go.Figure:
    """Draw quantities over sites, one per panel: points with 95 % intervals over the bands of their nulls.

    A point is filled if its p is at most 0.05 or it has none; its `customdata` is its site.

    Args:
        table: site, quantity, cloud, value, low, high, null, null_low, null_high, p.
        quantities: to draw.
        names: of the data sets, in the order of their hues.
        sites: in the order of the stream.
        chosen: site marked by a line.
        revision: see `style`.
    """
    grid = PanelGrid(len(quantities), _COLUMNS)
    n_rows = grid.n_rows
    titles = [QUANTITIES[quantity].title for quantity in quantities]
    figure = make_subplots(
        n_rows, grid.n_columns, subplot_titles=titles, vertical_spacing=0.3 / n_rows, horizontal_spacing=0.09
    )
    order = {site: i for i, site in enumerate(sites)}
    seen: set[str] = set()
    for i, quantity in enumerate(quantities):
        here = table.loc[table["quantity"] == quantity]
        for cloud in dict.fromkeys(here["cloud"]):
            rows = here.loc[here["cloud"] == cloud].assign(order=lambda rows: rows["site"].map(order))
            for trace in _traces(rows.sort_values("order"), str(cloud), names, str(cloud) not in seen):
                figure.add_trace(trace, *grid.cell(i))
            seen.add(str(cloud))
    style(figure, _HEIGHT * n_rows + 90, revision)
    step = -(-len(sites) // _WIDEST)
    last = len(sites) - 1
    shown = [i for i in range(last) if i % step == 0 and last - i >= max(1, step / 2)] + [last]
    figure.update_xaxes(
        tickvals=shown,
        ticktext=[str(sites[i]) for i in shown],
        range=[-0.5, len(sites) - 0.5],
        zeroline=False,
        title_text="site",
        title_standoff=6,
    )
    figure.update_layout(hovermode="closest", margin={"l": 48, "r": 16, "t": 84, "b": 40})
    figure.update_layout(legend_y=1 + 44 / (_HEIGHT * n_rows))
    grid.hide_gaps(figure)
    if chosen in order:
        for i in range(len(quantities)):
            row, column = grid.cell(i)
            figure.add_vline(x=order[chosen], line={"color": GRID, "width": 6}, row=row, col=column)  # pyright: ignore[reportArgumentType]
    return figure


def _traces(rows: pd.DataFrame, cloud: str, names: Sequence[str], first: bool) -> list[Any]:
    line, point, symbol = _look(cloud, names)
    x, common = rows["order"].tolist(), {"legendgroup": cloud, "hoverinfo": "skip", "showlegend": False}
    traces: list[Any] = []
    if bool(rows["null"].notna().to_numpy().any()):
        traces += band(x, rows["null_high"], rows["null_low"], faint(line, _BAND), legendgroup=cloud)
        traces[0].legendgroup = cloud
        dotted = {"color": line, "width": 1, "dash": "dot"}
        traces.append(go.Scatter(x=x, y=rows["null"].tolist(), mode="lines", line=dotted, **common))
    open_ = (rows["p"] > SIGNIFICANT).tolist()
    above, below = rows["high"] - rows["value"], rows["value"] - rows["low"]
    errors = error_bars(above, below, width=0, thickness=1.2, color=line)
    traces.append(
        go.Scatter(
            x=x,
            y=rows["value"].tolist(),
            error_y=errors,
            mode="lines+markers",
            name=show("all together" if cloud == ALL else cloud),
            legendgroup=cloud,
            showlegend=first,
            customdata=[str(site) for site in rows["site"]],
            hovertext=[_words(row) for row in rows.to_dict("records")],
            hovertemplate=TEXT_AND_NAME,
            line={"color": line, "width": 1.6},
            marker={
                "color": ["#FFFFFF" if empty else point for empty in open_],
                "symbol": symbol,
                "size": 7,
                "line": {"color": point, "width": 1.5},
            },
        )
    )
    return traces


def _look(cloud: str, names: Sequence[str]) -> tuple[str, str, str]:
    """Return colour of the line, colour and symbol of the points; a pair mixes those of its two data sets."""
    if cloud in names:
        look = mark("dataset", names.index(cloud))
        return look.colour, look.colour, look.symbol
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if cloud == pair_name(first, second):
                other = mark("dataset", j)
                return mark("dataset", i).colour, other.colour, other.symbol
    return _TOGETHER, _TOGETHER, "circle"


def _words(row: Mapping[Hashable, Any]) -> str:
    null = f"null {row['null']:.4g} [{row['null_low']:.4g}, {row['null_high']:.4g}]"
    return hover(
        f"site {row['site']}",
        f"{row['value']:.4g} [{row['low']:.4g}, {row['high']:.4g}]",
        "" if math.isnan(row["null"]) else null,
        "" if math.isnan(row["p"]) else f"p {row['p']:.2g}",
    )
