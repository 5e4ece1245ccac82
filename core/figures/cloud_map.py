"""Clouds on a map, in two or three dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.analysis.frozen_maps import Map
from core.figures.layer import Layer, arrows_trace, points_trace
from core.figures.rail import add_rail
from core.figures.style import HEIGHT, style

_GRID = "#9AA1AC"
"""Of a scene, whose lines are not seen on a light page if they are half transparent."""
_EYE = {"x": 1.7, "y": 1.5, "z": 0.9}
"""Position of the camera in three dimensions, far enough that no axis title is cut."""
_CENTRE = {"x": 0.0, "y": 0.0, "z": -0.2}
"""Where it looks: below the middle, since the titles of the axes are below the cloud."""
FARTHER = 1.25
"""Factor on that position where prompts can lie far outside the cloud, and axis titles with them."""


@dataclass(frozen=True)
class Axes:
    """What the axes mean.

    Attributes:
        titles: one per dimension.
        ticks: whether numbers along an axis mean anything.
        equal: whether one unit has the same length along all axes.
    """

    titles: tuple[str, ...]
    ticks: bool = True
    equal: bool = True


def map_axes(fitted: Map) -> Axes:
    """Return the axes of a fitted map."""
    if fitted.method == "pca":
        return pca_axes(fitted.pca.explained, fitted.n_components)
    return tsne_axes(fitted.n_components)


def pca_axes(explained: NDArray[np.floating], n_components: int, equal: bool = True) -> Axes:
    """Return axes such as 'PC1 (12.3 % of variance)'."""
    return Axes(tuple(f"PC{k + 1} ({100 * explained[k]:.1f} % of variance)" for k in range(n_components)), True, equal)


def tsne_axes(n_components: int) -> Axes:
    """Return axes without ticks: on a t-SNE map only neighbourhoods mean anything."""
    return Axes(tuple(f"t-SNE {k + 1}" for k in range(n_components)), False, True)


def map_figure(
    layers: Sequence[Layer],
    axes: Axes,
    arrows: Sequence[tuple[Layer, Layer]] = (),
    height: int = HEIGHT,
    revision: str = "map",
) -> go.Figure:
    """Draw layers on a map, the first at the bottom.

    Args:
        layers: at least one with a point.
        axes: their number is the number of dimensions.
        arrows: pairs of equally long layers; an arrow goes from each point of the first to its partner, where both
            have a place.
        height: pixels.
        revision: see `style`.
    """
    drawn = [layer.subset(layer.placed) for layer in layers]
    traces = [points_trace(layer, len(axes.titles)) for layer in drawn if len(layer.coordinates)]
    traces += [arrows_trace(before, after, len(axes.titles), i == 0) for i, (before, after) in enumerate(arrows)]
    outside = [layer.subset(~layer.placed) for layer in layers]
    outside = [layer for layer in outside if len(layer.coordinates)]
    figure = go.Figure(traces)
    if outside:
        add_rail(figure, drawn, outside, len(axes.titles))
    style(figure, height, revision)
    lay_out(figure, axes)
    return figure


def split_by_token(layer: Layer, tokens: Sequence[str], n_tokens: int = 6) -> list[Layer]:
    """Split a layer by its most frequent tokens, each with a data set's hue; the rest stays grey.

    Args:
        layer: n points.
        tokens: (n,) text of each.
        n_tokens: that get a hue of their own, at most six.
    """
    names, inverse, counts = np.unique(
        np.asarray(tokens, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    top = np.argsort(-counts, kind="stable")[:n_tokens]
    rest = layer.subset(~np.isin(inverse, top))
    layers = [replace(rest, name="other tokens", role="reference", mark=None, values=None)]
    for index, which in enumerate(top):
        chosen = layer.subset(inverse == which)
        layers.append(
            replace(chosen, name=repr(str(names[which])), role="dataset", index=index, mark=None, values=None)
        )
    return layers


def lay_out(figure: go.Figure, axes: Axes, distance: float = 1.0) -> None:
    """Name the axes of a figure with one map and set their ticks and scale.

    Args:
        figure: changed in place.
        axes: their number is the number of dimensions.
        distance: of the camera in three dimensions, as a factor on the usual one.
    """
    if len(axes.titles) == 3:
        figure.update_layout(scene=scene(axes, distance), margin={"l": 0, "r": 0, "b": 0})
        return
    for update, title in zip((figure.update_xaxes, figure.update_yaxes), axes.titles, strict=True):
        update(title_text=title, showticklabels=axes.ticks, zeroline=axes.ticks, showgrid=axes.ticks)
    if axes.equal:
        figure.update_yaxes(scaleanchor="x", scaleratio=1)


def scene(axes: Axes, distance: float = 1.0) -> dict[str, object]:
    """Return the layout of a map in three dimensions, the camera at a factor of its usual distance."""
    sides = {
        name: {
            "title": {"text": title},
            "showticklabels": axes.ticks,
            "showbackground": False,
            "showgrid": True,
            "gridcolor": _GRID,
            "zeroline": False,
        }
        for name, title in zip(("xaxis", "yaxis", "zaxis"), axes.titles, strict=True)
    }
    eye = {axis: distance * position for axis, position in _EYE.items()}
    return {**sides, "aspectmode": "data" if axes.equal else "cube", "camera": {"eye": eye, "center": _CENTRE}}
