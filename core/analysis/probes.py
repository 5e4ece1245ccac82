"""Probes: linear classifiers trained on some documents and tested on others, with a null over documents."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core.analysis.intervals import Interval, permutation_p, spread
from core.analysis.units import Rows, resample_counts, sum_by_document
from core.array_types import Float32s, Float64s, Indices, Ints
from core.errors import BadRequest

Tick = Callable[[], None]
_LOGISTIC_STEPS = 1000
_LOGISTIC_GRADIENT = 1e-4
"""Gradient of the mean loss at which a fit stops, as by default in scikit-learn."""


@dataclass(frozen=True)
class Tested:
    """A number with its interval over documents and its null over permutations of data sets.

    Attributes:
        found: value, low, high.
        null: (n_permutations,).
    """

    found: Interval
    null: Float64s

    @property
    def p(self) -> float:
        """Return the share of permutations with a value at least as large, the observation included."""
        return permutation_p(self.found.value, self.null)

    @property
    def null_band(self) -> Interval:
        """Return median and central 95 % of the null."""
        return spread(self.null)


def check_documents(rows: Rows, n_folds: int) -> int:
    """Return the number of folds: at most the number of documents of the smallest data set.

    Raises:
        BadRequest: a data set with a single document.
    """
    fewest = int(np.bincount(rows.labels).min())
    if fewest < 2:
        raise BadRequest(
            f"A data set has points of {fewest} document only, and a probe needs some to learn from and others to be "
            "tested on; give at least 2 documents of each."
        )
    return min(n_folds, fewest)


def probe(
    rows: Rows,
    part: Indices,
    permuted: Indices,
    hits: Callable[[Rows, Indices, Indices], Float64s],
    rng: np.random.Generator,
) -> Tested:
    """Return a classifier's balanced accuracy on held-out documents.

    Args:
        rows: its inputs.
        part: (n_documents,) fold of each document.
        permuted: (n_permutations, n_documents) labels under the null.
        hits: `lda_hits` or `logistic_hits`.
        rng: draws the resamples.

    Returns:
        The mean over data sets of the share of their points that is recognised. The interval
        resamples documents but does not refit the classifiers, so it covers the choice of test
        documents, not of training documents.
    """
    every = np.concatenate([rows.labels[None], permuted])
    correct = hits(rows, part, every)
    accuracy = balanced(correct, rows.sizes, every)
    resampled = resampled_mean(correct[0], rows, rng)
    return Tested(central(float(accuracy[0]), resampled), accuracy[1:])


def balanced(sums: Float64s, sizes: Ints, labels: Indices) -> Float64s:
    """Return the mean over data sets of the sum over their documents divided by their number of points, (k,).

    Sums and labels are (k, n_documents); sizes (n_documents,) count the points of each document.
    """
    means = []
    for label in range(int(labels.max()) + 1):
        mine = labels == label
        means.append((sums * mine).sum(axis=1) / (mine @ sizes))
    return np.mean(means, axis=0)


def lda_hits(rows: Rows, part: Indices, labels: Indices) -> Float64s:
    """Return how many points of each held-out document linear discriminant analysis recognises, (k, n_documents).

    The total scatter of a training part does not depend on labels. The pooled within-class
    covariance is that scatter minus a matrix of rank n_datasets, so all permutations share one
    Cholesky factor and each solves a small system.

    Args:
        rows: coordinates (n, q), of full rank in each training part.
        part: (n_documents,) fold of each document.
        labels: (k, n_documents), each row one labelling of the documents.
    """
    x = np.asarray(rows.points, np.float64)
    sums, sizes, n_classes = sum_by_document(x, rows.documents), rows.sizes, int(labels.max()) + 1
    found = np.zeros(labels.shape)
    for fold in np.unique(part):
        train, test = part != fold, part == fold
        inside = train[rows.documents]
        n, mean = int(inside.sum()), x[inside].mean(axis=0)
        centred = x[inside] - mean
        factor = cho_factor(centred.T @ centred / n)
        member = labels[:, train, None] == np.arange(n_classes)
        counts = np.einsum("kdc,d->kc", member, sizes[train])
        offsets = np.einsum("kdc,dq->kcq", member.astype(float), sums[train] - sizes[train, None] * mean)
        offsets /= counts[:, :, None]
        weights = _discriminants(offsets, counts / n, factor)
        bias = -0.5 * (weights * offsets).sum(axis=2)
        outside = test[rows.documents]
        documents = np.unique(rows.documents[outside], return_inverse=True)[1]
        away = (x[outside] - mean).astype(np.float32)
        flat = weights.reshape(-1, x.shape[1]).astype(np.float32)
        scores = (away @ flat.T).reshape(len(away), len(labels), n_classes) + bias.astype(np.float32)
        correct = scores.argmax(axis=2) == labels[:, test].T[documents]
        found[:, test] = sum_by_document(correct, documents).T
    return found


def _discriminants(offsets: Float64s, shares: Float64s, factor: tuple[Float64s, bool]) -> Float64s:
    """Return W⁻¹u for each class mean u, with W = T - Σ share u uᵀ, by Woodbury's identity; (k, n_classes, q)."""
    k, n_classes, q = offsets.shape
    solved = cho_solve(factor, offsets.reshape(-1, q).T).T.reshape(k, n_classes, q)
    gram = offsets @ solved.transpose(0, 2, 1)
    inner = np.zeros((k, n_classes, n_classes))
    inner[:, np.arange(n_classes), np.arange(n_classes)] = 1 / shares
    mix = np.eye(n_classes) + np.linalg.solve(inner - gram, gram)
    return mix.transpose(0, 2, 1) @ solved


def logistic_hits(rows: Rows, part: Indices, labels: Indices, tick: Tick = lambda: None) -> Float64s:
    """Return how many points of each held-out document a logistic probe recognises, (k, n_documents).

    Multinomial, with half the squared weights added to the summed loss. Logits are corrected for
    the number of points of each data set in the training part, so that data sets count equally.

    Args:
        rows: coordinates (n, q) of similar scale.
        part: (n_documents,) fold of each document.
        labels: (k, n_documents), each row one labelling of the documents; all are fitted together.
        tick: called at each step.
    """
    found = np.zeros(labels.shape)
    x = np.column_stack([rows.points, np.ones(len(rows.points))]).astype(np.float32)
    n_classes = int(labels.max()) + 1
    for fold in np.unique(part):
        test = part == fold
        outside = test[rows.documents]
        target = labels[:, rows.documents[~outside]]
        weights = fit_logistic(x[~outside], target, n_classes, tick)
        shares = np.stack([(target == label).mean(axis=1) for label in range(n_classes)])
        documents = np.unique(rows.documents[outside], return_inverse=True)[1]
        scores = x[outside] @ weights - np.log(shares)[:, None]
        correct = scores.argmax(axis=0) == labels[:, test].T[documents]
        found[:, test] = sum_by_document(correct, documents).T
    return found


def fit_logistic(x: Float32s, target: Indices, n_classes: int, tick: Tick = lambda: None) -> Float32s:
    """Return the weights (n_classes, q, k) of multinomial logistic regressions of k targets on the same points.

    At most 1000 accelerated gradient steps with restarts. Half the curvature of the points bounds
    that of the loss whatever the labels, so one step length serves all targets, and a step is two
    matrix products for all of them.

    Source: the bound by Böhning, 1992; the restarts by O'Donoghue & Candès, 2015.

    Args:
        x: (n, q); the last column is 1, and its weight is not penalised.
        target: (k, n) classes 0 … n_classes - 1.
        n_classes: number of classes.
        tick: called at each step.
    """
    n, q = x.shape
    shrink = np.full((q, 1), 1 / n, np.float32)
    shrink[-1] = 0
    step = 1 / (0.5 * float(np.linalg.eigvalsh(x.T.astype(np.float64) @ x)[-1]) / n + 1 / n)
    weights = np.zeros((n_classes, q, len(target)), np.float32)
    open_ = np.arange(len(target))
    at, ahead, pace = weights.copy(), weights.copy(), 1.0
    hot = (target.T[None] == np.arange(n_classes)[:, None, None]).astype(np.float32)
    for _ in range(_LOGISTIC_STEPS):
        tick()
        gradient = x.T @ (_softmax(x @ ahead) - hot) / n + shrink * ahead
        moved = ahead - np.float32(step) * gradient
        if float((gradient * (moved - at)).sum()) > 0:
            pace = 1.0
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = moved + np.float32((pace - 1) / faster) * (moved - at)
        at, pace = moved, faster
        done = np.abs(gradient).max(axis=(0, 1)) < _LOGISTIC_GRADIENT
        if done.any():
            weights[:, :, open_[done]] = moved[:, :, done]
            keep = ~done
            open_, at, ahead, hot = open_[keep], at[:, :, keep], ahead[:, :, keep], hot[:, :, keep]
            if not len(open_):
                return weights
    weights[:, :, open_] = at
    return weights


def _softmax(logits: Float32s) -> Float32s:
    """Return softmax over the first axis, in place."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def resampled_mean(sums: Float64s, rows: Rows, rng: np.random.Generator) -> Float64s:
    """Return the balanced mean for resamples of the documents, (n_resamples,)."""
    counts = resample_counts(rows.labels, rng)
    means = []
    for label in range(rows.n_datasets):
        mine = rows.labels == label
        means.append(counts[:, mine] @ sums[mine] / (counts[:, mine] @ rows.sizes[mine]))
    return np.mean(means, axis=0)


def central(value: float, draws: Float64s) -> Interval:
    """Return a value with the central 95 % of draws of it."""
    band = spread(draws)
    return Interval(value, band.low, band.high)
