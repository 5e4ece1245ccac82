"""Trajectories of prompts in training on a frozen map, in one panel or in one panel per run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.figures.cloud_map import FARTHER, Axes, scene
from core.figures.layer import LABELLED, Layer, arrows_trace, points_trace
from core.figures.palette import Mark, mark
from core.figures.panel_grid import PanelGrid
from core.figures.player import PLAYER_HEIGHT, add_player
from core.figures.rail import Rail
from core.figures.style import Properties, legend_once, style
from core.figures.text import show

PANELS_PER_ROW = 3
FRAME_MILLISECONDS = 150
_TITLE_HEIGHT = 34
Draw = Callable[[int], Any]
"""Returns a trace as it is in a frame."""


@dataclass(frozen=True)
class PromptTrajectory:
    """One run on a map.

    Attributes:
        prior: the prior sample; no points if it is not known.
        posterior: how the moving prompt is drawn; its coordinates and hover are not used.
        coordinates: (n_frames, n_prompt, 2 or 3) the prompt in each frame.
        hover: a list of texts per frame, made by `core.figures.hover`.
        weights: (n_frames, n_prompt) from 0 to 1; the size of each point, instead of one size for all.
        labels: a list of texts per frame, as of `Layer`.
    """

    prior: Layer
    posterior: Layer
    coordinates: NDArray[np.float32]
    hover: Sequence[Sequence[str]]
    weights: NDArray[np.floating] | None = None
    labels: Sequence[Sequence[str]] | None = None

    def at(self, frame: int) -> Layer:
        """Return the prompt in a frame."""
        weights = None if self.weights is None else self.weights[frame]
        labels = None if self.labels is None else self.labels[frame]
        moved = replace(self.posterior, coordinates=self.coordinates[frame], hover=self.hover[frame])
        return replace(moved, weights=weights, labels=labels)


@dataclass(frozen=True)
class Panel:
    """What is drawn on one map: still layers, the first at the bottom, and trajectories of runs."""

    title: str
    layers: Sequence[Layer]
    trajectories: Sequence[PromptTrajectory]


def comparison_figure(
    panels: Sequence[Panel],
    axes: Axes,
    frame: int,
    labels: Sequence[str] = (),
    arrows: bool = True,
    means: bool = True,
    height: int = 620,
    revision: str = "comparison",
) -> go.Figure:
    """Draw runs on a map.

    Args:
        panels: at least one; all have the same axes and zoom together.
        axes: their number is the number of dimensions.
        frame: shown first.
        labels: a word per frame; if given, buttons and a slider play the trajectories.
        arrows: from each vector of the prior sample to its place in the frame.
        means: a large thin cross at the mean of each prior sample and posterior.
        height: pixels of a row of panels.
        revision: see `style`.
    """
    n_dimensions = len(axes.titles)
    rows = -(-len(panels) // PANELS_PER_ROW)
    grid = PanelGrid(len(panels), -(-len(panels) // rows))
    figure: Any = _subplots(panels, grid, n_dimensions)
    moving: list[tuple[int, Draw]] = []
    for number, panel in enumerate(panels):
        row, column = grid.cell(number)
        traces = [points_trace(layer, n_dimensions) for layer in panel.layers]
        rail = Rail.under([*panel.layers, *(run.prior for run in panel.trajectories)], n_dimensions)
        for order, run in enumerate(panel.trajectories):
            share = (order + 0.5) / len(panel.trajectories)
            for draw, moves in _parts(run, n_dimensions, rail, share, arrows, means):
                if moves:
                    moving.append((len(figure.data) + len(traces), draw))
                traces.append(draw(frame))
        if n_dimensions == 2 and not all(
            run.prior.placed.all() and np.isfinite(run.coordinates).all() for run in panel.trajectories
        ):
            rail.mark(figure, row=row, col=column)
        figure.add_traces(traces, rows=row, cols=column)
    legend_once(figure)
    tall = rows * height + (PLAYER_HEIGHT if labels else 0)
    style(figure, tall, revision)
    if len(panels) > 1:  # room for the titles between legend and panels
        figure.update_layout(margin={"t": 48 + _TITLE_HEIGHT}, legend={"y": 1 + _TITLE_HEIGHT / (tall - 150)})
    _lay_out(figure, axes, len(panels))
    if labels:
        add_player(figure, [_frame(k, moving) for k in range(len(labels))], labels, frame, FRAME_MILLISECONDS)
    return figure


def _subplots(panels: Sequence[Panel], grid: PanelGrid, n_dimensions: int) -> go.Figure:
    kind = "scene" if n_dimensions == 3 else "xy"
    titles = [show(panel.title) for panel in panels] if len(panels) > 1 else None
    rows, columns = grid.n_rows, grid.n_columns
    cells = [{"type": kind} if number < len(panels) else None for number in range(rows * columns)]
    return make_subplots(
        rows,
        columns,
        specs=[cells[row * columns : (row + 1) * columns] for row in range(rows)],
        subplot_titles=titles,
        horizontal_spacing=0.03,
        vertical_spacing=0.08 if rows > 1 else 0,
    )


def _parts(
    run: PromptTrajectory, n_dimensions: int, rail: Rail, share: float, arrows: bool, means: bool
) -> list[tuple[Draw, bool]]:
    """Return the functions that draw a run's traces in a frame, each with whether the trace moves.

    Vectors that have no place on the map are on the rail: a row for the prior, one for the posterior.
    """
    begun = len(run.prior.coordinates) > 0
    parts: list[tuple[Draw, bool, bool]] = [
        (lambda _: points_trace(run.prior, n_dimensions), False, begun),
        (lambda k: arrows_trace(run.prior, run.at(k), n_dimensions, True), True, arrows and begun),
        (lambda k: points_trace(run.at(k), n_dimensions), True, True),
        (lambda _: _mean(run.prior, "prior", n_dimensions), False, means and begun),
        (lambda k: _mean(run.at(k), "posterior", n_dimensions), True, means),
        (lambda _: _on_rail(run.prior, 0, share, rail, n_dimensions), False, not run.prior.placed.all()),
        (lambda k: _on_rail(run.at(k), 1, share, rail, n_dimensions), True, not np.isfinite(run.coordinates).all()),
    ]
    return [(draw, moves) for draw, moves, wanted in parts if wanted]


def _on_rail(layer: Layer, row: int, share: float, rail: Rail, n_dimensions: int) -> Any:
    """Return the points without a place as a trace that the legend hides and shows with the layer."""
    trace = points_trace(rail.line_up(layer, row, share), n_dimensions)
    return trace.update(legendgroup=show(layer.name))


def _mean(layer: Layer, what: str, n_dimensions: int) -> Any:
    look: Mark = layer.mark or mark(layer.role, layer.index)
    x, y, *z = (np.array([value], np.float32) for value in layer.coordinates[layer.placed].mean(axis=0))
    common: Properties = {
        "mode": "markers",
        "name": f"mean of {what}",
        "hovertemplate": f"mean of {show(layer.name)}<extra></extra>",
    }
    if n_dimensions == 3:
        marker = {"symbol": "cross", "size": 9, "color": look.colour, "line": {"width": 2, "color": "white"}}
        return go.Scatter3d(x=x, y=y, z=z[0], marker=marker, **common)
    marker = {"symbol": "cross-thin", "size": 24, "color": look.colour, "line": {"width": 3, "color": look.colour}}
    return go.Scatter(x=x, y=y, marker=marker, **common)


def _lay_out(figure: go.Figure, axes: Axes, n_panels: int) -> None:
    if len(axes.titles) == 3:
        for number in range(1, n_panels + 1):
            figure.update_layout({f"scene{number if number > 1 else ''}": scene(axes, FARTHER)})
        figure.update_layout(margin={"l": 0, "r": 0, "b": 0})
        return
    shown = {"showticklabels": axes.ticks, "zeroline": axes.ticks, "showgrid": axes.ticks}
    figure.update_xaxes(title_text=axes.titles[0], matches="x", **shown)
    figure.update_yaxes(matches="y", **shown)
    figure.update_yaxes(title_text=axes.titles[1], col=1)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)


def _frame(number: int, moving: Sequence[tuple[int, Draw]]) -> go.Frame:
    """Return a frame, which holds what moves and nothing else."""
    data = [_moved(draw(number)) for _, draw in moving]
    return go.Frame(name=str(number), data=data, traces=[index for index, _ in moving])


def _moved(trace: Any) -> Any:
    """Return the part of a trace that changes from frame to frame."""
    names = "x", "y", "z", "hovertext", "text"
    kept = {name: trace[name] for name in names if name in trace and trace[name] is not None}
    if isinstance(trace.marker.size, np.ndarray | tuple) and trace.mode in ("markers", LABELLED):
        kept["marker"] = {"size": trace.marker.size}
    return type(trace)(**kept)
