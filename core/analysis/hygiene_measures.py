"""What each kind of token does to the statistics of a site: the filter with one switch changed at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import eigh

from core.analysis.atlas_measures import pooled_lda
from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.atlas_terms import ALL, QUANTITIES, SHAPE
from core.analysis.cloud_shape import measure_shape
from core.analysis.intervals import Interval
from core.analysis.intrinsic import BlockMoments, block_moments, distinct_rows
from core.analysis.separability import pairwise_distances
from core.analysis.units import deal, jackknife, join_rows, sum_by_document
from core.array_types import Bools, Floats, Indices, Ints
from core.errors import BadRequest
from core.specs.cloud import TokenFilter

AS_CHOSEN = "as chosen"
EVERYTHING = "every token"
MAX_NEAR = 1000
N_FOLDS = 5
N_PERMUTATIONS = 99
_LEAST = 20
"""Fewest points of a data set that a filter must leave."""
TITLES = {
    "first_component": "Variance along PC1",
    "mean_norm": "Mean norm",
    **{name: QUANTITIES[name].title for name in ("lda_accuracy", *SHAPE)},
}
"""Every statistic, in the order of the table."""


@dataclass(frozen=True)
class Variant:
    """One way to filter tokens.

    Attributes:
        name: how it differs from the chosen filter.
        tokens: the filter.
        distinct: whether only one of several coinciding points is kept.
    """

    name: str
    tokens: TokenFilter
    distinct: bool = False


@dataclass(frozen=True)
class HygieneRow:
    """One statistic of a cloud under a variant.

    Attributes:
        statistic: one of `TITLES`.
        cloud: a data set, or `ALL`.
        value: of the statistic, with its interval.
        low: lower bound.
        high: upper bound.
        p: NaN for none.
        n: number of points.
    """

    statistic: str
    cloud: str
    value: float
    low: float
    high: float
    p: float
    n: int


def variants(tokens: TokenFilter, sink_ratio: float) -> list[Variant]:
    """Return the chosen filter, the filter with each switch changed alone, and no filter at all."""

    def changed(**changes: Any) -> TokenFilter:
        return tokens.model_copy(update=changes)

    def word(kept: bool) -> str:
        return "left out" if kept else "kept"

    return [
        Variant(AS_CHOSEN, tokens),
        Variant(f"special tokens {word(tokens.special)}", changed(special=not tokens.special)),
        Variant(f"first positions {word(tokens.first_position)}", changed(first_position=not tokens.first_position)),
        Variant(f"padding {word(tokens.pad)}", changed(pad=not tokens.pad)),
        Variant(f"sinks {word(not tokens.sink_ratio)}", changed(sink_ratio=None if tokens.sink_ratio else sink_ratio)),
        Variant("duplicates left out", tokens, distinct=True),
        Variant(EVERYTHING, changed(special=True, first_position=True, pad=True, sink_ratio=None)),
    ]


def passing(flags: pd.DataFrame, tokens: TokenFilter, median_norm: float) -> Bools:
    """Return which points pass a filter, as in a capture with that filter.

    Args:
        flags: `special`, `first`, `pad` and `norm` of each point of a capture that kept every
            token.
        tokens: the filter.
        median_norm: at the site where norms are measured.
    """
    special, first, pad = (flags[name].to_numpy(bool) for name in ("special", "first", "pad"))
    kept = np.ones(len(flags), bool)
    if not tokens.special:
        kept &= ~special | pad
    if not tokens.pad:
        kept &= ~pad
    if not tokens.first_position:
        kept &= ~first
    if tokens.sink_ratio:
        kept &= flags["norm"].to_numpy() <= tokens.sink_ratio * median_norm
    return kept


def chosen_rows(points: Floats, flags: pd.DataFrame, variant: Variant, median_norm: float) -> Bools:
    """Return which points of a data set a variant keeps."""
    kept = passing(flags, variant.tokens, median_norm)
    if variant.distinct:
        rows = np.flatnonzero(kept)
        kept = np.zeros(len(kept), bool)
        kept[rows[distinct_rows(points[rows])]] = True
    return kept


def measure_variant(
    names: Sequence[str], points: Sequence[Floats], documents: Sequence[Ints], rng: np.random.Generator
) -> list[HygieneRow]:
    """Measure data sets as a variant leaves them.

    Args:
        names: of the data sets.
        points: (n, d) for each data set.
        documents: (n,) for each data set, the document of each point.
        rng: source of all draws.

    Raises:
        BadRequest: too few points or documents of a data set.
    """
    for name, part in zip(names, points, strict=True):
        if len(part) < _LEAST:
            raise BadRequest(
                f"A token filter leaves {len(part)} points of {name}, but at least {_LEAST} are needed; "
                "ask for more points or more texts."
            )
    rows = join_rows(list(points), list(documents))
    found: list[HygieneRow] = []
    if len(names) > 1:
        tested = pooled_lda(rows, N_FOLDS, N_PERMUTATIONS, rng)
        found.append(_row("lda_accuracy", ALL, tested.found, len(rows.points), tested.p))
    for label, name in enumerate(names):
        own = rows.subset(rows.row_labels == label)
        of_document = deal(own.labels, min(N_BLOCKS, len(own.labels)), rng)
        block = of_document[own.documents]
        moments = block_moments(own.points, block)
        near = np.zeros(len(block), bool)
        near[rng.permutation(len(block))[:MAX_NEAR]] = True
        few = own.subset(near)
        shape = measure_shape(own.points, block, few, block[near], pairwise_distances(few.points), N_FOLDS, rng)
        n = len(block)
        found.append(_row("first_component", name, _first_component(moments), n))
        found.append(_row("mean_norm", name, _mean_norm(own.points, block), n))
        found += [_row(quantity, name, shape.found[quantity], n) for quantity in SHAPE]
    order = list(TITLES)
    return sorted(found, key=lambda row: order.index(row.statistic))


def _row(statistic: str, cloud: str, found: Interval, n: int, p: float = np.nan) -> HygieneRow:
    return HygieneRow(statistic, cloud, found.value, found.low, found.high, p, n)


def _first_component(moments: BlockMoments) -> Interval:
    """Return the share of the variance along the first principal component."""

    def share(without: Sequence[int]) -> float:
        covariance = moments.moments(without)[1]
        d, total = len(covariance), float(np.trace(covariance))
        largest = eigh(covariance, eigvals_only=True, subset_by_index=(d - 1, d - 1))[0]
        return float(largest / total) if total > 0 else np.nan

    return jackknife(share(()), np.array([share((block,)) for block in range(len(moments.counts))]))


def _mean_norm(points: Floats, block: Indices) -> Interval:
    norms = np.linalg.norm(np.asarray(points, np.float64), axis=1)
    order = np.argsort(block, kind="stable")
    sums, counts = (sum_by_document(values[order], block[order]) for values in (norms, np.ones(len(norms))))
    left_out = (sums.sum() - sums) / (counts.sum() - counts)
    return jackknife(float(norms.mean()), left_out)
