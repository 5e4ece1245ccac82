"""Trajectories of texts over a cloud, token by token."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.cloud_map import FARTHER, Axes, lay_out
from core.figures.hover import TEXT_AND_NAME
from core.figures.layer import Layer, points_trace
from core.figures.palette import ANSWER, ANSWER_AFTER_PROMPT, QUESTION, SENTENCE_MARKS, Mark
from core.figures.player import PLAYER_HEIGHT, add_player
from core.figures.rail import Rail, add_rail
from core.figures.style import BESIDE_POINTS, Properties, style
from core.figures.text import show

FRAME_MILLISECONDS = 350
_LINE = 1.8
_DASHES = ("solid", "dash", "dot")
_HEAD = 9
_ENDS = 1.7
"""Factor on the size of the first and last point of a trajectory."""
_CONE = 0.02
"""Length of an arrowhead in three dimensions, as a share of the map's extent."""


@dataclass(frozen=True)
class TextTrajectory:
    """A text's own tokens on a map, or those of its answer.

    Attributes:
        name: for the legend; shown as text, never as markup.
        kind: 'sentence', 'question' or 'answer'.
        number: of the text.
        coordinates: (n, 2 or 3) float32 of its tokens; NaN for one without a place on the map.
        hover: (n,) texts made by `core.figures.hover`.
        words: (n,) tokens to write beside the points, escaped; empty for none.
        prompted: whether the model read it after a tuned prompt.
        begins: frame in which its first token appears.
        after: (2 or 3,) the point it goes on from, such as a question's last one.
    """

    name: str
    kind: Literal["sentence", "question", "answer"]
    number: int
    coordinates: NDArray[np.float32]
    hover: Sequence[str]
    words: Sequence[str] = ()
    prompted: bool = False
    begins: int = 0
    after: NDArray[np.float32] | None = None

    @property
    def mark(self) -> Mark:
        """Return colour and symbol."""
        if self.kind == "sentence":
            return sentence_mark(self.number)
        return QUESTION if self.kind == "question" else ANSWER_AFTER_PROMPT if self.prompted else ANSWER

    @property
    def dash(self) -> str:
        """Return the dash of the line, which also tells texts apart without colour."""
        return _DASHES[self.number % len(_DASHES)] if self.kind == "sentence" else "dash" if self.prompted else "solid"

    @property
    def ends(self) -> int:
        """Return the frame in which its last token appears."""
        return self.begins + len(self.coordinates) - 1

    def until(self, frame: int) -> int:
        """Return how many tokens are there in a frame."""
        return int(np.clip(frame - self.begins + 1, 0, len(self.coordinates)))


def connected(texts: Sequence[TextTrajectory]) -> list[TextTrajectory]:
    """Return the trajectories, that of an answer continuing that of the question before it."""
    found = list(texts)
    for i, (before, text) in enumerate(pairwise(texts), 1):
        if before.kind == "question" and text.kind == "answer":
            found[i] = replace(text, begins=len(before.coordinates), after=before.coordinates[-1])
    return found


def trajectories_figure(
    layers: Sequence[Layer],
    paths: Sequence[TextTrajectory],
    axes: Axes,
    labels: Sequence[str] = (),
    height: int = 640,
    revision: str = "paths",
) -> go.Figure:
    """Draw trajectories with arrows, an open circle at the start and a large symbol at the end.

    Args:
        layers: the cloud, and whatever else stands still; the first at the bottom.
        paths: in any order; tokens without a place on the map break a trajectory and go to the rail below.
        axes: their number is the number of dimensions.
        labels: a word per frame, from the first token to the last; with them, buttons and a slider play.
        height: pixels, the player not counted.
        revision: see `style`.
    """
    n_dimensions = len(axes.titles)
    figure: Any = go.Figure([points_trace(layer, n_dimensions) for layer in layers])
    span = Rail.under(layers, n_dimensions).span
    last = max((path.ends for path in paths), default=0)
    moving: list[tuple[int, TextTrajectory]] = []
    for path in paths:
        moving.append((len(figure.data), path))
        for trace in _traces(path, last, n_dimensions, span):
            figure.add_trace(trace)
    outside = [_layer(path) for path in paths if not np.isfinite(path.coordinates).all()]
    if outside:
        add_rail(figure, [*layers, *map(_layer, paths)], outside, n_dimensions)
    style(figure, height + (PLAYER_HEIGHT if labels else 0), revision)
    lay_out(figure, axes, FARTHER)
    if labels:
        frames = [_frame(k, moving, n_dimensions, span) for k in range(len(labels))]
        add_player(figure, frames, labels, len(labels) - 1, FRAME_MILLISECONDS, from_first=True)
    return figure


def _frame(
    number: int, moving: Sequence[tuple[int, TextTrajectory]], n_dimensions: int, span: NDArray[np.floating]
) -> go.Frame:
    parts = [(first, _traces(path, number, n_dimensions, span)) for first, path in moving]
    return go.Frame(
        name=str(number),
        data=[trace for _, traces in parts for trace in traces],
        traces=[first + i for first, traces in parts for i in range(len(traces))],
    )


def sentence_mark(index: int) -> Mark:
    """Return how a sentence's path is drawn."""
    return SENTENCE_MARKS[index % len(SENTENCE_MARKS)]


def _traces(path: TextTrajectory, frame: int, n_dimensions: int, span: NDArray[np.floating]) -> list[Any]:
    """Return a path's line with arrowheads and its points, as they are in a frame."""
    n = path.until(frame)
    points = path.coordinates[:n]
    line = points if path.after is None or not n else np.concatenate([path.after[None], points])
    shared: Properties = {"name": show(path.name), "legendgroup": path.name}
    still = {**shared, "showlegend": False, "hoverinfo": "skip"}
    dots = {
        **shared,
        "mode": "markers+text" if len(path.words) else "markers",
        "hovertext": list(path.hover[:n]),
        "hovertemplate": TEXT_AND_NAME,
        "text": list(path.words[:n]) if len(path.words) else None,
        "textfont": BESIDE_POINTS,
    }
    size, symbol = _looks(path, n, n_dimensions)
    marker = {"color": path.mark.colour, "opacity": path.mark.opacity, "size": size, "symbol": symbol}
    stroke = {"color": path.mark.colour, "width": _LINE, "dash": path.dash}
    if n_dimensions == 3:
        x, y, z = line.T
        lines = go.Scatter3d(x=x, y=y, z=z, mode="lines", line={**stroke, "width": 2 * _LINE}, **still)
        x, y, z = points.T
        above = {**dots, "textposition": "top center"}
        return [lines, _cones(line, path.mark.colour, span, still), go.Scatter3d(x=x, y=y, z=z, marker=marker, **above)]
    heads = {"symbol": "arrow", "angleref": "previous", "color": path.mark.colour, "size": _HEAD, "standoff": 4}
    lines = go.Scatter(
        x=line[:, 0],
        y=line[:, 1],
        mode="lines+markers",
        line=stroke,
        opacity=0.75,
        marker={**heads, "size": np.where(np.arange(len(line)) > 0, _HEAD, 0)},
        **still,
    )
    marker["line"] = {"width": np.where(np.char.find(np.array(symbol, str), "open") >= 0, 2.5, 1), "color": "white"}
    marker["line"]["color"] = [path.mark.colour if "open" in name else "white" for name in symbol]
    above = {**dots, "textposition": "top center"}
    return [lines, go.Scatter(x=points[:, 0], y=points[:, 1], marker=marker, **above)]


def _looks(path: TextTrajectory, n: int, n_dimensions: int) -> tuple[list[float], list[str]]:
    """Return size and symbol of the first n points: an open circle begins a path, and its end is large."""
    own = path.mark.symbol_3d if n_dimensions == 3 else path.mark.symbol
    base = path.mark.size * (0.6 if n_dimensions == 3 else 0.8)
    sizes, symbols = [base] * n, [own] * n
    if n == len(path.coordinates):
        sizes[-1:] = [base * _ENDS]
    if n and path.after is None:
        sizes[0], symbols[0] = base * _ENDS, "circle-open"
    return sizes, symbols


def _cones(line: NDArray[np.float32], colour: str, span: NDArray[np.floating], still: Properties) -> Any:
    """Return arrowheads in three dimensions."""
    steps = np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    usable = np.isfinite(lengths) & (lengths > 0)
    tips, ways = line[1:][usable], steps[usable] / lengths[usable, None]
    return go.Cone(
        x=tips[:, 0],
        y=tips[:, 1],
        z=tips[:, 2],
        u=ways[:, 0],
        v=ways[:, 1],
        w=ways[:, 2],
        anchor="tip",
        sizemode="raw",
        sizeref=float(_CONE * np.max(span)),
        showscale=False,
        colorscale=[[0, colour], [1, colour]],
        **still,
    )


def _layer(path: TextTrajectory) -> Layer:
    return Layer(path.name, path.coordinates, "dataset", hover=path.hover, mark=path.mark)
