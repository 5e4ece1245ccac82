"""Whether one domain lies apart from two that share a region: accuracies, and the ratio of distances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.atlas_measures import n_scores, whitened
from core.analysis.atlas_plan import N_BLOCKS, AtlasSettings
from core.analysis.intervals import Interval, spread
from core.analysis.pca import fit_pca
from core.analysis.probes import check_documents, lda_hits, probe
from core.analysis.separability import between_documents, energy_coefficients, pairwise_distances
from core.analysis.shares import share_interval
from core.analysis.units import Rows, deal, jackknife, join_rows, permuted_labels
from core.array_types import Bools, Floats, Indices, Ints

N_PERMUTATIONS = 100
_FIRST, _SECOND, _APART = range(3)


@dataclass(frozen=True)
class Told:
    """How well two domains are told apart on unseen documents.

    Attributes:
        accuracy: balanced, with its interval.
        null: median and central range where documents are permuted.
        p: share of permutations that do as well.
    """

    accuracy: Interval
    null: Interval
    p: float


@dataclass(frozen=True)
class DomainsApart:
    """Two domains and a third at one site.

    Attributes:
        told: the third against the first and against the second.
        ratio: energy distance between the first two over that from the third to the nearer of them.
    """

    told: tuple[Told, Told]
    ratio: Interval


def domains_apart(points: Sequence[Floats], documents: Sequence[Ints], rng: np.random.Generator) -> DomainsApart:
    """Measure whether the third of three clouds lies apart from the first two.

    Args:
        points: three clouds, (n_rows, d) each.
        documents: (n_rows,) unit of independence of each row.
        rng: deals documents into folds and blocks, permutes and resamples them.

    Raises:
        BadRequest: a cloud with a single document.
    """
    rows = join_rows([np.asarray(cloud, np.float32) for cloud in points], list(documents))
    part = deal(rows.labels, check_documents(rows, AtlasSettings.n_folds), rng)
    scores = whitened(rows, fit_pca(rows.points, n_scores(rows, AtlasSettings.n_components)))
    first, second = (_told(scores, part, (other, _APART), rng) for other in (_FIRST, _SECOND))
    return DomainsApart((first, second), shared_ratio(rows, rng))


def _told(scores: Rows, part: Indices, pair: tuple[int, int], rng: np.random.Generator) -> Told:
    chosen = np.isin(scores.labels, pair)
    two, folds = scores.subset(chosen[scores.documents]), part[chosen]
    found = probe(two, folds, permuted_labels(two.labels, folds, N_PERMUTATIONS, rng), lda_hits, rng)
    return Told(share_interval(found.found, len(two.labels)), spread(found.null), found.p)


def shared_ratio(rows: Rows, rng: np.random.Generator) -> Interval:
    """Return the distance between two domains over that from the third to the nearer of them.

    The three distances share their documents. One of ten blocks of documents, taken from all three
    domains, is therefore left out of all of them at once, and the ratio is taken again: a jackknife
    of the ratio itself. A ratio of separate intervals would have to allow for any dependence.

    Args:
        rows: of three domains.
        rng: deals documents into blocks.

    Returns:
        The ratio of energy distances, free of scale (`energy_coefficient`); infinity where the
        third domain has no distance from the nearer one.
    """
    block = deal(rows.labels, min(N_BLOCKS, int(np.bincount(rows.labels).min())), rng)
    sums = between_documents(pairwise_distances(rows.points), rows)

    def ratio(kept: Bools) -> float:
        def energy(one: int, other: int) -> float:
            pair = kept & np.isin(rows.labels, (one, other))
            labels = (rows.labels[pair] == other).astype(np.intp)
            return float(energy_coefficients(sums[np.ix_(pair, pair)], rows.sizes[pair], labels[None])[0])

        apart = min(energy(_FIRST, _APART), energy(_SECOND, _APART))
        return energy(_FIRST, _SECOND) / apart if apart > 0 else np.inf

    whole = ratio(np.ones(len(block), bool))
    left_out = np.array([ratio(block != number) for number in np.unique(block)])
    if not np.isfinite([whole, *left_out]).all():
        return Interval(whole, np.nan, np.nan)
    return jackknife(whole, left_out)
