"""Quality against displacement, one point per value of the varied setting."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.palette import POSTERIOR
from core.figures.style import SMALL_HEIGHT, style
from core.figures.text import show
from core.figures.training import add_baseline

_PATH = "rgba(120,126,137,0.75)"
_PAD = 0.2
"""Space around the points, as a share of their span."""
_REACH = 1.5
"""A baseline is drawn if it is at most this many spans away from the points."""
_LEAST_SPAN = 0.02
"""Smallest span of an axis, as a share of its values, so that tiny differences stay tiny."""


def tradeoff_figure(
    values: Sequence[str],
    angles: NDArray[np.floating],
    losses: NDArray[np.floating],
    field: str,
    baselines: Mapping[str, float],
    revision: str = "tradeoff",
) -> go.Figure:
    """Draw the validation loss over the angle between prior sample and posterior.

    Args:
        values: (n,) of the varied setting, in words, in the order in which the points are connected.
        angles: (n,) median angle between prior and posterior vectors, degrees.
        losses: (n,) validation loss.
        field: name of the setting, for the legend.
        baselines: validation loss by name, 'no prompt' and 'prior sample', drawn as level lines.
        revision: see `style`.
    """
    figure = go.Figure()
    name = show(field)
    labels = [show(value) for value in values]
    figure.add_scatter(
        x=np.asarray(angles, np.float32),
        y=np.asarray(losses, np.float32),
        mode="lines+markers+text",
        name=name,
        text=labels,
        textposition=_positions(np.asarray(angles), np.asarray(losses)),
        cliponaxis=False,
        hovertemplate=f"{name} %{{text}}<br>angle %{{x:.1f}}°<br>loss %{{y:.4f}}<extra></extra>",
        line={"color": _PATH, "width": 1.4},
        marker={"color": POSTERIOR.colour, "symbol": POSTERIOR.symbol, "size": 10},
    )
    (left, right), (low, high) = _range(angles), _range(losses)
    for word, value in baselines.items():
        seen = low - _REACH * (high - low) <= value <= high + _REACH * (high - low)
        if seen:
            low, high = min(low, value - _PAD * (high - low)), max(high, value + _PAD * (high - low))
        add_baseline(figure, word, value, (left, right), "" if seen else ", outside the plot")
    style(figure, SMALL_HEIGHT + 80, revision)
    figure.update_xaxes(title_text="median angle from prior sample to posterior (degrees)", range=[left, right])
    figure.update_yaxes(title_text="validation loss (nats per token)", range=[low, high])
    return figure


def _range(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the range of an axis: around the points, with space for their labels."""
    if not len(values):
        return 0.0, 1.0
    span = max(float(np.ptp(values)), _LEAST_SPAN * float(np.abs(values).max()), 1e-6)
    return float(np.min(values)) - _PAD * span, float(np.max(values)) + _PAD * span


def _positions(angles: NDArray[np.floating], losses: NDArray[np.floating]) -> list[str]:
    """Return the positions of labels, so that points that nearly coincide do not share one."""
    spans = [max(float(np.ptp(part)), 1e-12) if len(part) else 1.0 for part in (angles, losses)]
    found: list[str] = []
    for i in range(len(angles)):
        near = [
            j
            for j in range(i)
            if abs(angles[i] - angles[j]) < 0.06 * spans[0] and abs(losses[i] - losses[j]) < 0.06 * spans[1]
        ]
        places = ("top center", "bottom center", "middle right", "middle left")
        taken = {found[j] for j in near}
        found.append(next((place for place in places if place not in taken), places[0]))
    return found
