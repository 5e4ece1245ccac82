from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from core.analysis.modality import N_RANDOM, N_REDRAWN, dip, directions, holm, modality, uniform_dips


def dip_by_definition(values: np.ndarray) -> float:
    """Return the smallest t for which a unimodal distribution function lies within t of the sample's.

    A linear program for each place of the mode among the points: convex before it, concave behind it, free to jump at
    it. The function is known by its values at the points, twice at the mode.
    """
    x, counts = np.unique(values, return_counts=True)
    after = np.cumsum(counts) / len(values)
    before = after - counts / len(values)
    return min(_best(x, before, after, mode) for mode in range(len(x)))


def _best(x: np.ndarray, before: np.ndarray, after: np.ndarray, mode: int) -> float:
    n = len(x)
    left = list(range(mode + 1))  # values up to the mode; the last is the limit from the left there
    right = list(range(mode + 1, n + 1))  # from the mode on
    place = [*range(mode + 1), *range(mode, n)]
    rows, bounds = [], []

    def at_most(terms: dict[int, float], bound: float) -> None:
        row = np.zeros(n + 2)
        for index, factor in terms.items():
            row[index] = factor
        rows.append(row)
        bounds.append(bound)

    t = n + 1
    for variable, i in enumerate(place):
        low, high = (after[i], before[i]) if i != mode else ((before[i],) * 2 if variable <= mode else (after[i],) * 2)
        at_most({variable: -1, t: -1}, -low)
        at_most({variable: 1, t: -1}, high)
    for a, b in pairwise(range(n + 1)):
        at_most({a: 1, b: -1}, 0)
    for side, sign in ((left, 1), (right, -1)):
        for a, b, c in zip(side, side[1:], side[2:], strict=False):
            one, two = x[place[b]] - x[place[a]], x[place[c]] - x[place[b]]
            at_most({a: -sign / one, b: sign * (1 / one + 1 / two), c: -sign / two}, 0)
    found = linprog([*[0] * (n + 1), 1], A_ub=np.array(rows), b_ub=bounds, bounds=[(0, 1)] * (n + 1) + [(0, None)])
    return float(found.fun)


@pytest.mark.parametrize("seed", range(12))
def test_the_dip_is_what_its_definition_says(seed: int):
    rng = np.random.default_rng(seed)
    laws = (
        rng.random,
        rng.standard_normal,
        lambda n: np.r_[rng.normal(size=n // 2), rng.normal(5, 1, size=n - n // 2)],
    )
    values = laws[seed % 3](8 + seed)
    assert dip(values) == pytest.approx(dip_by_definition(values), abs=1e-7)


def test_the_dip_of_even_points_is_the_least_and_of_two_clumps_nearly_the_largest():
    assert dip(np.arange(50.0)) == pytest.approx(1 / 100)
    assert dip(np.repeat([0.0, 1.0], 50) + np.linspace(0, 1e-6, 100)) == pytest.approx(0.25, abs=0.01)
    assert dip(np.ones(4)) == 1 / 8
    assert dip(np.array([])) == 0


def test_the_dip_knows_no_scale_and_no_side():
    values = np.random.default_rng(0).gamma(2, size=60)
    assert dip(3 * values - 7) == pytest.approx(dip(values))
    assert dip(-values) == pytest.approx(dip(values))


def test_holm_steps_down():
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]


def test_two_modes_are_found_and_one_is_not():
    rng = np.random.default_rng(1)
    documents = np.repeat(np.arange(120), 4)
    one = rng.normal(size=(480, 6))
    two = one.copy()
    two[:, 2] += np.where(documents % 2, 5, 0)
    uniform = uniform_dips(120, rng, 400)
    found, not_found = (modality(points, documents, uniform, rng) for points in (two, one))
    assert found.p_holm[2] < 0.05
    assert (np.delete(found.p_holm, 2) > 0.05).all()
    assert (not_found.p_holm > 0.05).all()
    assert found.largest.value > np.quantile(found.null, 0.95)
    assert found.n == 120


def test_many_tokens_of_few_documents_are_no_second_mode():
    # Each document is a clump: taken for independent points, its tokens would make as many modes.
    rng = np.random.default_rng(2)
    documents = np.repeat(np.arange(30), 40)
    clumps = (rng.normal(size=30)[documents] + 1e-3 * rng.normal(size=1200))[:, None]
    found = modality(clumps, documents, uniform_dips(30, rng, 200), rng)
    assert found.p_holm[0] > 0.05
    assert dip(clumps[:, 0]) > np.quantile(uniform_dips(1200, rng, 50), 0.99)
    assert N_REDRAWN == 10


def test_directions_are_the_components_and_random_unit_vectors():
    found = directions(np.eye(3)[:2], 3, np.random.default_rng(0))
    assert found.shape == (2 + N_RANDOM, 3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert found[:2].tolist() == [[1, 0, 0], [0, 1, 0]]
