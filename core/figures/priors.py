"""Pictures of a prior and of a map's own quality."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.analysis.pca import Loadings
from core.figures.densities import faint
from core.figures.palette import DATASET_MARKS, PRIOR, REFERENCE, XAVIER, Mark
from core.figures.style import SMALL_HEIGHT, style


def prior_marks(kinds: Sequence[str]) -> list[Mark]:
    """Return how each of several priors is drawn: the first blue, Xavier green, others in the hues of data sets."""
    marks: list[Mark] = []
    hues = iter(DATASET_MARKS)
    for kind in kinds:
        look = XAVIER if kind == "xavier" else PRIOR
        if look in marks:
            hue = next(hues)
            look = replace(hue, size=PRIOR.size, opacity=PRIOR.opacity)
        marks.append(look)
    return marks


def radial_figure(
    radius: NDArray[np.floating],
    densities: Mapping[str, NDArray[np.floating]],
    excluded: float | None = None,
    revision: str = "radial",
) -> go.Figure:
    """Draw densities of the Mahalanobis radius: the fitted Gaussian's and the prior's.

    Args:
        radius: (n,) Mahalanobis distance from the mean.
        densities: by name, (n,) each; the first is the reference, the second the prior.
        excluded: radius of the ball in which nothing is drawn.
        revision: see `style`.
    """
    colours = [REFERENCE.colour, PRIOR.colour, *(look.colour for look in DATASET_MARKS)]
    figure = go.Figure()
    for (name, density), colour in zip(densities.items(), colours, strict=False):
        figure.add_trace(
            go.Scatter(
                x=np.asarray(radius, np.float32),
                y=np.asarray(density, np.float32),
                mode="lines",
                name=name,
                line={"color": colour, "width": 2.5},
                fill="tozeroy",
                fillcolor=faint(colour),
            )
        )
    style(figure, SMALL_HEIGHT, revision)
    if excluded is not None:
        figure.add_vrect(x0=0, x1=excluded, fillcolor="rgba(128,134,145,0.12)", line_width=0, layer="below")
        figure.add_vline(
            x=excluded,
            line={"color": "rgba(128,134,145,0.7)", "dash": "dot", "width": 1.5},
            annotation={"text": f"nothing inside {excluded:.2f}", "font": {"size": 11}},
            annotation_position="top left",
        )
    figure.update_xaxes(title_text="Mahalanobis distance from the mean", rangemode="tozero")
    figure.update_yaxes(title_text="density", rangemode="tozero")
    return figure


def explained_variance_figure(
    explained: NDArray[np.floating], n_drawn: int, n_bars: int = 20, revision: str = "explained"
) -> go.Figure:
    """Draw the share of variance along each component, those drawn on the map marked.

    Args:
        explained: (k,) shares, the largest first.
        n_drawn: components that the map shows.
        n_bars: shown at most.
        revision: see `style`.
    """
    shares = 100 * np.asarray(explained[:n_bars], np.float32)
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
    style(figure, SMALL_HEIGHT, revision)
    figure.update_xaxes(title_text="principal component", range=[0.3, len(shares) + 0.7], tick0=1, dtick=2)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title_text="% of variance", rangemode="tozero")
    figure.update_layout(showlegend=False, bargap=0.25, margin_t=16)
    return figure


def loadings_figure(found: Loadings, component: int, revision: str = "loadings") -> go.Figure:
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
    style(figure, SMALL_HEIGHT, revision)
    figure.update_xaxes(title_text=f"weight in PC{component + 1}")
    figure.update_yaxes(title_text="dimension", type="category", autorange="reversed", showgrid=False)
    figure.update_layout(showlegend=False, bargap=0.25, margin_t=16)
    return figure
