import numpy as np
import pytest
from scipy.spatial.distance import pdist

from core.analysis.vector_shape import QUANTITIES, draw_rows, shape, shape_of_subsets


def test_shape_in_closed_form():
    found = shape(np.concatenate([np.eye(4), -np.eye(4)]))
    assert found.effective_rank == pytest.approx(4)
    assert found.trace == pytest.approx(8 / 7)
    assert found.distance_min == pytest.approx(np.sqrt(2))
    assert found.distance_max == pytest.approx(2)
    line = shape(np.outer(np.arange(5.0), np.ones(7)))
    assert line.effective_rank == pytest.approx(1, abs=1e-6)


def test_shape_against_numpy_and_scipy():
    points = np.random.default_rng(0).normal(size=(20, 9)) * np.linspace(0.1, 3, 9) + 50
    found = shape(points)
    variance = np.linalg.eigvalsh(np.cov(points.T))
    shares = variance / variance.sum()
    assert found.effective_rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert found.trace == pytest.approx(variance.sum())
    assert found.distance_median == pytest.approx(np.median(pdist(points)))
    assert found.distance_min == pytest.approx(pdist(points).min())


def test_one_vector_has_no_shape_and_coinciding_ones_no_rank():
    assert np.isnan(list(vars(shape(np.ones((1, 3)))).values())).all()
    same = shape(np.ones((3, 3)))
    assert np.isnan(same.effective_rank)
    assert same.trace == same.distance_max == 0


def test_subsets_have_the_clouds_own_values():
    cloud = np.random.default_rng(1).normal(size=(500, 6))
    found = shape_of_subsets(cloud, 20, np.random.default_rng(2))
    assert set(found) == set(QUANTITIES)
    assert found["trace"].mean() == pytest.approx(6, abs=0.3)


def test_a_subset_takes_no_two_points_from_one_document_where_it_can():
    documents = np.repeat(np.arange(10), 30)
    rng = np.random.default_rng(3)
    assert all(len(set(documents[draw_rows(300, 8, rng, documents)])) == 8 for _ in range(20))
    assert len(set(draw_rows(300, 50, rng, documents).tolist())) == 50
    assert sorted(draw_rows(4, 9, rng).tolist()) == [0, 1, 2, 3]
    drawn = np.concatenate([draw_rows(300, 8, rng, documents) for _ in range(300)])
    assert len(set(drawn.tolist())) > 280, "any point of a document can be the one"
