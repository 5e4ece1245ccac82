"""Prompts in training on a map, and their losses beside it, played together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.figures.cloud_map import Axes
from core.figures.hover import hover
from core.figures.layer import Layer, arrows_trace, points_trace
from core.figures.palette import Mark
from core.figures.player import PLAYER_HEIGHT, add_player
from core.figures.style import legend_once, style
from core.figures.text import show
from core.figures.training import add_baseline

FRAME_MILLISECONDS = 250
_WIDTHS = (0.62, 0.38)
_HEIGHT = 520
_MARGIN = 0.04
"""Of an axis on either side, as a share of its range."""


@dataclass(frozen=True)
class Replay:
    """A run as it is played.

    Attributes:
        name: for the legend; shown as text, never as markup.
        marks: of the prior sample and of the moving prompt.
        coordinates: (n_frames, n_prompt, 2) float32 on the map; the first frame is the prior sample.
        steps: (n_frames,) done in each frame; a run that has ended stays where it is.
        losses: (n_frames,) validation loss after these steps; NaN where it was not measured.
    """

    name: str
    marks: tuple[Mark, Mark]
    coordinates: NDArray[np.float32]
    steps: NDArray[np.integer]
    losses: NDArray[np.floating]

    def layer(self, frame: int, look: Mark) -> Layer:
        """Return the prompt in a frame."""
        texts = [hover(self.name, f"vector {i}") for i in range(self.coordinates.shape[1])]
        return Layer(self.name, self.coordinates[frame], "posterior", hover=texts, mark=look, group=self.name)

    @property
    def before(self) -> Layer:
        """Return the prior sample."""
        return self.layer(0, self.marks[0])

    def at(self, frame: int) -> Layer:
        """Return the moving prompt in a frame."""
        return self.layer(frame, self.marks[1])


def replay_figure(
    ground: Sequence[Layer],
    runs: Sequence[Replay],
    axes: Axes,
    labels: Sequence[str],
    frame: int,
    baselines: Mapping[str, float],
    revision: str = "replay",
) -> go.Figure:
    """Draw runs on a map in two dimensions, their losses beside it, and a player for both.

    Args:
        ground: what stands still on the map, the first at the bottom.
        runs: with as many frames as there are labels.
        axes: of the map.
        labels: a word per frame.
        frame: shown first.
        baselines: losses drawn as level lines, by name.
        revision: see `style`.
    """
    figure: Any = make_subplots(1, 2, column_widths=_WIDTHS, horizontal_spacing=0.09)
    figure.add_traces([points_trace(layer, 2) for layer in ground], rows=1, cols=1)
    figure.add_traces([points_trace(run.before, 2) for run in runs], rows=1, cols=1)
    figure.add_traces([trace for run in runs for trace in _curve(run)], rows=1, cols=2)
    last = max((int(run.steps[-1]) for run in runs), default=1)
    for name, loss in baselines.items():
        add_baseline(figure, name, loss, (0, last))
        figure.data[-1].update(xaxis="x2", yaxis="y2")
    n_still = len(figure.data)
    for run in runs:
        figure.add_traces(_on_map(run, frame), rows=1, cols=1)
        figure.add_traces(_on_curve(run, frame), rows=1, cols=2)
    moving = list(range(n_still, len(figure.data)))
    legend_once(figure)
    style(figure, _HEIGHT + PLAYER_HEIGHT, revision)
    _lay_out(figure, ground, runs, axes, last)
    frames = [_frame(k, runs, moving) for k in range(len(labels))]
    add_player(figure, frames, labels, frame, FRAME_MILLISECONDS, from_first=True)
    return figure


def _on_map(run: Replay, frame: int) -> list[Any]:
    return [arrows_trace(run.before, run.at(frame), 2, True), points_trace(run.at(frame), 2)]


def _curve(run: Replay) -> list[go.Scatter]:
    """Return the whole curve of a run, faint."""
    line = {"color": run.marks[1].colour, "width": 1.5}
    common = {"mode": "lines", "legendgroup": run.name, "name": show(run.name), "hoverinfo": "skip"}
    return [go.Scatter(x=run.steps, y=np.asarray(run.losses, np.float32), line=line, opacity=0.35, **common)]


def _on_curve(run: Replay, frame: int) -> list[go.Scatter]:
    """Return the curve so far, with a point at its end."""
    until = slice(0, frame + 1)
    look = run.marks[1]
    size = np.zeros(frame + 1, np.float32)
    size[-1] = 11
    return [
        go.Scatter(
            x=run.steps[until],
            y=np.asarray(run.losses[until], np.float32),
            mode="lines+markers",
            name=show(run.name),
            legendgroup=run.name,
            line={"color": look.colour, "width": 2.5},
            marker={"color": look.colour, "symbol": look.symbol, "size": size, "opacity": 1},
            hovertemplate=f"step %{{x}}: %{{y:.3f}}<extra>{show(run.name)}</extra>",
        )
    ]


def _frame(number: int, runs: Sequence[Replay], moving: Sequence[int]) -> go.Frame:
    """Return a frame, which holds what moves and nothing else."""
    traces = [trace for run in runs for trace in (*_on_map(run, number), *_on_curve(run, number))]
    return go.Frame(name=str(number), data=[_moved(trace) for trace in traces], traces=list(moving))


def _moved(trace: Any) -> go.Scatter:
    """Return the part of a trace that changes from frame to frame."""
    sizes = trace.marker.size if trace.mode == "lines+markers" and trace.hovertemplate else None
    return go.Scatter(x=trace.x, y=trace.y, **({} if sizes is None else {"marker": {"size": sizes}}))


def _lay_out(figure: Any, ground: Sequence[Layer], runs: Sequence[Replay], axes: Axes, last: int) -> None:
    """Name the axes; the map's range holds every frame, so that nothing jumps."""
    every = np.concatenate(
        [*(layer.coordinates for layer in ground), *(run.coordinates.reshape(-1, 2) for run in runs)]
    )
    low, high = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    reach = np.stack([low - _MARGIN * (high - low), high + _MARGIN * (high - low)], axis=1)
    for update, title, ends in zip((figure.update_xaxes, figure.update_yaxes), axes.titles, reach, strict=True):
        update(title_text=title, range=ends.tolist(), zeroline=False, row=1, col=1)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)
    figure.update_xaxes(title_text="step", range=[0, max(last, 1)], row=1, col=2)
    figure.update_yaxes(title_text="validation loss (nats per token)", row=1, col=2)
