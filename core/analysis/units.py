"""The document is the unit of independence: its rows stay together in folds, permutations and resamples."""

from dataclasses import dataclass

import numpy as np

from core.analysis.intervals import LEVEL, Interval, t_quantile
from core.array_types import Bools, Float64s, Floats, Indices, Ints

N_RESAMPLES = 1000


@dataclass(frozen=True)
class Rows:
    """Points of several data sets with their documents, ordered by document.

    Attributes:
        points: (n, d).
        documents: (n,) number of the document, 0 … n_documents - 1, ascending.
        labels: (n_documents,) number of the data set of each document.
        order: (n,) index of each row in the original order.
    """

    points: Floats
    documents: Indices
    labels: Indices
    order: Indices

    @property
    def row_labels(self) -> Indices:
        """Return the data set of each point, (n,)."""
        return self.labels[self.documents]

    @property
    def sizes(self) -> Indices:
        """Return the number of points of each document, (n_documents,)."""
        return np.bincount(self.documents, minlength=len(self.labels))

    @property
    def n_datasets(self) -> int:
        """Return how many data sets there are."""
        return int(self.labels.max()) + 1

    def with_points(self, points: Floats) -> "Rows":
        """Return the same rows with other points, given in this order."""
        return Rows(points, self.documents, self.labels, self.order)

    def subset(self, chosen: Bools) -> "Rows":
        """Return some rows; the remaining documents and data sets are renumbered."""
        kept, documents = np.unique(self.documents[chosen], return_inverse=True)
        _, labels = np.unique(self.labels[kept], return_inverse=True)
        return Rows(self.points[chosen], documents, labels, self.order[chosen])


def join_rows(points: list[Floats], documents: list[Ints]) -> Rows:
    """Return the rows of several data sets together, each with its own documents."""
    labels = np.repeat(np.arange(len(points)), [len(part) for part in points])
    keys = np.stack([labels, np.concatenate([np.asarray(part) for part in documents])], axis=1)
    found, numbers = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    return Rows(np.concatenate(points)[order], numbers[order], found[:, 0].astype(np.intp), order)


def sum_by_document(values: Floats, documents: Indices) -> Float64s:
    """Return sums over the rows of each document, (n_documents, …), of values (n, …) ordered by document."""
    starts = np.flatnonzero(np.diff(documents, prepend=-1))
    return np.add.reduceat(np.asarray(values, np.float64), starts, axis=0)


def deal(labels: Ints, n_parts: int, rng: np.random.Generator) -> Indices:
    """Return a part (0 … n_parts - 1) for each document, so that each data set is spread evenly over the parts."""
    part = np.empty(len(labels), np.intp)
    for label in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == label))
        part[mine] = np.arange(len(mine)) % n_parts
    return part


def permuted_labels(labels: Indices, part: Indices, n_permutations: int, rng: np.random.Generator) -> Indices:
    """Return labels (n_permutations, n_documents) permuted within each part.

    A permuted data set is then spread over the folds in the same way as the true one.
    """
    drawn = np.tile(labels, (n_permutations, 1))
    for number in np.unique(part):
        here = np.flatnonzero(part == number)
        drawn[:, here] = rng.permuted(drawn[:, here], axis=1)
    return drawn


def resample_counts(labels: Indices, rng: np.random.Generator) -> Float64s:
    """Return how often each document is drawn with replacement within its data set, (N_RESAMPLES, n_documents)."""
    counts = np.zeros((N_RESAMPLES, len(labels)))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        counts[:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), size=N_RESAMPLES)
    return counts


def jackknife(value: float, left_out: Floats, level: float = LEVEL) -> Interval:
    """Return the interval of a statistic from its values (g,) with each of g groups of documents left out.

    Source: delete-a-group jackknife, with Student's t of g - 1 degrees of freedom (Shao & Tu,
        1995).
    """
    reach = t_quantile(len(left_out) - 1, level) * jackknife_error(left_out)
    return Interval(value, value - reach, value + reach)


def jackknife_error(left_out: Floats) -> float:
    """Return the standard error of a statistic from its values (g,) with each of g groups left out."""
    g = len(left_out)
    return float(np.sqrt((g - 1) / g * ((left_out - left_out.mean()) ** 2).sum()))
