"""Small maps of consecutive sites, each rotated onto the one before, so that a strip of them reads as a film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes

from core.array_types import Float32s, Float64s, Floats


@dataclass(frozen=True)
class SmallMap:
    """One site's map: (n, 2) the same points at every site, and their plane's share of the site's variance."""

    site: int | str
    coordinates: Float32s
    shown: float


def align(maps: Sequence[Floats]) -> list[Float32s]:
    """Return maps (n, 2), centred and scaled to a median distance of 1, each rotated onto the one before.

    The centre is that of the inner half, so that a few distant sinks do not shrink all other points
    to one. Rotations include reflections. What differs between two maps is shape; size and position
    mean nothing, and an axis is a direction in the plane of the first two components, not one
    component.

    Source: orthogonal Procrustes problem, Schönemann, 1966.
    """
    aligned: list[Float32s] = []
    for coordinates in maps:
        centred = np.asarray(coordinates, np.float64)
        centred = centred - _middle(centred)
        size = np.median(np.linalg.norm(centred, axis=1))
        centred = centred / size if size > 0 else centred
        if aligned:
            rotation, _ = orthogonal_procrustes(centred, aligned[-1])
            centred = centred @ rotation
        aligned.append(centred.astype(np.float32))
    return aligned


def _middle(points: Float64s) -> Float64s:
    """Return approximately the mean of the half of the points nearest to it; it rotates with the points."""
    middle = points.mean(axis=0)
    for _ in range(5):
        away = np.linalg.norm(points - middle, axis=1)
        middle = points[away <= np.median(away)].mean(axis=0)
    return middle
