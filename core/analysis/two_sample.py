"""Whether two sets of vectors can come from one distribution: energy distance with permutations.

For some twenty vectors, a Fréchet distance or a recall would say more about the estimate than about
the vectors.
"""

import numpy as np
from scipy.spatial.distance import cdist

from core.analysis.displacement import N_PERMUTATIONS, PermutationTest
from core.analysis.intervals import permutation_p
from core.analysis.vector_shape import draw_rows
from core.array_types import Bools, Float64s, Floats, Ints
from core.errors import BadRequest

MAX_CLOUD = 300
"""Most points of a cloud in a test."""


def energy_to_cloud(
    points: Floats, cloud: Floats, rng: np.random.Generator, documents: Ints | None = None
) -> PermutationTest:
    """Test vectors (n, d) against at most 300 points of a cloud (m, d).

    Tokens of one document are not independent, so the cloud takes part with one random token per
    document (m,).

    Raises:
        BadRequest: fewer than two points or two documents.
    """
    units = len(cloud) if documents is None else len(np.unique(documents))
    chosen = cloud[np.sort(draw_rows(len(cloud), min(units, MAX_CLOUD), rng, documents))]
    labels = np.arange(len(points) + len(chosen)) < len(points)
    orders = np.array([rng.permutation(labels) for _ in range(N_PERMUTATIONS)])
    return _energy_test(points, chosen, labels, orders)


def energy_of_pairs(before: Floats, after: Floats, rng: np.random.Generator) -> PermutationTest:
    """Test prior sample against posterior, both (n, d): the null swaps prior and posterior of vectors at random."""
    n = len(before)
    labels = np.arange(2 * n) < n
    swaps = rng.random((N_PERMUTATIONS, n)) < 0.5
    return _energy_test(before, after, labels, np.concatenate([~swaps, swaps], axis=1))


def _energy_test(first: Floats, second: Floats, labels: Bools, orders: Bools) -> PermutationTest:
    if min(len(first), len(second)) < 2:
        raise BadRequest(
            f"Samples of {len(first)} and {len(second)} points cannot be tested against each other; give at least 2 of "
            "each, from different documents."
        )
    every = np.concatenate([first, second]).astype(np.float64)
    distances = cdist(every, every)
    null = _energy(distances, orders)
    value = float(_energy(distances, labels[None])[0])
    return PermutationTest(value, null, permutation_p(value, null))


def _energy(distances: Floats, labels: Bools) -> Float64s:
    """Return 2 E|X - Y| - E|X - X'| - E|Y - Y'| under each row of labels, (n_rows,): 0 for equal samples."""
    one = labels.astype(np.float64)
    other = 1 - one
    n, m = one.sum(axis=1), other.sum(axis=1)
    to_one = one @ distances
    within_one, between = (to_one * one).sum(axis=1), (to_one * other).sum(axis=1)
    within_other = ((other @ distances) * other).sum(axis=1)
    energy = 2 * between / (n * m) - within_one / n**2 - within_other / m**2
    return np.where(energy > 1e-12 * distances.max(), energy, 0.0).astype(np.float64)  # below that it is rounding
