"""A prior in few and in many dimensions: samples on two axes, and below them the law of their distance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures.palette import PRIOR, REFERENCE, faint
from core.figures.style import legend_once, style
from core.priors.shells import Shell

_HEIGHTS = (0.6, 0.4)
_HEIGHT = 640
_NEAR = 2.0
"""Least end of the axis of distances."""
_GAUSSIAN = "#7C8696"


def shells_figure(shells: Sequence[Shell], name: str, revision: str = "shells") -> go.Figure:
    """Draw a prior in several numbers of dimensions, one column each.

    Args:
        shells: from left to right.
        name: of the prior.
        revision: see `style`.
    """
    titles = [f"{one.dim:,} dimensions" for one in shells]
    figure: Any = make_subplots(
        2, len(shells), row_heights=_HEIGHTS, subplot_titles=titles, vertical_spacing=0.14, horizontal_spacing=0.09
    )
    for column, one in enumerate(shells, 1):
        figure.add_trace(_samples(one, name), row=1, col=column)
        figure.add_traces(_laws(one, name), rows=2, cols=column)
        figure.update_xaxes(title_text="first coordinate", constrain="domain", row=1, col=column)
        figure.update_yaxes(
            scaleanchor=f"x{column if column > 1 else ''}", scaleratio=1, constrain="domain", row=1, col=column
        )
        figure.update_xaxes(range=[0, max(_NEAR, one.last)], row=2, col=column)
        figure.update_xaxes(title_text="distance from the mean / √dimensions", row=2, col=column)
    figure.update_yaxes(title_text="second coordinate", row=1, col=1)
    figure.update_yaxes(title_text="density", row=2, col=1)
    legend_once(figure)
    style(figure, _HEIGHT, revision)
    figure.update_yaxes(rangemode="tozero", row=2)
    figure.update_layout(margin={"t": 82}, legend={"y": 1 + 36 / (_HEIGHT - 138)})
    return figure


def _samples(one: Shell, name: str) -> go.Scattergl:
    x, y = one.points.T.astype(np.float32)
    marker = {"color": PRIOR.colour, "size": 4, "opacity": 0.55}
    return go.Scattergl(x=x, y=y, mode="markers", marker=marker, name=f"{name}, {len(x):,} samples", hoverinfo="skip")


def _laws(one: Shell, name: str) -> list[go.Scatter]:
    """Return the law of the fitted Gaussian, and on it that of the prior."""
    dashed, solid = {"color": _GAUSSIAN, "width": 2, "dash": "dash"}, {"color": PRIOR.colour, "width": 2.5}
    x = np.asarray(one.radius, np.float32)
    common = {"x": x, "mode": "lines", "fill": "tozeroy", "hovertemplate": "%{x:.3f}<extra>%{fullData.name}</extra>"}
    laws = ((REFERENCE, "fitted Gaussian", one.gaussian, dashed), (PRIOR, name, one.prior, solid))
    return [
        go.Scatter(y=np.asarray(y, np.float32), name=f"{word}, law", line=line, fillcolor=faint(look.colour), **common)
        for look, word, y, line in laws
    ]
