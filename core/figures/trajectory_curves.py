"""Curves of the statistics of documents' trajectories over sites."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.style import GRID, band, error_bars, style
from core.figures.text_trajectories import sentence_mark

_HEIGHT = 340


def trajectory_curves(table: pd.DataFrame, titles: dict[str, str]) -> go.Figure:
    """Draw how far documents' trajectories are from each null over sites, one panel per statistic.

    Args:
        table: `documents_table` of several sites with a column `site`, those in the order of the stream.
        titles: of the statistics, in the order of the panels.
    """
    figure: Any = make_subplots(1, len(titles), subplot_titles=list(titles.values()), horizontal_spacing=0.07)
    sites = [str(site) for site in dict.fromkeys(table["site"])]
    table = table[table["null"] != ""].assign(site=table["site"].astype(str))
    nulls = list(dict.fromkeys(table["null"]))
    for column, statistic in enumerate(titles, 1):
        rows = table[table["statistic"] == statistic]
        nulled = rows.groupby("site").agg({"null_low": "min", "null_high": "max"}).reindex(sites)
        common = {"name": "null samples", "legendgroup": "band", "showlegend": column == 1}
        traces = band(sites, nulled["null_low"], nulled["null_high"], "rgba(128,134,145,0.28)", **common)
        figure.add_traces(traces, rows=1, cols=column)
        for index, null in enumerate(nulls):
            one = pd.DataFrame(rows[rows["null"] == null]).set_index("site").reindex(sites).dropna(subset=["value"])
            if one.empty:
                continue
            look = sentence_mark(index)
            figure.add_trace(
                go.Scatter(
                    x=one.index,
                    y=one["value"],
                    mode="lines+markers",
                    name=f"against {null}",
                    legendgroup=null,
                    showlegend=column == 1,
                    marker={"color": look.colour, "symbol": look.symbol, "size": 8},
                    line={"color": look.colour, "width": 1.4},
                    error_y=error_bars(one["high"] - one["value"], one["value"] - one["low"], thickness=1.2, width=3),
                    hovertemplate="site %{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
                ),
                1,
                column,
            )
        expected = 0 if set(rows["of"]) == {"difference"} else 1
        figure.add_hline(y=expected, line={"color": GRID, "width": 1.5}, row=1, col=column)
    style(figure, _HEIGHT, "curves")
    figure.update_layout(margin_t=84, legend_y=1.14)
    figure.update_xaxes(title_text="site", type="category")
    return figure
