import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.stats import ortho_group

from core.analysis.displacement import displacement, largest_turn, mean_shift, procrustes_similarity
from core.errors import BadRequest


def test_displacement_in_closed_form():
    before = np.array([[2.0, 0, 0], [1, 0, 0], [0, 3, 0], [1, 0, 0]])
    after = np.array([[4.0, 0, 0], [0, 1, 0], [0, -3, 0], [1, 1e-6, 0]])
    moved = displacement(before, after)
    assert moved.angle[:3] == pytest.approx([0, 90, 180])
    assert moved.angle[3] == pytest.approx(np.degrees(1e-6), rel=1e-6)
    assert moved.distance[:3] == pytest.approx([2, np.sqrt(2), 6])
    assert moved.norm_before[0] == 2
    assert moved.norm_after[0] == 4


def test_displacement_wants_pairs():
    with pytest.raises(BadRequest, match=r"shape \(3, 2\) and a posterior of shape \(4, 2\) are not pairs"):
        displacement(np.ones((3, 2)), np.ones((4, 2)))


def test_procrustes_similarity_is_one_minus_scipys_disparity():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(8, 5)), rng.normal(size=(8, 5))
    found = procrustes_similarity(before, after, rng)
    assert found.value == pytest.approx(1 - procrustes(before, after)[2])
    assert len(found.null) == 1000


def test_a_turned_grown_and_shifted_configuration_is_the_same_one():
    rng = np.random.default_rng(1)
    before = rng.normal(size=(12, 30))
    after = 3 * before @ ortho_group.rvs(30, random_state=2) + 5
    found = procrustes_similarity(before, after, rng)
    assert found.value == pytest.approx(1)
    assert found.p == pytest.approx(1 / 1001)
    assert np.median(found.null) > 0.5, "a few points in many dimensions always fit well"


def test_coinciding_vectors_have_no_configuration():
    found = procrustes_similarity(np.ones((3, 4)), np.eye(3, 4), np.random.default_rng(0))
    assert np.isnan(found.value)
    assert np.isnan(found.p)


def test_a_common_way_is_told_from_ways_that_cancel():
    rng = np.random.default_rng(3)
    before = rng.normal(size=(16, 10))
    together = mean_shift(before, before + np.eye(10)[0], rng)
    assert together.value == pytest.approx(1)
    assert together.p == pytest.approx(1 / 1001, abs=2e-3)
    away = np.tile([1.0, -1.0], 8)[:, None] * np.eye(10)[0]
    assert mean_shift(before, before + away, rng).value == pytest.approx(0, abs=1e-12)
    assert mean_shift(before, before + away, rng).p == 1
    assert mean_shift(before, before, rng).p == 1


def test_the_null_of_the_mean_shift_turns_each_way_around():
    ways = np.array([[3.0], [1.0]])
    null = mean_shift(np.zeros((2, 1)), ways, np.random.default_rng(0)).null
    assert set(null.round(9)) == {1.0, 2.0}


@pytest.mark.parametrize("measure", [mean_shift, procrustes_similarity])
def test_tests_want_pairs(measure):
    with pytest.raises(BadRequest, match=r"shape \(3, 2\) and a posterior of shape \(4, 2\) are not pairs"):
        measure(np.ones((3, 2)), np.ones((4, 2)), np.random.default_rng(0))


def test_how_far_a_run_can_turn_its_vectors():
    prior = np.full((3, 4), 2.0)
    assert largest_turn(prior, 0.01, 100) == pytest.approx(np.degrees(0.5))
    assert largest_turn(prior, 1.0, 100) == 180
    assert largest_turn(np.zeros((3, 4)), 1e-9, 1) == 180
