"""Nearest neighbours, held against scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from core.analysis import neighbours
from core.analysis.neighbours import nearest
from core.errors import BadRequest

RNG = np.random.default_rng(0)
CLOUDS = [RNG.normal(3, 1, (n, 24)).astype(np.float32) for n in (40, 25)]
EVERY = [np.ones(len(cloud), bool) for cloud in CLOUDS]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_are_scikit_learns(metric, monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS_AT_ONCE", 7)
    found = nearest(CLOUDS[0][3], CLOUDS, EVERY, 10, metric)
    together = np.concatenate(CLOUDS)
    distances, rows = NearestNeighbors(n_neighbors=10, metric=metric).fit(together).kneighbors(CLOUDS[0][3:4])
    assert (found.rows + 40 * found.clouds).tolist() == rows[0].tolist()
    np.testing.assert_allclose(found.distances, distances[0], atol=2e-3 if metric == "euclidean" else 1e-5)


def test_rows_that_do_not_count_are_no_neighbours():
    allowed = [np.arange(40) % 2 == 1, np.zeros(25, bool)]
    found = nearest(CLOUDS[0][3], CLOUDS, allowed, 100)
    assert len(found.rows) == 20
    assert set(found.clouds) == {0}
    assert (found.rows % 2 == 1).all()
    assert found.rows[0] == 3
    assert (np.diff(found.distances) >= 0).all()


def test_equally_near_rows_stand_in_their_order():
    same = np.ones((5, 3), np.float32)
    assert nearest(same[0], [same, same], [np.ones(5, bool)] * 2, 7, "euclidean").rows.tolist() == [0, 1, 2, 3, 4, 0, 1]


def test_a_point_without_direction_or_value_says_so():
    with pytest.raises(BadRequest, match="is 0, which has no direction; choose the Euclidean distance"):
        nearest(np.zeros(24), CLOUDS, EVERY, 3)
    assert len(nearest(np.zeros(24), CLOUDS, EVERY, 3, "euclidean").rows) == 3
    with pytest.raises(BadRequest, match="is not finite; choose another token"):
        nearest(np.full(24, np.nan), CLOUDS, EVERY, 3)
