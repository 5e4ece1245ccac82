"""The shape of one cloud at one site, and of samples from the Gaussian with the same moments."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from core.analysis.intervals import Interval
from core.analysis.intrinsic import block_moments, distinct_rows, participation, two_nn
from core.analysis.modality import N_PRINCIPAL, directions
from core.analysis.peakedness import held_out_mahalanobis, kurtosis, radii
from core.analysis.separability import pairwise_distances
from core.analysis.units import Rows
from core.array_types import Float32s, Float64s, Floats, Indices


@dataclass(frozen=True)
class Shape:
    """The shape of one cloud.

    Attributes:
        found: each quantity with its interval.
        p: of the quantities that have one.
        mean: (d,).
        covariance: (d, d).
        components: (5, d) principal directions.
    """

    found: dict[str, Interval]
    p: dict[str, float]
    mean: Float64s
    covariance: Float64s
    components: Float64s


def measure_shape(
    points: Floats,
    block: Indices,
    near: Rows,
    near_block: Indices,
    between: Float32s,
    n_folds: int,
    rng: np.random.Generator,
) -> Shape:
    """Measure the shape of a cloud.

    Args:
        points: (n, d).
        block: (n,) block of documents of each point, 0 … g - 1.
        near: some of the points, for pairwise distances.
        near_block: (m,) their blocks.
        between: (m, m) their distances.
        n_folds: of the held-out Mahalanobis distances.
        rng: draws random directions.
    """
    moments = block_moments(points, block)
    mean, covariance = moments.moments()
    d = len(mean)
    top = eigh(covariance, subset_by_index=(max(0, d - N_PRINCIPAL), d - 1))[1].T[::-1]
    axes = directions(top, d, rng)
    projections = np.asarray(points - mean, np.float32) @ axes.T.astype(np.float32)
    principal, random = kurtosis(projections[:, : len(top)], block), kurtosis(projections[:, len(top) :], block)
    law = radii(held_out_mahalanobis(points, block, moments, n_folds), block, d)
    distinct = distinct_rows(near.points)
    return Shape(
        found={
            "participation_ratio": participation(moments),
            "two_nn_dimension": two_nn(
                near.points[distinct],
                between[np.ix_(distinct, distinct)],
                near.documents[distinct],
                near_block[distinct],
            ),
            "kurtosis_principal": principal.found,
            "kurtosis_random": random.found,
            "mahalanobis_median": law.median,
            "mahalanobis_inside": law.inside,
            "mahalanobis_distance": law.distance,
        },
        p={"kurtosis_principal": principal.p, "kurtosis_random": random.p},
        mean=mean,
        covariance=covariance,
        components=top,
    )


def gaussian_shapes(
    shape: Shape, block: Indices, n_near: int, n_folds: int, n_samples: int, rng: np.random.Generator
) -> Iterator[dict[str, Interval]]:
    """Yield the quantities of samples from the Gaussian with a cloud's moments, each as large as the cloud.

    Args:
        shape: of the cloud.
        block: (n,) block of each of its points; the points of a sample have the same blocks.
        n_near: number of points of a sample with pairwise distances.
        n_folds: as for the cloud.
        n_samples: number of samples.
        rng: draws them.
    """
    variance, vectors = eigh(shape.covariance)
    factor = (np.sqrt(np.clip(variance, 0, None))[:, None] * vectors.T).astype(np.float32)
    alone = np.arange(n_near)
    for _ in range(n_samples):
        drawn = rng.standard_normal((len(block), len(factor)), dtype=np.float32) @ factor
        sample = drawn + shape.mean.astype(np.float32)
        near = Rows(sample[alone], alone, np.zeros(n_near, np.intp), alone)
        yield measure_shape(sample, block, near, block[alone], pairwise_distances(near.points), n_folds, rng).found
