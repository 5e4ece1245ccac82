"""What all figures share: margins, a legend above the plot, grids that suit a light and a dark page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

Properties = dict[str, Any]
"""Of a trace or an axis: Plotly's names, and values that Plotly takes."""
GRID = "rgba(128,134,145,0.18)"
ZERO = "rgba(128,134,145,0.35)"
HEIGHT = 560
SMALL_HEIGHT = 320
BESIDE_POINTS: Properties = {"size": 12, "weight": 600}
"""Font of words beside points: of the page's colour, since a trajectory's own is too dark on a dark page."""


def style(figure: go.Figure, height: int, revision: str) -> go.Figure:
    """Give a figure the common look.

    Zoom and hidden layers last while `revision` is the same, in a chart that is updated; Streamlit builds a new one for
    each figure.
    """
    figure.update_layout(
        height=height,
        uirevision=revision,
        showlegend=True,
        margin={"l": 64, "r": 24, "t": 48, "b": 56},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.01,
            "xanchor": "left",
            "x": 0,
            "itemsizing": "constant",
            "bgcolor": "rgba(0,0,0,0)",
            "title": {"text": ""},
        },
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "rgba(110,118,130,0.8)", "activecolor": "#1F6FC4"},
        hoverlabel={"align": "left", "namelength": -1},
    )
    figure.update_xaxes(showgrid=True, gridcolor=GRID, zerolinecolor=ZERO, automargin=True)
    figure.update_yaxes(showgrid=True, gridcolor=GRID, zerolinecolor=ZERO, automargin=True)
    return figure


def legend_once(figure: go.Figure) -> None:
    """Give each legend group, or name where there is none, one entry in the legend."""
    seen: set[str] = set()
    trace: Any
    for trace in figure.data:
        group = trace.legendgroup or trace.name
        trace.update(legendgroup=group, showlegend=group not in seen)
        seen.add(group)


def rows_axis(names: Sequence[str]) -> Properties:
    """Return a vertical axis with a row per name, one unit high, the first at the top."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": [len(names) - 0.5, -0.5],
        "zeroline": False,
    }


def band(x: Sequence[Any], edge: ArrayLike, other: ArrayLike, colour: str, **look: Any) -> list[go.Scatter]:
    """Return two edges with a filled area between them; the second has the further properties."""
    edges: Properties = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    filled = {**edges, "fill": "tonexty", "fillcolor": colour, **look}
    return [go.Scatter(y=np.asarray(edge), **edges), go.Scatter(y=np.asarray(other), **filled)]


def error_bars(above: ArrayLike, below: ArrayLike, **look: Any) -> Properties:
    """Return Plotly's error bars that reach `above` and `below` each value, with further properties as they are."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.asarray(above).tolist(),
        "arrayminus": np.asarray(below).tolist(),
        **look,
    }
