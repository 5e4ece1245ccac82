import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from core.analysis.probes import check_documents, fit_logistic, lda_hits, logistic_hits, probe
from core.analysis.units import Rows, deal, join_rows, permuted_labels, sum_by_document
from core.errors import BadRequest


def drawn(shift: float, seed: int = 0, n_documents: int = 30, per_document: int = 6, d: int = 5) -> Rows:
    """Return three data sets whose documents have a place of their own, unequally large, `shift` apart."""
    rng = np.random.default_rng(seed)
    points, documents = [], []
    for label in range(3):
        n = n_documents - 6 * label
        at = rng.normal(size=(n, 1, d)) + shift * label
        points.append((at + rng.normal(size=(n, per_document, d))).reshape(-1, d))
        documents.append(np.repeat(np.arange(n), per_document))
    return join_rows(points, documents)


def test_lda_recognises_what_scikit_learns_does_under_every_labelling():
    rows = drawn(0.7)
    rng = np.random.default_rng(1)
    part = deal(rows.labels, 4, rng)
    every = np.concatenate([rows.labels[None], permuted_labels(rows.labels, part, 3, rng)])
    found = lda_hits(rows, part, every)
    for labels, mine in zip(every, found, strict=True):
        y, expected = labels[rows.documents], np.zeros(len(rows.points))
        for fold in range(4):
            out = part[rows.documents] == fold
            theirs = LinearDiscriminantAnalysis(priors=[1 / 3] * 3).fit(rows.points[~out], y[~out])
            expected[out] = theirs.predict(rows.points[out]) == y[out]
        assert mine.tolist() == sum_by_document(expected, rows.documents).tolist()


def test_the_logistic_fit_is_scikit_learns():
    rows = drawn(0.4)
    x = np.column_stack([rows.points, np.ones(len(rows.points))]).astype(np.float32)
    other = np.random.default_rng(0).permutation(rows.row_labels)
    found = fit_logistic(x, np.stack([rows.row_labels, other]), 3)
    for k, target in enumerate((rows.row_labels, other)):
        theirs = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(rows.points, target)
        weights = np.column_stack([theirs.coef_, theirs.intercept_])
        mine = found[:, :, k]
        assert mine - mine.mean(axis=0) == pytest.approx(weights - weights.mean(axis=0), abs=5e-3)


@pytest.mark.parametrize("hits", [lda_hits, logistic_hits])
def test_data_sets_that_differ_are_told_apart_and_others_are_not(hits):
    for shift, told_apart in ((1.5, True), (0.0, False)):
        rows = drawn(shift, seed=3)
        rng = np.random.default_rng(4)
        part = deal(rows.labels, 5, rng)
        found = probe(rows, part, permuted_labels(rows.labels, part, 60, rng), hits, rng)
        assert (found.p < 0.02) == told_apart
        assert found.found.low < found.found.value < found.found.high
        assert (found.found.low > found.null_band.high) == told_apart
        assert found.null_band.value == pytest.approx(1 / 3, abs=0.06)


def test_permuting_rows_would_have_found_a_difference_where_documents_do_not():
    # Documents far apart: tokens of a document are told from others', whatever their data set.
    rng = np.random.default_rng(5)
    at = rng.normal(size=(16, 1, 40)) * 4
    points = (at + rng.normal(size=(16, 20, 40))).reshape(-1, 40)
    documents = np.repeat(np.arange(8), 20)
    rows = join_rows([points[:160], points[160:]], [documents, documents])
    part = deal(rows.labels, 4, rng)
    by_document = probe(rows, part, permuted_labels(rows.labels, part, 99, rng), lda_hits, rng)
    assert by_document.p > 0.05
    alone = Rows(rows.points, np.arange(320), rows.row_labels, rows.order)
    by_row = deal(alone.labels, 4, rng)
    assert probe(alone, by_row, permuted_labels(alone.labels, by_row, 99, rng), lda_hits, rng).p == 0.01


def test_folds_are_no_more_than_documents_and_one_document_is_refused():
    rows = join_rows([np.zeros((6, 1)), np.ones((6, 1))], [np.arange(6), np.arange(6) // 2])
    assert check_documents(rows, 5) == 3
    single = join_rows([np.zeros((2, 1)), np.ones((2, 1))], [np.arange(2), np.zeros(2, int)])
    with pytest.raises(
        BadRequest, match=r"points of 1 document only, and a probe needs .*; give at least 2 documents of"
    ):
        check_documents(single, 5)
