"""The layer film: all sites in one figure, one after another, played or scrubbed in the browser."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.analysis.map_alignment import SmallMap
from core.figures.hover import TEXT_AND_NAME
from core.figures.palette import mark
from core.figures.player import PLAYER_HEIGHT, add_player
from core.figures.strip import common_range
from core.figures.style import HEIGHT, Properties, style
from core.figures.text import show, token

FRAME_MILLISECONDS = 450
PLANES_DIFFER = (
    "The planes differ: each site has its own first two principal components, centred, scaled by the inner half of "
    "the points and rotated or mirrored onto the plane before (Procrustes), so that position and size mean nothing "
    "and a point may move because its plane turns. What is outside the frame in a few sites is reached by zooming "
    "out. Points inside a lasso keep their colour at every other site; double-click to let them go."
)
"""For captions."""
MOST_PLACES = 150_000
"""Points times sites that are sent to the browser, which keeps the figure under 3 MB; of more, every second, third …
point is drawn.
"""
_OPACITY = 0.65
_MODES: Properties = {
    "type": "buttons",
    "direction": "left",
    "showactive": False,
    "buttons": [
        {"label": label, "method": "relayout", "args": [{"dragmode": mode}]}
        for label, mode in (("Lasso", "lasso"), ("Move", "pan"))
    ],
    "x": 0,
    "y": 1,
    "xanchor": "left",
    "yanchor": "top",
    "pad": {"t": 4, "l": 4},
}
"""What dragging does: Streamlit leaves the lasso out of the bar above a chart whose selection it does not read."""
_NO_OUTLINE = {"type": "path", "path": "", "xref": "x", "yref": "y"}
_GREY = {"color": "#A6ACB5", "opacity": 0.12}
"""Of the points outside a lasso."""


def film_figure(
    maps: Sequence[SmallMap],
    names: Sequence[str],
    datasets: NDArray[np.integer],
    tokens: Sequence[str],
    active: int = 0,
    revision: str = "film",
) -> go.Figure:
    """Draw the same points at one site after another, with a slider and buttons that play.

    The planes differ: each map has its own site's first two principal components. Rotated onto each
    other (`core.analysis.map_alignment.align`), they share axes, which are no component of any site.
    A lasso marks points, not a region: they keep their colour at every other site.

    Args:
        maps: in the order of the stream, aligned.
        names: of the data sets.
        datasets: (n,) number of the data set of each point.
        tokens: (n,) text of each point.
        active: number of the map that is shown first.
        revision: see `style`.
    """
    step = max(1, -(-len(datasets) * len(maps) // MOST_PLACES))
    maps = [replace(small, coordinates=small.coordinates[::step]) for small in maps]
    datasets, tokens = datasets[::step], tokens[::step]
    figure: Any = go.Figure([_trace(maps[active], k, name, datasets == k, tokens) for k, name in enumerate(names)])
    style(figure, HEIGHT + PLAYER_HEIGHT, revision)
    low, high = common_range([small.coordinates for small in maps])
    figure.update_xaxes(title_text="direction 1 of the aligned planes", showticklabels=False, zeroline=False)
    figure.update_xaxes(range=[low[0], high[0]])
    figure.update_yaxes(title_text="direction 2 of the aligned planes", showticklabels=False, zeroline=False)
    figure.update_yaxes(range=[low[1], high[1]])
    figure.update_layout(dragmode="lasso", hovermode="closest", annotations=[_words(maps[active])])
    frames = [_frame(number, small, datasets, len(names)) for number, small in enumerate(maps)]
    add_player(figure, frames, [str(small.site) for small in maps], active, FRAME_MILLISECONDS)
    figure.layout.updatemenus = (*figure.layout.updatemenus, _MODES)
    return figure


def _trace(small: SmallMap, k: int, name: str, mine: NDArray[np.bool_], tokens: Sequence[str]) -> go.Scattergl:
    look = mark("dataset", k)
    return go.Scattergl(
        **_where(small, mine),
        mode="markers",
        name=show(name),
        hovertext=[token(tokens[i]) for i in np.flatnonzero(mine).tolist()],
        hovertemplate=TEXT_AND_NAME,
        marker={"color": look.colour, "symbol": look.symbol, "size": look.size, "opacity": _OPACITY},
        unselected={"marker": _GREY},
    )


def _frame(number: int, small: SmallMap, datasets: NDArray[np.integer], n_datasets: int) -> go.Frame:
    """Return a map as a frame, which moves the points, names the site and forgets a lasso's outline."""
    return go.Frame(
        name=str(number),
        data=[go.Scattergl(**_where(small, datasets == k)) for k in range(n_datasets)],
        traces=list(range(n_datasets)),
        layout={"annotations": [_words(small)], "selections": [_NO_OUTLINE] * 4},
    )


def _where(small: SmallMap, mine: NDArray[np.bool_]) -> Properties:
    x, y = np.ascontiguousarray(small.coordinates[mine].T, np.float32)
    return {"x": x, "y": y}


def _words(small: SmallMap) -> Properties:
    return {
        "text": f"<b>site {show(small.site)}</b> · its plane shows {100 * small.shown:.0f} % of the variance",
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 1,
        "y": 1,
        "xanchor": "right",
        "yanchor": "top",
        "font": {"size": 14},
    }
