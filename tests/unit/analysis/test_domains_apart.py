import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from core.analysis.domains_apart import domains_apart, shared_ratio
from core.analysis.units import join_rows
from core.array_types import Floats, Ints


def clouds(rng, between, apart, n=60, d=8) -> tuple[list[Floats], list[Ints]]:
    """Return two clouds that lie apart along one axis, and a third along another."""
    found: list[Floats] = [rng.normal(size=(n, d)) for _ in range(3)]
    found[1][:, 0] += between
    found[2][:, 1] += apart
    return found, [np.arange(n)] * 3


def coefficient(first, second):
    cross = 2 * cdist(first, second).mean()
    return (cross - pdist(first).mean() - pdist(second).mean()) / cross


def test_the_ratio_is_that_of_the_energy_distances():
    points, documents = clouds(np.random.default_rng(0), 1, 3)
    found = shared_ratio(join_rows(points, documents), np.random.default_rng(0))
    one, two, third = points
    assert found.value == pytest.approx(
        coefficient(one, two) / min(coefficient(one, third), coefficient(two, third)), rel=1e-4
    )


def test_rows_of_one_document_do_not_make_the_ratio_surer():
    points, documents = clouds(np.random.default_rng(1), 1, 3)
    once = shared_ratio(join_rows(points, documents), np.random.default_rng(0))
    thrice = shared_ratio(
        join_rows([np.repeat(cloud, 3, axis=0) for cloud in points], [np.repeat(of, 3) for of in documents]),
        np.random.default_rng(0),
    )
    assert thrice.value == pytest.approx(once.value, rel=1e-4)
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=1e-3)


def test_nineteen_of_twenty_intervals_cover_the_ratio():
    truth = 0.335  # mean over six samples of 1,500 documents of each domain
    found = [
        shared_ratio(join_rows(*clouds(np.random.default_rng(i), 2, 4, d=10)), np.random.default_rng(i))
        for i in range(40)
    ]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.85


def test_a_third_domain_without_a_distance_has_no_ratio():
    same = np.random.default_rng(0).normal(size=(30, 3))
    found = shared_ratio(join_rows([same, same + 1, same], [np.arange(30)] * 3), np.random.default_rng(0))
    assert np.isnan(found.low)


def test_domains_are_told_on_unseen_documents_only():
    points, documents = clouds(np.random.default_rng(2), 0, 0)
    found = domains_apart(points, documents, np.random.default_rng(0))
    for told in found.told:
        assert told.accuracy.low < 0.5 < told.accuracy.high
        assert told.p > 0.05
    points, documents = clouds(np.random.default_rng(2), 0, 9)
    found = domains_apart(points, documents, np.random.default_rng(0))
    for told in found.told:
        assert told.accuracy.value == 1
        assert told.accuracy.low == pytest.approx(120 / (120 + 1.96**2), abs=1e-4)
        assert told.p < 0.02
