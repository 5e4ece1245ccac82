"""Lines of equal density, each around a share of a layer's points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from core.figures.layer import Layer
from core.figures.palette import mark
from core.figures.text import show

SHARES = (0.25, 0.5, 0.75)
"""Shares of the points inside the lines, evenly spaced because Plotly needs it."""
_CELLS = 96
_MARGIN = 3.0
"""Standard deviations of the kernel around the outermost points."""
_FEWEST = 10


@dataclass(frozen=True)
class DensityGrid:
    """A density on a grid: centres (cells,); (cells, cells) values that sum to 1, and points; rows along y."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    counts: NDArray[np.float64]

    @property
    def share(self) -> NDArray[np.float32]:
        """Return, for each cell, the share of the points that lie in cells at least as dense: 1 far away.

        Points are counted, rather than the density summed, which lies wider than its points do.
        """
        order = np.argsort(-self.values, axis=None, kind="stable")
        share = np.empty(self.values.size)
        share[order] = np.cumsum(self.counts.ravel()[order]) / self.counts.sum()
        return share.reshape(self.values.shape).astype(np.float32)


def density(points: NDArray[np.floating], cells: int = _CELLS) -> DensityGrid:
    """Return a Gaussian kernel density estimate, binned first, so that its time does not grow with the points.

    The bandwidth of each axis is Scott's, n**(-1/6) standard deviations.

    Args:
        points: (n, 2), not all alike along an axis.
        cells: along each axis.
    """
    points = np.asarray(points, np.float64)
    bandwidth = points.std(axis=0, ddof=1) * len(points) ** (-1 / 6)
    low, high = points.min(axis=0) - _MARGIN * bandwidth, points.max(axis=0) + _MARGIN * bandwidth
    counts, *edges = np.histogram2d(points[:, 0], points[:, 1], bins=cells, range=np.stack([low, high], axis=1))
    smooth = gaussian_filter(counts.T, (bandwidth * cells / (high - low))[::-1], mode="constant")
    x, y = ((edge[1:] + edge[:-1]) / 2 for edge in edges)
    return DensityGrid(x, y, smooth / smooth.sum(), counts.T)


def contours(layers: Sequence[Layer]) -> list[go.Contour]:
    """Return lines around the `SHARES` of each layer's points, in its hue; none for layers too small or flat."""
    traces = []
    for layer in layers:
        points = layer.coordinates[layer.placed]
        if len(points) < _FEWEST or not np.ptp(points, axis=0).all():
            continue
        found = density(points)
        traces.append(
            go.Contour(
                x=found.x.astype(np.float32),
                y=found.y.astype(np.float32),
                z=found.share,
                contours={
                    "start": SHARES[0],
                    "end": SHARES[-1],
                    "size": SHARES[1] - SHARES[0],
                    "coloring": "none",
                    "showlabels": True,
                    "labelformat": ".0%",
                },
                line={"color": (layer.mark or mark(layer.role, layer.index)).colour, "width": 1.8, "smoothing": 0.8},
                name=f"density of {show(layer.name)}",
                hoverinfo="skip",
                showscale=False,
                showlegend=False,
            )
        )
    return traces
