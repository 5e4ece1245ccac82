import numpy as np
import pytest
from scipy.stats import t

from core.analysis.units import deal, jackknife, join_rows, permuted_labels, resample_counts, sum_by_document


def test_rows_are_ordered_by_document_and_documents_of_two_data_sets_stay_apart():
    rows = join_rows(
        [np.arange(4.0)[:, None], np.arange(10.0, 13.0)[:, None]], [np.array([7, 3, 7, 3]), np.array([3, 3, 9])]
    )
    assert rows.labels.tolist() == [0, 0, 1, 1]
    assert rows.points[:, 0].tolist() == [1, 3, 0, 2, 10, 11, 12]
    assert rows.documents.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert rows.sizes.tolist() == [2, 2, 2, 1]
    assert rows.order.tolist() == [1, 3, 0, 2, 4, 5, 6]
    assert sum_by_document(rows.points[:, 0], rows.documents).tolist() == [4, 2, 21, 12]


def test_a_subset_numbers_documents_and_data_sets_anew():
    rows = join_rows([np.zeros((2, 1)), np.ones((3, 1))], [np.array([0, 1]), np.array([0, 1, 1])])
    some = rows.subset(rows.row_labels == 1)
    assert some.labels.tolist() == [0, 0]
    assert some.documents.tolist() == [0, 1, 1]
    assert some.n_datasets == 1


def test_parts_and_permutations_keep_each_data_sets_share_of_each_part():
    labels = np.repeat([0, 1], [12, 30])
    rng = np.random.default_rng(0)
    part = deal(labels, 5, rng)
    drawn = permuted_labels(labels, part, 50, rng)
    for number in range(5):
        here = part == number
        assert (drawn[:, here].sum(axis=1) == labels[here].sum()).all()
    assert len(np.unique(drawn, axis=0)) > 40
    assert np.bincount(part[labels == 0]).tolist() == [3, 3, 2, 2, 2]


def test_resamples_keep_the_number_of_documents_of_each_data_set():
    counts = resample_counts(np.array([0, 0, 0, 1, 1]), np.random.default_rng(0))
    assert (counts[:, :3].sum(axis=1) == 3).all()
    assert (counts[:, 3:].sum(axis=1) == 2).all()


def test_the_jackknife_of_a_mean_is_students_interval():
    values = np.random.default_rng(0).normal(size=12)
    left_out = np.array([np.delete(values, i).mean() for i in range(12)])
    found = jackknife(float(values.mean()), left_out)
    low, high = t.interval(0.95, 11, values.mean(), values.std(ddof=1) / np.sqrt(12))
    assert (found.low, found.high) == pytest.approx((low, high))
