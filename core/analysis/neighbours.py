"""The nearest neighbours of a point in clouds, in the full space and not on a map."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.analysis.distances import distances_from
from core.array_types import Bools, Float32s, Floats, Int64s
from core.errors import BadRequest

Metric = Literal["cosine", "euclidean"]
ROWS_AT_ONCE = 16_384
"""Rows that are compared at a time: 40 MB in float32 at width 576, whatever the size of a cloud."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows, nearest first; ties in the order of their clouds and rows.

    Attributes:
        clouds: (k,) index of each row's cloud.
        rows: (k,) index in that cloud.
        distances: (k,) to the point.
    """

    clouds: Int64s
    rows: Int64s
    distances: Float32s


def nearest(
    point: Floats, clouds: Sequence[Floats], allowed: Sequence[Bools], k: int, metric: Metric = "cosine"
) -> Neighbours:
    """Return the k nearest rows of several clouds.

    Args:
        point: (d,).
        clouds: each (n, d).
        allowed: each (n,), which rows take part.
        k: number of neighbours; fewer if fewer rows are allowed.
        metric: 1 minus the cosine, or the Euclidean distance.

    Raises:
        BadRequest: a point that is not finite, or 0 with the cosine.
    """
    if not np.isfinite(point).all():
        raise BadRequest("The point whose neighbours are wanted is not finite; choose another token.")
    if metric == "cosine" and not np.any(point):
        raise BadRequest(
            "The point whose neighbours are wanted is 0, which has no direction; choose the Euclidean distance."
        )
    distances = [
        np.where(counts, _distances(point, cloud, metric), np.inf)
        for cloud, counts in zip(clouds, allowed, strict=True)
    ]
    sizes = [len(cloud) for cloud in clouds]
    every = np.concatenate(distances)
    order = np.argsort(every, kind="stable")[:k]
    order = order[np.isfinite(every[order])]
    ends = np.cumsum(sizes)
    owners = np.searchsorted(ends, order, side="right")
    begins = np.asarray(ends - sizes, np.int64)
    return Neighbours(owners, order - begins[owners], every[order].astype(np.float32))


def _distances(point: Floats, cloud: Floats, metric: Metric) -> Float32s:
    parts = [
        distances_from(point, cloud[begin : begin + ROWS_AT_ONCE], metric)
        for begin in range(0, len(cloud), ROWS_AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])
