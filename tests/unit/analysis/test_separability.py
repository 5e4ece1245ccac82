import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import energy_distance
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from core.analysis.separability import (
    between_documents,
    energy_coefficient,
    neighbour_purity,
    pairwise_distances,
    silhouette,
)
from core.analysis.units import Rows, deal, join_rows, permuted_labels
from core.errors import BadRequest


def single(*points: np.ndarray) -> Rows:
    """Return rows that are a document each."""
    return join_rows(list(points), [np.arange(len(part)) for part in points])


def shuffled(rows: Rows, n: int, rng: np.random.Generator) -> np.ndarray:
    return permuted_labels(rows.labels, np.zeros(len(rows.labels), np.intp), n, rng)


def test_distances_are_scipys():
    points = np.random.default_rng(0).normal(size=(40, 7)) + 100
    assert pairwise_distances(points) == pytest.approx(cdist(points, points), abs=1e-4)


def test_silhouette_is_scikit_learns_where_each_row_is_a_document():
    rng = np.random.default_rng(1)
    rows = single(rng.normal(size=(30, 4)), rng.normal(1, 1, size=(30, 4)), rng.normal(3, 1, size=(30, 4)))
    found = silhouette(pairwise_distances(rows.points), rows, shuffled(rows, 30, rng), rng)
    assert found.found.value == pytest.approx(silhouette_score(rows.points, rows.row_labels), abs=1e-5)
    assert found.p == pytest.approx(1 / 31)
    assert found.null_band.value == pytest.approx(0, abs=0.05)


def test_silhouette_leaves_a_points_own_document_out():
    # Two documents a data set, both data sets of one law: inside a document points coincide.
    rng = np.random.default_rng(2)
    at = rng.normal(size=(40, 1, 3))
    points = (at + 1e-3 * rng.normal(size=(40, 5, 3))).reshape(-1, 3)
    documents = np.repeat(np.arange(20), 5)
    rows = join_rows([points[:100], points[100:]], [documents, documents])
    found = silhouette(pairwise_distances(rows.points), rows, shuffled(rows, 40, rng), rng)
    assert found.found.value == pytest.approx(0, abs=0.1)
    assert silhouette_score(points, np.repeat(np.arange(40), 5)) > 0.9  # what coinciding points would do


def test_purity_counts_neighbours_as_scikit_learn_finds_them():
    rng = np.random.default_rng(3)
    rows = single(rng.normal(size=(50, 3)), rng.normal(1, 1, size=(50, 3)))
    found = neighbour_purity(pairwise_distances(rows.points), rows, 5, shuffled(rows, 30, rng), rng)
    near = NearestNeighbors(n_neighbors=6).fit(rows.points).kneighbors(rows.points, return_distance=False)[:, 1:]
    expected = (rows.row_labels[near] == rows.row_labels[:, None]).mean()
    assert found.found.value == pytest.approx(expected)
    assert found.p == pytest.approx(1 / 31)


def test_neighbours_come_from_other_documents_and_too_few_are_refused():
    rng = np.random.default_rng(4)
    at = rng.normal(size=(20, 1, 3)) * 5
    points = (at + 0.01 * rng.normal(size=(20, 8, 3))).reshape(-1, 3)
    documents = np.repeat(np.arange(10), 8)
    rows = join_rows([points[:80], points[80:]], [documents, documents])
    found = neighbour_purity(pairwise_distances(rows.points), rows, 4, shuffled(rows, 60, rng), rng)
    assert found.p > 0.05  # with neighbours of the own document purity would be 1
    few = join_rows([points[:8], points[80:88]], [documents[:8], documents[:8]])
    with pytest.raises(BadRequest, match="9 neighbours from other documents were asked for, but a point has only 8 su"):
        neighbour_purity(pairwise_distances(few.points), few, 9, shuffled(few, 19, rng), rng)


def test_energy_is_scipys_with_pairs_of_a_point_with_itself_left_out():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(25, 1)), rng.normal(1, 2, size=(40, 1))
    rows = single(first, second)
    sums = between_documents(pairwise_distances(rows.points), rows)
    found = energy_coefficient(sums, rows, shuffled(rows, 99, rng), deal(rows.labels, 10, rng))
    cross = cdist(first, second).mean()
    within = [cdist(part, part).mean() for part in (first, second)]
    biased = energy_distance(first[:, 0], second[:, 0]) ** 2
    assert biased == pytest.approx(2 * cross - sum(within))
    unbiased = 2 * cross - within[0] * 25 / 24 - within[1] * 40 / 39
    assert found.found.value == pytest.approx(unbiased / (2 * cross), rel=1e-4)
    assert found.p == pytest.approx(0.01)


def test_energy_of_one_law_is_about_nothing_however_alike_a_documents_tokens_are():
    rng = np.random.default_rng(6)
    at = rng.normal(size=(40, 1, 6))
    points = (at + 0.1 * rng.normal(size=(40, 10, 6))).reshape(-1, 6)
    documents = np.repeat(np.arange(20), 10)
    rows = join_rows([points[:200], points[200:]], [documents, documents])
    sums = between_documents(pairwise_distances(rows.points), rows)
    found = energy_coefficient(sums, rows, shuffled(rows, 99, rng), deal(rows.labels, 10, rng))
    assert found.p > 0.05
    assert found.found.low < 0 < found.found.high
