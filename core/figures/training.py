"""Training and validation loss of a run, with the two baselines."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.palette import POSTERIOR, PRIOR, REFERENCE
from core.figures.style import SMALL_HEIGHT, style

_DARK = "#7C8696"
_BASELINES = {"no prompt": (_DARK, "dash"), "prior sample": (PRIOR.colour, "dot")}
_SMOOTHED_FROM = 8
"""Up to this many losses are not smoothed."""


def loss_figure(
    steps: NDArray[np.integer],
    losses: NDArray[np.floating],
    evaluation_steps: NDArray[np.integer],
    evaluation_losses: NDArray[np.floating],
    baselines: Mapping[str, float],
    n_steps: int,
    revision: str = "loss",
) -> go.Figure:
    """Draw the losses of a run, running or finished.

    Args:
        steps: (n,) of the training losses, from 0 or 1.
        losses: (n,) training loss of each step.
        evaluation_steps: (m,) steps after which the validation loss was measured.
        evaluation_losses: (m,) validation loss.
        baselines: validation loss by name, 'no prompt' and 'prior sample', drawn as level lines.
        n_steps: length of the run, and of the axis.
        revision: see `style`.
    """
    figure = go.Figure()
    raw = {"color": REFERENCE.colour, "width": 1}
    figure.add_scatter(x=steps, y=np.asarray(losses, np.float32), mode="lines", name="training", line=raw, opacity=0.55)
    if len(losses) > _SMOOTHED_FROM:
        mean = {"color": _DARK, "width": 2}
        figure.add_scatter(x=steps, y=smooth(losses), mode="lines", name="training, smoothed", line=mean)
    figure.add_scatter(
        x=evaluation_steps,
        y=np.asarray(evaluation_losses, np.float32),
        mode="lines+markers",
        name="validation",
        line={"color": POSTERIOR.colour, "width": 2.5},
        marker={"symbol": POSTERIOR.symbol, "size": 8},
    )
    for name, value in baselines.items():
        add_baseline(figure, name, value, (0, n_steps))
    style(figure, SMALL_HEIGHT + 60, revision)
    figure.update_xaxes(title_text="step", range=[0, max(n_steps, 1)])
    figure.update_yaxes(title_text="loss (nats per token)")
    return figure


def add_baseline(figure: go.Figure, name: str, loss: float, ends: tuple[float, float], note: str = "") -> None:
    """Draw a baseline's loss as a level line, with its value and a note in the legend."""
    colour, dash = _BASELINES.get(name, (REFERENCE.colour, "dashdot"))
    figure.add_scatter(
        x=np.array(ends, np.float32),
        y=np.array([loss, loss], np.float32),
        mode="lines",
        name=f"{name} ({loss:.3f}{note})",
        line={"color": colour, "width": 1.5, "dash": dash},
    )


def smooth(losses: NDArray[np.floating], weight: float = 0.9) -> NDArray[np.float32]:
    """Return the exponentially weighted mean of the losses so far, corrected for the bias of the first steps."""
    smoothed, total, norm = [], 0.0, 0.0
    for loss in np.asarray(losses, np.float64):
        total = weight * total + loss
        norm = weight * norm + 1
        smoothed.append(total / norm)
    return np.array(smoothed, np.float32)
