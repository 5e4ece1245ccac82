"""How far a prompt moved from prior sample to posterior, and whether its configuration stayed the same."""

from dataclasses import dataclass

import numpy as np

from core.analysis.intervals import permutation_p
from core.array_types import Float64s, Floats, Indices
from core.errors import BadRequest

N_PERMUTATIONS = 1000


@dataclass(frozen=True)
class Displacement:
    """How far each prompt vector moved; all (n_prompt,) float64.

    Attributes:
        norm_before: length in the prior sample.
        norm_after: length in the posterior.
        distance: length of the difference.
        angle: between the two, degrees. Only the angle matters where tokens see a prompt after a
            norm layer, which removes its length.
    """

    norm_before: Float64s
    norm_after: Float64s
    distance: Float64s
    angle: Float64s


@dataclass(frozen=True)
class PermutationTest:
    """A number and its null distribution.

    Attributes:
        value: observed.
        null: (n_permutations,) values under permutation.
        p: share of permutations with a value at least as large, the observation included.
    """

    value: float
    null: Float64s
    p: float


def displacement(prior: Floats, posterior: Floats) -> Displacement:
    """Measure the displacement from prior sample to posterior, vector by vector, both (n_prompt, d).

    Raises:
        BadRequest: the two have different shapes.
    """
    before, after = _pairs(prior, posterior)
    norm_before, norm_after = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    # The half-angle form keeps small angles, which arccos of a rounded cosine loses.
    unit_before = before / np.where(norm_before > 0, norm_before, 1)[:, None]
    unit_after = after / np.where(norm_after > 0, norm_after, 1)[:, None]
    difference = np.linalg.norm(unit_after - unit_before, axis=1)
    total = np.linalg.norm(unit_after + unit_before, axis=1)
    angle = np.degrees(2 * np.arctan2(difference, total))
    return Displacement(norm_before, norm_after, np.linalg.norm(after - before, axis=1), angle)


def mean_shift(prior: Floats, posterior: Floats, rng: np.random.Generator) -> PermutationTest:
    """Measure how far the mean of the vectors moved, from prior sample to posterior, both (n_prompt, d).

    The null reverses the displacement of each vector at random. If the vectors have no common
    direction, the mean displacement is then as long.

    Raises:
        BadRequest: the two have different shapes.
    """
    before, after = _pairs(prior, posterior)
    gram = (after - before) @ (after - before).T
    signs = rng.choice((-1.0, 1.0), size=(N_PERMUTATIONS, len(gram)))
    null = np.sqrt(np.clip((signs @ gram * signs).sum(axis=1), 0, None)) / len(gram)
    value = float(np.sqrt(max(gram.sum(), 0.0)) / len(gram))
    return PermutationTest(value, null, permutation_p(value, null))


def procrustes_similarity(prior: Floats, posterior: Floats, rng: np.random.Generator) -> PermutationTest:
    """Measure whether two configurations (n_prompt, d) are equal up to shift, rotation, reflection and scale.

    In many dimensions, a few points can be rotated quite well onto any others, so a high value
    alone says nothing. The null pairs the vectors at random.

    Returns:
        1 - Procrustes disparity, from 0 to 1 (equal); NaN if all points of one configuration
        coincide.

    Raises:
        BadRequest: the two have different shapes.
    """
    first, second = (_reduced(points) for points in _pairs(prior, posterior))
    if first is None or second is None:
        return PermutationTest(np.nan, np.full(N_PERMUTATIONS, np.nan), np.nan)

    def similarity(order: Indices) -> float:
        return float(np.linalg.svd(first.T @ second[order], compute_uv=False).sum() ** 2)

    null = np.array([similarity(rng.permutation(len(first))) for _ in range(N_PERMUTATIONS)])
    value = similarity(np.arange(len(first)))
    return PermutationTest(value, null, permutation_p(value, null))


def _pairs(prior: Floats, posterior: Floats) -> tuple[Float64s, Float64s]:
    if prior.shape != posterior.shape:
        raise BadRequest(
            f"A prior of shape {prior.shape} and a posterior of shape {posterior.shape} are not pairs; "
            "compare the two of one run."
        )
    return np.asarray(prior, np.float64), np.asarray(posterior, np.float64)


def _reduced(points: Float64s) -> Float64s | None:
    """Return centred points of total size 1 in as many coordinates as they span, or None if they coincide."""
    centred = points - points.mean(axis=0)
    size = np.linalg.norm(centred)
    if size <= 1e-12 * max(1.0, np.abs(points).max(initial=0)):
        return None
    left, singular, _ = np.linalg.svd(centred / size, full_matrices=False)
    return left * singular


def largest_turn(prior: Floats, learning_rate: float, steps: int) -> float:
    """Return by how many degrees AdamW can rotate a prior sample (n, d): one learning rate per coordinate and step."""
    unit = float(np.sqrt(np.square(np.asarray(prior, np.float64)).mean()))
    return float(np.degrees(min(np.pi, learning_rate * steps / unit))) if unit else 180.0
