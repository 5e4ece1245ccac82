"""Small maps of consecutive sites turned onto each other, so that a strip of them reads as a film."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def align(maps: Sequence[NDArray[np.floating]]) -> list[NDArray[np.float32]]:
    """Return the maps (n, 2), each about the middle of its inner half, with a median distance of 1, turned alike.

    By the inner half, so that a few sinks far out do not shrink all other points to one. Each map is turned, perhaps
    mirrored, onto the one before. What remains between two maps is change of shape; size and place are not to be read
    from them, and after the turn an axis is a direction in the plane of the first two components, not one component.

    Source: orthogonal Procrustes problem, Schönemann, 1966.

    Args:
        maps: the same n points in each.
    """
    aligned: list[NDArray[np.float32]] = []
    for coordinates in maps:
        centred = np.asarray(coordinates, np.float64)
        centred = centred - _middle(centred)
        size = np.median(np.linalg.norm(centred, axis=1))
        centred = centred / size if size > 0 else centred
        if aligned:
            left, _, right = np.linalg.svd(centred.T @ aligned[-1])
            centred = centred @ left @ right
        aligned.append(centred.astype(np.float32))
    return aligned


def _middle(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the half of the points nearest to it, roughly; it turns as the points turn."""
    middle = points.mean(axis=0)
    for _ in range(5):
        away = np.linalg.norm(points - middle, axis=1)
        middle = points[away <= np.median(away)].mean(axis=0)
    return middle
