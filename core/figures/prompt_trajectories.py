"""Prior and posterior of several runs on one map, or a panel each; the way between them step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from core.figures.cloud_map import Axes, Layer, Rail, arrows_trace, points_trace, scene
from core.figures.palette import Mark, mark
from core.figures.style import style
from core.figures.text import show

PANELS_A_ROW = 3
FRAME_MILLISECONDS = 150
_PLAYER_HEIGHT = 90
_TITLE_HEIGHT = 34
_FARTHER = 1.25
"""In three dimensions prompts can lie far outside the cloud, and axis titles with them."""
Draw = Callable[[int], Any]
"""Returns a trace as it is at a frame."""
_BUTTON = {"mode": "immediate", "transition": {"duration": 0}}


@dataclass(frozen=True)
class PromptTrajectory:
    """One run on a map.

    Attributes:
        prior: its prior sample; without points if it is not known.
        posterior: the look of what moves; its coordinates and hover are not used.
        coordinates: (n_frames, n_prompt, 2 or 3) the prompt along its way.
        hover: a list of texts per frame, made by `core.figures.hover`.
        weights: (n_frames, n_prompt) shares of 1 that decide how large each point is, instead of one size.
    """

    prior: Layer
    posterior: Layer
    coordinates: NDArray[np.float32]
    hover: Sequence[Sequence[str]]
    weights: NDArray[np.floating] | None = None

    def at(self, frame: int) -> Layer:
        """Return the prompt at a frame."""
        weights = None if self.weights is None else self.weights[frame]
        return replace(self.posterior, coordinates=self.coordinates[frame], hover=self.hover[frame], weights=weights)


@dataclass(frozen=True)
class Panel:
    """What is drawn on one map.

    Attributes:
        title: above it; empty for none.
        layers: that stay as they are, the first at the bottom.
        trajectories: runs on it.
    """

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
        frame: of the ways that is shown first.
        labels: a word a frame; with them, buttons and a slider play the way.
        arrows: from each vector of the prior sample to where it is.
        means: a large thin cross at the mean of each prior and posterior.
        height: pixels of a row of panels.
        revision: see `style`.
    """
    n_dimensions = len(axes.titles)
    rows = -(-len(panels) // PANELS_A_ROW)
    columns = -(-len(panels) // rows)
    figure: Any = _grid(panels, rows, columns, n_dimensions)
    moving: list[tuple[int, Draw]] = []
    known: set[str] = set()
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        traces = [points_trace(layer, n_dimensions) for layer in panel.layers]
        rail = Rail.under([*panel.layers, *(way.prior for way in panel.trajectories)], n_dimensions)
        for place, way in enumerate(panel.trajectories):
            share = (place + 0.5) / len(panel.trajectories)
            parts = _parts(way, n_dimensions, arrows, means) + _rail_parts(way, n_dimensions, rail, share)
            for draw, moves in parts:
                if moves:
                    moving.append((len(figure.data) + len(traces), draw))
                traces.append(draw(frame))
        if n_dimensions == 2 and any(_has_outside(way) for way in panel.trajectories):
            rail.mark(figure, row=row + 1, col=column + 1)
        for trace in traces:
            group = trace.legendgroup or trace.name
            trace.update(legendgroup=group, showlegend=group not in known)
            known.add(group)
            figure.add_trace(trace, row=row + 1, col=column + 1)
    tall = rows * height + (_PLAYER_HEIGHT if labels else 0)
    style(figure, tall, revision)
    if len(panels) > 1:  # room for the titles between legend and panels
        figure.update_layout(margin={"t": 48 + _TITLE_HEIGHT}, legend={"y": 1 + _TITLE_HEIGHT / (tall - 150)})
    _lay_out(figure, axes, len(panels))
    if labels:
        _player(figure, moving, labels, frame)
    return figure


def _grid(panels: Sequence[Panel], rows: int, columns: int, n_dimensions: int) -> go.Figure:
    kind = "scene" if n_dimensions == 3 else "xy"
    titles = [show(panel.title) for panel in panels] if len(panels) > 1 else None
    cells = [{"type": kind} if number < len(panels) else None for number in range(rows * columns)]
    return make_subplots(
        rows,
        columns,
        specs=[cells[row * columns : (row + 1) * columns] for row in range(rows)],
        subplot_titles=titles,
        horizontal_spacing=0.03,
        vertical_spacing=0.08 if rows > 1 else 0,
    )


def _parts(way: PromptTrajectory, n_dimensions: int, arrows: bool, means: bool) -> list[tuple[Draw, bool]]:
    """Return what draws a run's traces at a frame, each with whether it moves."""
    begun = len(way.prior.coordinates) > 0
    found: list[tuple[Draw, bool]] = []
    if begun:
        found.append((lambda _: points_trace(way.prior, n_dimensions), False))
    if arrows and begun:
        found.append((lambda k: arrows_trace(way.prior, way.at(k), n_dimensions, True), True))
    found.append((lambda k: points_trace(way.at(k), n_dimensions), True))
    if means and begun:
        found.append((lambda _: _mean(way.prior, "prior", n_dimensions), False))
    if means:
        found.append((lambda k: _mean(way.at(k), "posterior", n_dimensions), True))
    return found


def _rail_parts(way: PromptTrajectory, n_dimensions: int, rail: Rail, share: float) -> list[tuple[Draw, bool]]:
    """Return what draws those of a run's vectors that have no place on the map: a row of priors, one of posteriors."""
    found: list[tuple[Draw, bool]] = []
    if not way.prior.placed.all():
        found.append((lambda _: _on_rail(way.prior, 0, share, rail, n_dimensions), False))
    if not np.isfinite(way.coordinates).all():
        found.append((lambda k: _on_rail(way.at(k), 1, share, rail, n_dimensions), True))
    return found


def _on_rail(layer: Layer, row: int, share: float, rail: Rail, n_dimensions: int) -> Any:
    """Return the points without a place as a trace that comes and goes with the layer's own."""
    trace = points_trace(rail.line_up(layer, row, share), n_dimensions)
    return trace.update(legendgroup=show(layer.name))


def _has_outside(way: PromptTrajectory) -> bool:
    return not (way.prior.placed.all() and np.isfinite(way.coordinates).all())


def _mean(layer: Layer, what: str, n_dimensions: int) -> Any:
    look: Mark = layer.mark or mark(layer.role, layer.index)
    x, y, *z = (np.array([value], np.float32) for value in layer.coordinates[layer.placed].mean(axis=0))
    common: dict[str, Any] = {
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
            sides = scene(axes)
            sides["camera"] = {"eye": {axis: _FARTHER * place for axis, place in sides["camera"]["eye"].items()}}
            figure.update_layout({f"scene{number if number > 1 else ''}": sides})
        figure.update_layout(margin={"l": 0, "r": 0, "b": 0})
        return
    shown = {"showticklabels": axes.ticks, "zeroline": axes.ticks, "showgrid": axes.ticks}
    figure.update_xaxes(title_text=axes.titles[0], matches="x", **shown)
    figure.update_yaxes(matches="y", **shown)
    figure.update_yaxes(title_text=axes.titles[1], col=1)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1, row=1, col=1)


def _player(figure: go.Figure, moving: Sequence[tuple[int, Draw]], labels: Sequence[str], frame: int) -> None:
    """Add buttons, a slider and the frames they show; a frame holds what moves and nothing else."""
    figure.frames = [
        go.Frame(name=str(k), data=[_moved(draw(k)) for _, draw in moving], traces=[index for index, _ in moving])
        for k in range(len(labels))
    ]
    timing = {"frame": {"duration": FRAME_MILLISECONDS, "redraw": True}, "fromcurrent": True, **_BUTTON}
    still = {"frame": {"duration": 0, "redraw": True}, **_BUTTON}
    figure.update_layout(
        margin={"b": 56 + _PLAYER_HEIGHT},
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 62, "r": 12},
                "buttons": [
                    {"label": "Play", "method": "animate", "args": [None, timing]},
                    {"label": "Pause", "method": "animate", "args": [[None], still]},
                ],
            }
        ],
        sliders=[
            {
                "active": frame,
                "x": 0.14,
                "xanchor": "left",
                "len": 0.83,
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 52},
                "currentvalue": {"prefix": "", "xanchor": "left", "font": {"size": 13}},
                "steps": [
                    {"label": label, "method": "animate", "args": [[str(k)], still]} for k, label in enumerate(labels)
                ],
            }
        ],
    )


def _moved(trace: Any) -> Any:
    """Return what of a trace changes from frame to frame."""
    kept = {name: trace[name] for name in ("x", "y", "z", "hovertext") if name in trace and trace[name] is not None}
    if isinstance(trace.marker.size, np.ndarray | tuple) and trace.mode == "markers":
        kept["marker"] = {"size": trace.marker.size}
    return type(trace)(**kept)
