"""Densities of one number: histograms of samples, and the distributions that they should follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.figures.palette import DATASET_MARKS, PRIOR, REFERENCE, faint
from core.figures.style import GRID, SMALL_HEIGHT, ZERO, Properties, legend_once, style
from core.figures.text import show
from core.priors.radial import ExclusionCurve

_BINS = (6, 60)
_ABOVE_PANELS = 84
"""Pixels above panels side by side: their titles and the legend."""
_WIDE = 20.0
"""Ratio of largest to smallest value above which the axis is logarithmic."""
_HEIGHT = 340
_MARKER = {"color": "rgba(128,134,145,0.7)", "dash": "dot", "width": 1.5}
_VERSIONS = {"later": ("later text", PRIOR.colour), "earlier": ("earlier text", DATASET_MARKS[0].colour)}
_PANELS = {"acceptance": "acceptance", "excluded": "excluded radius / √dim", "push": "shell pushed out, %"}


@dataclass(frozen=True)
class DensityCurve:
    """Values of one cloud.

    Attributes:
        name: for the legend; shown as text, never as markup.
        values: (n,).
        colour: hex.
        law: radius and density (m,) that the values should follow; None for none.
    """

    name: str
    values: NDArray[np.floating]
    colour: str
    law: tuple[NDArray[np.floating], NDArray[np.floating]] | None = None


def density_figure(series: Sequence[DensityCurve], title: str, revision: str = "density") -> go.Figure:
    """Draw a histogram of each cloud, and its law dotted; each pair is scaled to a peak of 1."""
    figure = go.Figure()
    for one in series:
        x, y = _steps(one.values)
        peak = float(np.max(one.law[1])) if one.law else float(y.max())
        _outline(figure, one, x, y / peak)
        if one.law:
            figure.add_scatter(
                x=np.asarray(one.law[0], np.float32),
                y=np.asarray(one.law[1] / peak, np.float32),
                mode="lines",
                name=f"law of {show(one.name)}",
                line={"color": one.colour, "width": 2, "dash": "dot"},
                hoverinfo="skip",
            )
    style(figure, _HEIGHT, revision)
    values = np.concatenate([np.asarray(one.values, np.float64) for one in series])
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > _WIDE * low:
        figure.update_xaxes(**_logarithmic(low, high))
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(title_text="density, peak = 1", rangemode="tozero")
    return figure


def densities_beside(panels: Mapping[str, Sequence[DensityCurve]], title: str) -> go.Figure:
    """Draw histograms of several clouds in titled panels side by side; the area under each curve is 1."""
    figure: Any = make_subplots(1, len(panels), subplot_titles=[show(name) for name in panels], horizontal_spacing=0.1)
    for column, series in enumerate(panels.values(), 1):
        for one in series:
            _outline(figure, one, *_steps(one.values), row=1, col=column)
    legend_once(figure)
    style(figure, SMALL_HEIGHT, "beside")
    figure.update_xaxes(title_text=title)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title_text="density", col=1)
    figure.update_layout(margin_t=_ABOVE_PANELS, legend_y=1.16)
    return figure


def radial_figure(
    radius: NDArray[np.floating], densities: Mapping[str, NDArray[np.floating]], excluded: float | None = None
) -> go.Figure:
    """Draw densities of the Mahalanobis radius: the fitted Gaussian's and the prior's.

    Args:
        radius: (n,) Mahalanobis distance from the mean.
        densities: by name, (n,) each; the first is the reference, the second the prior.
        excluded: radius of the ball in which nothing is drawn.
    """
    colours = [REFERENCE.colour, PRIOR.colour, *(look.colour for look in DATASET_MARKS)]
    figure = go.Figure()
    for (name, density), colour in zip(densities.items(), colours, strict=False):
        _area(figure, radius, density, name, {"color": colour, "width": 2.5})
    style(figure, SMALL_HEIGHT, "radial")
    if excluded is not None:
        figure.add_vrect(x0=0, x1=excluded, fillcolor="rgba(128,134,145,0.12)", line_width=0, layer="below")
        figure.add_vline(
            x=excluded,
            line=_MARKER,
            annotation={"text": f"nothing inside {excluded:.2f}", "font": {"size": 11}},
            annotation_position="top left",
        )
    figure.update_xaxes(title_text="Mahalanobis distance from the mean", rangemode="tozero")
    figure.update_yaxes(title_text="density", rangemode="tozero")
    return figure


def exclusion_figure(
    over_dim: Mapping[str, tuple[NDArray[np.integer], ExclusionCurve]],
    over_c: Mapping[str, tuple[NDArray[np.floating], ExclusionCurve]],
    dim: int,
    c: float,
) -> go.Figure:
    """Draw acceptance, excluded radius and push of Gaussian exclusion over the dimension and over c.

    Args:
        over_dim: by version of the paper's text, dimensions (n,) and the curve over them at `c`.
        over_c: by version, values of c (n,) and the curve over them at `dim`.
        dim: marked in the upper row.
        c: marked in the lower row.
    """
    figure = make_subplots(2, 3, subplot_titles=[*_PANELS.values()] * 2, vertical_spacing=0.27, horizontal_spacing=0.07)
    for row, curves in enumerate((over_dim, over_c), start=1):
        for version, (x, curve) in curves.items():
            name, colour = _VERSIONS[version]
            for column, panel in enumerate(_PANELS, start=1):
                values = getattr(curve, panel)
                for outside in (True, False):
                    y = np.where(curve.outside == outside, values, np.nan)
                    if not np.isfinite(y).any():
                        continue
                    shown = name if outside else f"{name}, s < 1: keeps the middle"
                    figure.add_trace(
                        go.Scatter(
                            x=np.asarray(x, np.float32),
                            y=y.astype(np.float32),
                            mode="lines",
                            name=shown,
                            legendgroup=shown,
                            showlegend=shown not in {trace.name for trace in figure.data},  # pyright: ignore[reportAttributeAccessIssue]
                            line={"color": colour, "width": 2.2, "dash": "solid" if outside else "dot"},
                            hovertemplate=f"%{{x:.4g}}: %{{y:.4g}}<extra>{shown}</extra>",
                        ),
                        row=row,
                        col=column,
                    )
    style(figure, 600, "exclusion")
    figure.update_layout(margin_t=92, legend_y=1.1)
    for row, curves, value, title in ((1, over_dim, dim, "dimensions"), (2, over_c, c, "c")):
        x = np.concatenate([np.asarray(x, np.float64) for x, _ in curves.values()])
        accepted = np.concatenate([curve.acceptance for _, curve in curves.values()])
        figure.update_xaxes(**_logarithmic(x.min(), x.max()), title_text=title, row=row)
        figure.update_yaxes(**_logarithmic(np.nanmin(accepted), np.nanmax(accepted)), row=row, col=1)
        for column in (1, 2, 3):
            figure.add_vline(x=value, row=row, col=column, line=_MARKER)  # pyright: ignore[reportArgumentType]
    figure.update_yaxes(rangemode="tozero", col=2)
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=ZERO)
    return figure


def _area(
    figure: go.Figure,
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    name: str,
    line: Properties,
    template: str | None = None,
    **panel: int,
) -> None:
    """Add a line with the area under it, in a panel of several if `row` and `col` are given."""
    figure.add_scatter(
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        mode="lines",
        name=name,
        line=line,
        fill="tozeroy",
        fillcolor=faint(line["color"]),
        hovertemplate=template,
        **panel,
    )


def _outline(
    figure: go.Figure, one: DensityCurve, x: NDArray[np.float64], y: NDArray[np.float64], **panel: int
) -> None:
    """Add the outline of a cloud's histogram."""
    line = {"color": one.colour, "width": 2, "shape": "hv"}
    _area(figure, x, y, show(one.name), line, f"%{{x:.4g}}<extra>{show(one.name)}</extra>", **panel)


def _logarithmic(low: float, high: float) -> Properties:
    """Return a logarithmic axis with ticks at 1, 2 and 5 in each decade; over many decades only at 1."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    digits = [1, 2, 5] if high < 1e3 * low else [1]
    ticks = np.outer(10.0 ** np.arange(first, last + 1), digits).ravel()
    return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _steps(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a histogram's outline (n,), with bins by number of values; a spike if all values are equal."""
    values = np.asarray(values, np.float64)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        return np.array([low, low, low]), np.array([0.0, 1.0, 0.0])
    n = int(np.clip(len(np.histogram_bin_edges(values, "auto")) - 1, *_BINS))
    count, edges = np.histogram(values, n, density=True)
    return np.concatenate([edges[:1], edges]), np.concatenate([[0.0], count, [0.0]])
