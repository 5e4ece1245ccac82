"""Distances between clouds, block by block, so that memory does not grow with them."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from core.array_types import Float32s, Floats, Int64s, Ints

BLOCK_BYTES = 64 * 2**20


def kth_distance(points: Floats, reference: Floats, k: int) -> Float32s:
    """Return each point's Euclidean distance to its k-th nearest reference row (k from 1), (n,)."""
    return np.concatenate(
        [np.zeros(0, np.float32)]
        + [np.partition(block, k - 1, axis=1)[:, k - 1] for block in _euclidean_blocks(points, reference)]
    )


def nearest_euclidean(points: Floats, reference: Floats, leave_out: Ints | None = None) -> tuple[Int64s, Float32s]:
    """Return index and Euclidean distance, both (n,), of the reference row (m, d) nearest to each point (n, d).

    Each point may ignore a reference row `leave_out` (n,), such as itself; -1 for none.
    """
    return _nearest(_euclidean_blocks(points, reference), leave_out)


def nearest_cosine(points: Floats, reference: Floats, leave_out: Ints | None = None) -> tuple[Int64s, Float32s]:
    """Return index and cosine distance (1 - cosine, 0 to 2) of each point's nearest reference row."""
    index, distance = _nearest(_cosine_blocks(points, reference), leave_out)
    return index, np.maximum(distance, 0)  # the same direction can round to just below 0


def distances_from(point: Floats, reference: Floats, metric: Literal["cosine", "euclidean"]) -> Float32s:
    """Return the distance (n,) of a point (d,) to each reference row (n, d)."""
    blocks = _cosine_blocks if metric == "cosine" else _euclidean_blocks
    return np.maximum(next(blocks(np.asarray(point)[None], reference))[0], 0)


def _nearest(blocks: Iterator[Float32s], leave_out: Ints | None) -> tuple[Int64s, Float32s]:
    indices, distances, start = [], [], 0
    for block in blocks:
        if leave_out is not None:
            row = leave_out[start : start + len(block)]
            block[np.flatnonzero(row >= 0), row[row >= 0]] = np.inf
        index = block.argmin(axis=1)
        indices.append(index.astype(np.int64))
        distances.append(block[np.arange(len(block)), index])
        start += len(block)
    if not indices:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    return np.concatenate(indices), np.concatenate(distances)


def _euclidean_blocks(points: Floats, reference: Floats) -> Iterator[Float32s]:
    # Centred first: the expansion |x|² - 2xy + |y|² loses digits where clouds sit far from the origin.
    centre = np.asarray(reference[:4096], np.float32).mean(axis=0)
    reference = np.asarray(reference, np.float32) - centre
    squares = (reference**2).sum(axis=1)
    for start, stop in _blocks(len(points), len(reference)):
        block = np.asarray(points[start:stop], np.float32) - centre
        squared = (block**2).sum(axis=1)[:, None] - 2 * (block @ reference.T) + squares
        yield np.sqrt(np.clip(squared, 0, None)).astype(np.float32, copy=False)


def _cosine_blocks(points: Floats, reference: Floats) -> Iterator[Float32s]:
    reference = _unit(reference)
    for start, stop in _blocks(len(points), len(reference)):
        yield (1 - _unit(points[start:stop]) @ reference.T).astype(np.float32, copy=False)


def _unit(rows: Floats) -> Float32s:
    rows = np.asarray(rows, np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)


def _blocks(n_points: int, n_reference: int) -> list[tuple[int, int]]:
    size = max(1, BLOCK_BYTES // (4 * max(1, n_reference)))
    return [(start, min(start + size, n_points)) for start in range(0, n_points, size)]
