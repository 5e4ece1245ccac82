"""Words on a map: labels of its regions, and a note that points lie outside its frame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.regions import Region
from core.figures.style import Properties
from core.figures.text import token

_APART = np.array([0.16, 0.06])
"""Of the map's width and height that two labels are apart, at least."""
_END = 0.005
"""Share of the points that may lie outside the frame at each end of an axis."""
_MANY = 200
"""Points that a map has before any of them may lie outside its frame."""
_FACTOR = 1.6
"""All points take so many times the frame's width or height before the frame leaves some out."""
_ROOM = 0.15
_LABEL: Properties = {
    "showarrow": False,
    "font": {"size": 12, "color": "#1B1F27"},
    "bgcolor": "rgba(255,255,255,0.84)",
    "bordercolor": "rgba(128,134,145,0.6)",
    "borderpad": 2,
}
"""Dark on light, in both themes."""


def label_regions(figure: Any, found: Sequence[Region]) -> None:
    """Write characteristic tokens over regions, the largest first; one that would cover another is left out.

    Args:
        figure: of a map in two dimensions, changed in place.
        found: of the map.
    """
    if not found:
        return
    centres = np.array([region.centre for region in found])
    span = np.maximum(np.ptp(centres, axis=0), 1e-9)
    placed: list[NDArray[np.float64]] = []
    for region, centre in zip(found, centres, strict=True):
        if all((np.abs(centre - other) / span > _APART).any() for other in placed):
            placed.append(centre)
            words = " · ".join(token(word) for word in region.tokens)
            figure.add_annotation(x=float(centre[0]), y=float(centre[1]), text=words, **_LABEL)


def frame_of(points: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the lowest and highest coordinates of a frame that leaves a few distant points out.

    Args:
        points: (n, n_dimensions), all finite.

    Returns:
        None where everything fits well.
    """
    if len(points) < _MANY:
        return None
    low, high = np.quantile(np.asarray(points, np.float64), [_END, 1 - _END], axis=0)
    room = np.maximum(_ROOM * (high - low), 1e-9)
    low, high = low - room, high + room
    if (np.ptp(points, axis=0) < _FACTOR * (high - low)).all():
        return None
    return low, high


def leave_out_far(figure: Any, points: NDArray[np.floating], inside: Sequence[NDArray[np.floating]] = ()) -> None:
    """Set the axes to a frame that leaves a few distant points out, and say how many.

    Args:
        figure: of a map, changed in place.
        points: (n, n_dimensions) that it shows, all finite.
        inside: further points, (n, n_dimensions) each, that the frame holds as well.
    """
    frame = frame_of(points)
    if frame is None:
        return
    every = np.concatenate([np.stack(frame), *inside])
    low, high = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    n_outside = int(((points < low) | (points > high)).any(axis=1).sum())
    ranges = np.stack([low, high], axis=1).tolist()
    if len(ranges) == 3:  # where no zoom brings back what an axis leaves out
        figure.update_scenes({f"{name}axis": {"range": one} for name, one in zip("xyz", ranges, strict=True)})
        figure.for_each_scene(lambda scene: _keep_units_equal(scene, high - low))
        remedy = "the map in 2-D has them"
    else:
        figure.update_xaxes(range=ranges[0])
        figure.update_yaxes(range=ranges[1])
        remedy = "scroll to zoom out"
    words = f"{n_outside:,} of {len(points):,} points lie outside: {remedy}"
    place = {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom"}
    figure.add_annotation(text=words, **place, **_LABEL)


def _keep_units_equal(scene: Any, spans: NDArray[np.float64]) -> None:
    """Give a scene the shape of its axes; Plotly's own `data` goes by all points, also by those that are left out."""
    if scene.aspectmode == "data":
        shape = spans / np.prod(spans) ** (1 / 3)
        scene.update(aspectmode="manual", aspectratio=dict(zip("xyz", shape.tolist(), strict=True)))
