import numpy as np
import pytest

from core.analysis.intrinsic import block_moments, distinct_rows, participation, participation_ratio, two_nn
from core.analysis.separability import pairwise_distances
from core.errors import BadRequest


def test_block_moments_are_numpys_with_and_without_blocks():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 5)) * [1, 2, 3, 4, 5] + 1000
    block = rng.integers(0, 4, 200)
    moments = block_moments(points, block)
    for without in ((), (1,), (0, 3)):
        kept = points[~np.isin(block, without)]
        mean, covariance = moments.moments(without)
        assert mean == pytest.approx(kept.mean(axis=0))
        assert covariance == pytest.approx(np.cov(kept.T, bias=True), abs=1e-8)


def test_the_participation_ratio_of_a_ball_a_line_and_a_point():
    assert participation_ratio(np.eye(7)) == pytest.approx(7)
    assert participation_ratio(np.diag([1.0, 0, 0])) == pytest.approx(1)
    assert participation_ratio(np.diag([2.0, 1, 1])) == pytest.approx(16 / 6)
    assert np.isnan(participation_ratio(np.zeros((2, 2))))


def test_the_participation_interval_is_wider_where_documents_differ():
    rng = np.random.default_rng(1)
    block = np.repeat(np.arange(10), 100)
    alike = participation(block_moments(rng.normal(size=(1000, 6)), block))
    apart = participation(
        block_moments(rng.normal(size=(1000, 6)) * rng.gamma(1, size=(10, 1, 6)).repeat(100, 1).reshape(-1, 6), block)
    )
    assert alike.low < 6 * 1000 / 1006 < alike.high
    assert apart.high - apart.low > 3 * (alike.high - alike.low)


@pytest.mark.parametrize("dimension", [2, 5])
def test_two_nn_finds_the_dimension_of_a_cube_folded_into_more(dimension: int):
    rng = np.random.default_rng(dimension)
    flat = rng.random((2000, dimension))
    turned = flat @ np.linalg.qr(rng.normal(size=(20, 20)))[0][:dimension]
    found = two_nn(turned, pairwise_distances(turned), np.arange(2000), np.arange(2000) % 10)
    assert found.value == pytest.approx(dimension, rel=0.08)
    assert found.low < found.value < found.high


def test_duplicates_are_dropped():
    points = np.array([[0.0, 0], [1, 0], [0, 0], [2, 2], [1, 0]])
    assert distinct_rows(points).tolist() == [0, 1, 3]


def test_a_points_own_document_does_not_count_and_rounded_distances_do_not_decide():
    rng = np.random.default_rng(3)
    documents = np.arange(60) // 3
    points = 1000 + rng.random((60, 3)) * 1e-3
    logs = []
    for i in range(60):
        near = np.sort(np.linalg.norm(points[documents != documents[i]] - points[i], axis=1))
        logs.append(np.log(near[1] / near[0]))
    found = two_nn(points, pairwise_distances(points), documents, documents % 10)
    assert found.value == pytest.approx(59 / np.sum(logs))


def test_too_few_documents_are_refused():
    few = "3 distinct points of 2 documents are too few for the intrinsic dimension: each"
    with pytest.raises(BadRequest, match=few):
        two_nn(np.eye(3), pairwise_distances(np.eye(3)), np.array([0, 0, 1]), np.arange(3))
