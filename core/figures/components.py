"""Bars of principal components: how much of the variance each has, and which dimensions weigh in it."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.analysis.pca import Loadings
from core.figures.palette import PRIOR, REFERENCE
from core.figures.style import SMALL_HEIGHT, style

_BARS = 20
"""Most components that are shown."""


def explained_variance_figure(explained: NDArray[np.floating], n_drawn: int) -> go.Figure:
    """Draw the share of variance along each component, those drawn on the map marked.

    Args:
        explained: (k,) shares, the largest first.
        n_drawn: components that the map shows.
    """
    shares = 100 * np.asarray(explained[:_BARS], np.float32)
    colours = [PRIOR.colour if k < n_drawn else REFERENCE.colour for k in range(len(shares))]
    number = np.arange(1, len(shares) + 1)
    figure = go.Figure(
        [
            go.Bar(
                x=number,
                y=shares,
                marker={"color": colours},
                name="share",
                hovertemplate="PC%{x}: %{y:.2f} %<extra></extra>",
            ),
            go.Scatter(
                x=number,
                y=np.cumsum(shares),
                mode="lines+markers",
                name="together",
                line={"color": "#7C8696", "width": 1.5},
                marker={"size": 4},
                hovertemplate="first %{x}: %{y:.1f} %<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title_text="principal component", range=[0.3, len(shares) + 0.7], tick0=1, dtick=2)
    figure.update_yaxes(title_text="% of variance", rangemode="tozero")
    return _bars(figure, "explained").update_xaxes(showgrid=False)


def loadings_figure(found: Loadings, component: int) -> go.Figure:
    """Draw the dimensions that weigh most in a component (from 0), with the signs of their weights."""
    figure = go.Figure(
        go.Bar(
            x=np.asarray(found.weight, np.float32),
            y=[str(dimension) for dimension in found.dimension],
            orientation="h",
            marker={"color": PRIOR.colour},
            hovertemplate="dimension %{y}: %{x:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=f"weight in PC{component + 1}")
    figure.update_yaxes(title_text="dimension", type="category", autorange="reversed")
    return _bars(figure, "loadings").update_yaxes(showgrid=False)


def _bars(figure: go.Figure, revision: str) -> go.Figure:
    return style(figure, SMALL_HEIGHT, revision).update_layout(showlegend=False, bargap=0.25, margin_t=16)
