"""The rail below a map: points that have no place on it, so that they are not taken for members of the cloud."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.layer import Layer, points_trace
from core.figures.style import GRID

_GAP = 0.09
"""Height of a row, as a share of the map's."""
_FIRST = 1.7
"""Gaps between a map and the first row: room for a line of words."""


@dataclass(frozen=True)
class Rail:
    """Where points that have no place on a map are lined up: below its lowest coordinates, one row per layer."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def under(cls, layers: Sequence[Layer], n_dimensions: int) -> "Rail":
        """Return the rail under layers."""
        placed = [layer.coordinates[layer.placed] for layer in layers]
        every = np.concatenate([*placed, np.zeros((0, n_dimensions))])
        if not len(every):
            return cls(np.zeros(n_dimensions, np.float32), np.ones(n_dimensions, np.float32))
        return cls(every.min(axis=0), every.max(axis=0))

    @property
    def span(self) -> NDArray[np.float32]:
        """Return the extent of the map, (n_dimensions,)."""
        return np.where(self.high > self.low, self.high - self.low, 1)

    @property
    def edge(self) -> float:
        """Return the height of the line between map and rail."""
        return float(self.low[-1] - self.span[-1] * _GAP / 2)

    def line_up(self, layer: Layer, row: int, share: float = 0.5) -> Layer:
        """Return a layer with its points that have no place on the map in a row; the others become NaN.

        Layers with different shares, from 0 to 1, stand side by side in a row.
        """
        n, outside = len(layer.coordinates), ~layer.placed
        rail = np.full_like(layer.coordinates, np.nan)
        rail[outside] = self.low
        rail[outside, 0] = (self.low[0] + self.span[0] * (np.arange(n) + share) / n)[outside]
        rail[outside, -1] = self.low[-1] - self.span[-1] * _GAP * (row + _FIRST)
        return replace(layer, coordinates=rail, name=f"{layer.name}, outside the support")

    def mark(self, figure: go.Figure, **where: Any) -> None:
        """Draw and name the line between a flat map and its rail."""
        figure.add_hline(y=self.edge, line={"color": GRID, "width": 1.5, "dash": "dot"}, **where)
        figure.add_annotation(
            x=float(self.low[0]),
            y=self.edge,
            text="below: outside the support, no position on this map",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            font={"size": 11},
            opacity=0.75,
            **where,
        )


def add_rail(figure: go.Figure, reference: Sequence[Layer], outside: Sequence[Layer], n_dimensions: int) -> None:
    """Line up the points of layers that have no place on a map below it, one row per layer."""
    rail = Rail.under(reference, n_dimensions)
    for row, layer in enumerate(outside):
        figure.add_trace(points_trace(rail.line_up(layer, row), n_dimensions))
    if n_dimensions == 2:
        rail.mark(figure)
