"""The layer strip: one small map per site, all in one figure."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.analysis.map_alignment import SmallMap
from core.figures.palette import mark
from core.figures.panel_grid import PanelGrid
from core.figures.style import style
from core.figures.text import show, token

COLUMNS = 8
PANEL_HEIGHT = 132
_BEYOND = 0.005
"""Share of a site's points that may lie outside the frame at each end of an axis."""
_CUT = 0.3
"""Share of the sites that may be cut, so that wide ones do not shrink all others: of SmolLM2's 31 sites, 7 have a few
tokens some twenty times as far out as all others."""
_CHOSEN = "#CF2030"


def strip_figure(
    maps: Sequence[SmallMap],
    names: Sequence[str],
    datasets: NDArray[np.integer],
    tokens: Sequence[str],
    chosen: int | str | None = None,
    revision: str = "strip",
    columns: int = COLUMNS,
    panel_height: int = PANEL_HEIGHT,
) -> go.Figure:
    """Draw one small map per site.

    Zooming one zooms all, because `core.analysis.map_alignment.align` has rotated them onto each other.
    Trace i belongs to map i // len(names), which tells where a click was (see `site_of_trace`).

    Args:
        maps: in the order of the stream.
        names: of the data sets.
        datasets: (n,) number of the data set of each point.
        tokens: (n,) text of each point.
        chosen: site with a marked title.
        revision: see `style`.
        columns: most small maps in a row.
        panel_height: of a small map, in pixels.
    """
    grid = PanelGrid(len(maps), columns)
    n_rows = grid.n_rows
    figure = make_subplots(
        n_rows,
        grid.n_columns,
        subplot_titles=[_title(small, chosen) for small in maps],
        horizontal_spacing=0.008,
        vertical_spacing=0.22 / n_rows,
    )
    labels = np.array([token(text) for text in tokens], dtype=object)
    for i, small in enumerate(maps):
        for k, name in enumerate(names):
            mine = datasets == k
            look = mark("dataset", k)
            trace = go.Scattergl(
                x=np.ascontiguousarray(small.coordinates[mine, 0], np.float32),
                y=np.ascontiguousarray(small.coordinates[mine, 1], np.float32),
                mode="markers",
                name=show(name),
                legendgroup=str(k),
                showlegend=i == 0,
                hovertext=labels[mine].tolist(),
                hovertemplate=f"%{{hovertext}}<extra>site {small.site}</extra>",
                marker={"color": look.colour, "symbol": look.symbol, "size": 3, "opacity": 0.6},
            )
            figure.add_trace(trace, *grid.cell(i))
    style(figure, panel_height * n_rows + 70, revision)
    figure.update_annotations(font_size=11, yshift=3)
    low, high = common_range([small.coordinates for small in maps])
    figure.update_xaxes(matches="x", showticklabels=False, showgrid=False, zeroline=False, range=[low[0], high[0]])
    figure.update_yaxes(matches="y", showticklabels=False, showgrid=False, zeroline=False, range=[low[1], high[1]])
    figure.update_xaxes(showline=True, linecolor="rgba(128,134,145,0.3)", mirror=True)
    figure.update_yaxes(showline=True, linecolor="rgba(128,134,145,0.3)", mirror=True)
    figure.update_layout(margin={"l": 12, "r": 12, "t": 64, "b": 14}, legend_y=1 + 30 / (panel_height * n_rows))
    grid.hide_gaps(figure)
    return figure


def site_of_trace(number: int, sites: Sequence[int | str], n_datasets: int) -> int | str | None:
    """Return the site of a trace of the strip; None for a number outside the strip."""
    index = number // n_datasets
    return sites[index] if 0 <= index < len(sites) else None


def _title(small: SmallMap, chosen: int | str | None) -> str:
    text = f"{small.site} · {100 * small.shown:.0f} %"
    return f"<b><span style='color:{_CHOSEN}'>{text}</span></b>" if small.site == chosen else text


def common_range(maps: Sequence[NDArray[np.floating]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ranges of the axes: around most points of most sites."""
    ends = np.array([np.quantile(coordinates, [_BEYOND, 1 - _BEYOND], axis=0) for coordinates in maps])
    low = np.asarray(np.quantile(ends[:, 0], _CUT, axis=0, method="higher"), np.float64)
    high = np.asarray(np.quantile(ends[:, 1], 1 - _CUT, axis=0, method="lower"), np.float64)
    room = np.maximum(0.12 * (high - low), 1e-6)
    return low - room, high + room
