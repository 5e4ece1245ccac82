"""Whether data sets are separable at a site without a probe: neighbours, silhouette, energy distance.

Documents are the unit: compared points come from different documents, the null reassigns documents
to data sets, and intervals resample documents or leave some out.
"""

from collections.abc import Callable

import numpy as np

from core.analysis.probes import Tested, balanced, central, resampled_mean
from core.analysis.units import Rows, jackknife, sum_by_document
from core.array_types import Float32s, Float64s, Floats, Indices, Ints
from core.errors import BadRequest


def pairwise_distances(points: Floats) -> Float32s:
    """Return all Euclidean distances (n, n) of points (n, d)."""
    centred = np.asarray(points - points.mean(axis=0), np.float32)
    squares = (centred**2).sum(axis=1)
    squared = squares[:, None] + squares - 2 * (centred @ centred.T)
    found = np.sqrt(np.clip(squared, 0, None))
    np.fill_diagonal(found, 0)
    return found


def neighbour_purity(between: Float32s, rows: Rows, k: int, permuted: Indices, rng: np.random.Generator) -> Tested:
    """Return the share of the k nearest neighbours in other documents that belong to the same data set.

    Data sets count equally.

    Args:
        between: (n, n) distances of the rows.
        rows: with equally many points of each data set, so that chance is the same for all.
        k: number of neighbours.
        permuted: labels under the null; the neighbours stay the same.
        rng: draws the resamples.

    Raises:
        BadRequest: a point has fewer than k points of other documents.
    """
    others = len(between) - int(rows.sizes.max())
    if others < k:
        raise BadRequest(
            f"{k} neighbours from other documents were asked for, but a point has only {others} such points; "
            "ask for fewer or give more documents."
        )
    near = np.where(rows.documents[:, None] == rows.documents, np.inf, between)
    nearest = rows.documents[np.argpartition(near, k - 1, axis=1)[:, :k]]

    def purity(labels: Indices) -> Float64s:
        return (labels[nearest] == labels[rows.documents][:, None]).mean(axis=1)

    return _tested(purity, rows, permuted, rng)


def silhouette(between: Float32s, rows: Rows, permuted: Indices, rng: np.random.Generator) -> Tested:
    """Return the silhouette (-1 to 1) of the data sets, without distances inside a document.

    Data sets count equally.

    Source: Rousseeuw, 1987.
    Deviation: a point's own document is left out; a point whose data set has no other document
        counts 0.
    """
    apart = np.where(rows.documents[:, None] == rows.documents, 0, between)
    to_document = sum_by_document(apart.T, rows.documents).T
    own = rows.sizes[rows.documents]

    def widths(labels: Indices) -> Float64s:
        member = (labels[:, None] == np.arange(rows.n_datasets)).astype(np.float64)
        sums, counts = to_document @ member, rows.sizes @ member
        mine = member[rows.documents] > 0
        n_same = counts[labels[rows.documents]] - own
        same = sums[mine] / np.maximum(n_same, 1)
        other = np.where(mine, np.inf, sums / counts).min(axis=1)
        return np.where(n_same > 0, (other - same) / np.maximum(np.maximum(other, same), 1e-30), 0)

    return _tested(widths, rows, permuted, rng)


def energy_coefficient(to_documents: Float64s, rows: Rows, permuted: Indices, part: Indices) -> Tested:
    """Return the energy distance of two data sets divided by 2 E|X - Y|: about 0 for equal distributions.

    Expectations use only pairs of points from different documents, which are independent, so the
    estimate is unbiased and all points take part. The null reassigns documents to data sets; the
    interval leaves out parts of them.

    Source: coefficient of inhomogeneity, Székely & Rizzo, 2013.
    Deviation: within a data set, pairs inside a document do not count.

    Args:
        to_documents: sums of distances, see `between_documents`.
        rows: of two data sets.
        permuted: labels under the null.
        part: (n_documents,) part of each document, for the interval.
    """
    every = np.concatenate([rows.labels[None], permuted])
    values = energy_coefficients(to_documents, rows.sizes, every)
    left_out = []
    for number in np.unique(part):
        kept = part != number
        left_out.append(
            energy_coefficients(to_documents[np.ix_(kept, kept)], rows.sizes[kept], rows.labels[None, kept])[0]
        )
    return Tested(jackknife(float(values[0]), np.array(left_out)), values[1:])


def between_documents(between: Float32s, rows: Rows) -> Float64s:
    """Return the sum of distances between the points of each pair of documents, (n_documents, n_documents)."""
    return sum_by_document(sum_by_document(between, rows.documents).T, rows.documents)


def energy_coefficients(sums: Float64s, sizes: Ints, labels: Indices) -> Float64s:
    """Return the coefficient of `energy_coefficient` under each row of labels 0 and 1, (k,).

    `sums` of distances (n_documents, n_documents) are those of `between_documents`, `sizes`
    (n_documents,) the points of each document; labels are (k, n_documents).
    """
    pairs = np.outer(sizes, sizes).astype(np.float64)
    apart, pairs = sums - np.diag(np.diag(sums)), pairs - np.diag(np.diag(pairs))
    one = (labels == 0).astype(np.float64)
    other = 1 - one

    def mean(first: Float64s, second: Float64s) -> Float64s:
        return ((first @ apart) * second).sum(axis=1) / ((first @ pairs) * second).sum(axis=1)

    cross = mean(one, other)
    return (2 * cross - mean(one, one) - mean(other, other)) / np.maximum(2 * cross, 1e-300)


def _tested(score: Callable[[Indices], Float64s], rows: Rows, permuted: Indices, rng: np.random.Generator) -> Tested:
    """Test a score of points (n,), a function of the documents' labels."""
    sums = [sum_by_document(score(labels), rows.documents) for labels in (rows.labels, *permuted)]
    values = balanced(np.array(sums), rows.sizes, np.concatenate([rows.labels[None], permuted]))
    return Tested(central(float(values[0]), resampled_mean(sums[0], rows, rng)), values[1:])
