"""Prompts in training on a map, and their losses below it, played together."""

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
_HEIGHTS = (0.7, 0.3)
_HEIGHT = 640
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

    def layer(self, frame: int, look: Mark, name: str) -> Layer:
        """Return the prompt in a frame."""
        texts = [hover(self.name, f"vector {i}") for i in range(self.coordinates.shape[1])]
        return Layer(name, self.coordinates[frame], "posterior", hover=texts, mark=look, group=name)

    def before(self, alone: bool) -> Layer:
        """Return the prior sample; a run that is drawn `alone` has an entry in the legend for each end."""
        return self.layer(0, self.marks[0], f"{self.name}: prior sample" if alone else self.name)

    def at(self, frame: int, alone: bool) -> Layer:
        """Return the moving prompt in a frame."""
        return self.layer(frame, self.marks[1], "prompt" if alone else self.name)


def replay_figure(
    ground: Sequence[Layer],
    runs: Sequence[Replay],
    axes: Axes,
    labels: Sequence[str],
    frame: int,
    baselines: Mapping[str, float],
    revision: str = "replay",
) -> go.Figure:
    """Draw runs on a map in two dimensions, their losses below it, and a player for both.

    Args:
        ground: what stands still on the map, the first at the bottom.
        runs: with as many frames as there are labels.
        axes: of the map.
        labels: a word per frame.
        frame: shown first.
        baselines: losses drawn as level lines, by name.
        revision: see `style`.
    """
    figure: Any = make_subplots(2, 1, row_heights=_HEIGHTS, vertical_spacing=0.12)
    alone = len(runs) == 1
    still = [*ground, *(run.before(alone) for run in runs)]
    figure.add_traces([points_trace(layer, 2) for layer in still], rows=1, cols=1)
    n_still = len(figure.data)
    for run in runs:
        figure.add_traces(_on_map(run, frame, alone), rows=1, cols=1)
        figure.add_traces(_on_curve(run, frame, alone), rows=2, cols=1)
    moving = list(range(n_still, len(figure.data)))
    figure.add_traces([_whole(run, alone) for run in runs], rows=2, cols=1)
    last = max((int(run.steps[-1]) for run in runs), default=1)
    for name, loss in baselines.items():
        add_baseline(figure, name, loss, (0, last))
        figure.data[-1].update(xaxis="x2", yaxis="y2")
    legend_once(figure)
    style(figure, _HEIGHT + PLAYER_HEIGHT, revision)
    _lay_out(figure, ground, runs, axes, last)
    frames = [_frame(k, runs, moving, alone) for k in range(len(labels))]
    add_player(figure, frames, labels, frame, FRAME_MILLISECONDS, from_first=True)
    return figure


def _on_map(run: Replay, frame: int, alone: bool) -> list[Any]:
    now = run.at(frame, alone)
    return [arrows_trace(run.before(alone), now, 2, True), points_trace(now, 2)]


def _whole(run: Replay, alone: bool) -> go.Scatter:
    """Return the whole curve of a run, faint."""
    line = {"color": run.marks[1].colour, "width": 1.5}
    return _losses(run, slice(None), alone, mode="lines", line=line, opacity=0.5, hoverinfo="skip")


def _on_curve(run: Replay, frame: int, alone: bool) -> list[go.Scatter]:
    """Return the curve so far, and a point at its end."""
    look = run.marks[1]
    now = slice(frame, frame + 1)
    line, marker = {"color": look.colour, "width": 2.5}, {"color": look.colour, "symbol": look.symbol, "size": 11}
    words = f"step %{{x}}: %{{y:.3f}}<extra>{show(run.name)}</extra>"
    return [
        _losses(run, slice(0, frame + 1), alone, mode="lines", line=line, hovertemplate=words),
        _losses(run, now, alone, mode="markers", marker=marker, cliponaxis=False, hovertemplate=words),
    ]


def _losses(run: Replay, frames: slice, alone: bool, **look: Any) -> go.Scatter:
    name, y = "prompt" if alone else run.name, np.asarray(run.losses[frames], np.float32)
    return go.Scatter(x=run.steps[frames], y=y, name=show(name), legendgroup=name, **look)


def _frame(number: int, runs: Sequence[Replay], moving: Sequence[int], alone: bool) -> go.Frame:
    """Return a frame, which holds what moves and nothing else."""
    traces = [trace for run in runs for trace in (*_on_map(run, number, alone), *_on_curve(run, number, alone))]
    moved = [go.Scatter(x=trace.x, y=trace.y) for trace in traces]
    return go.Frame(name=str(number), data=moved, traces=list(moving))


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
    figure.update_xaxes(title_text="step", range=[0, max(last, 1)], row=2, col=1)
    figure.update_yaxes(title_text="validation loss", row=2, col=1)
