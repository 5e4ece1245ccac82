import numpy as np
import pytest
from scipy.stats import energy_distance

from core.analysis.two_sample import MAX_CLOUD, energy_of_pairs, energy_to_cloud
from core.analysis.vector_shape import draw_rows
from core.errors import BadRequest


def test_energy_is_the_square_of_scipys_in_one_dimension():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=20), rng.normal(1, 2, size=60)
    found = energy_to_cloud(first[:, None], second[:, None], rng)
    assert found.value == pytest.approx(energy_distance(first, second) ** 2)
    paired = energy_of_pairs(first[:, None], first[:, None] + 1, rng)
    assert paired.value == pytest.approx(energy_distance(first, first + 1) ** 2)


def test_two_samples_of_one_law_are_not_told_apart_and_of_two_laws_are():
    rng = np.random.default_rng(1)
    cloud, points = rng.normal(size=(400, 8)), rng.normal(size=(20, 8))
    assert energy_to_cloud(points, cloud, rng).p > 0.05
    assert energy_to_cloud(points + 1, cloud, rng).p == pytest.approx(1 / 1001)


@pytest.mark.parametrize(("documents", "n"), [(None, MAX_CLOUD), (np.repeat(np.arange(20), 20), 20)])
def test_a_cloud_takes_part_with_some_points_one_per_document(documents, n):
    points, cloud = np.random.default_rng(2).normal(size=(5, 3)), np.random.default_rng(3).normal(size=(400, 3))
    chosen = cloud[draw_rows(400, n, np.random.default_rng(4), documents)]
    assert documents is None or len({*draw_rows(400, n, np.random.default_rng(4), documents) // 20}) == n
    found = energy_to_cloud(points, cloud, np.random.default_rng(4), documents)
    assert found.value == pytest.approx(energy_to_cloud(points, chosen, np.random.default_rng(5)).value)


def test_pairs_that_did_not_move_have_no_distance():
    points = np.random.default_rng(3).normal(size=(10, 4))
    found = energy_of_pairs(points, points, np.random.default_rng(0))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.p == 1


def test_too_few_points_are_refused():
    with pytest.raises(BadRequest, match="Samples of 4 and 1 points cannot be tested against each other; give at l"):
        energy_to_cloud(np.ones((4, 2)), np.ones((9, 2)), np.random.default_rng(0), np.zeros(9, int))
