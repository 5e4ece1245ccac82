"""Small maps of consecutive sites turned onto each other, so that a strip of them reads as a film."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def align(maps: Sequence[NDArray[np.floating]]) -> list[NDArray[np.float32]]:
    """Return the maps (n, 2), centred, scaled to a root mean square of 1, and each turned onto the one before.

    The turn may mirror. What remains between two maps is change of shape; size and place are not to be read from them,
    and after the turn an axis is a direction in the plane of the first two components, not one component.

    Source: orthogonal Procrustes problem, Schönemann, 1966.

    Args:
        maps: the same n points in each.
    """
    aligned: list[NDArray[np.float32]] = []
    for coordinates in maps:
        centred = np.asarray(coordinates, np.float64)
        centred = centred - centred.mean(axis=0)
        size = np.sqrt((centred**2).sum(axis=1).mean())
        centred = centred / size if size > 0 else centred
        if aligned:
            left, _, right = np.linalg.svd(centred.T @ aligned[-1])
            centred = centred @ left @ right
        aligned.append(centred.astype(np.float32))
    return aligned
