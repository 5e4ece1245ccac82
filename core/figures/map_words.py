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
        points: (n, 2), all finite.

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
        figure: of a map in two dimensions, changed in place.
        points: (n, 2) that it shows, all finite.
        inside: further points, (n, 2) each, that the frame holds as well.
    """
    frame = frame_of(points)
    if frame is None:
        return
    every = np.concatenate([np.stack(frame), *inside])
    low, high = np.nanmin(every, axis=0), np.nanmax(every, axis=0)
    n_outside = int(((points < low) | (points > high)).any(axis=1).sum())
    figure.update_xaxes(range=[float(low[0]), float(high[0])])
    figure.update_yaxes(range=[float(low[1]), float(high[1])])
    words = f"{n_outside:,} of {len(points):,} points lie outside: scroll to zoom out"
    place = {"xref": "paper", "yref": "paper", "x": 1, "y": 0, "xanchor": "right", "yanchor": "bottom"}
    figure.add_annotation(text=words, **place, **_LABEL)
