"""All statistics of the atlas at one site, as rows of a tidy table, and the coordinates of its small map."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from core.analysis.atlas_plan import AtlasPlan, AtlasSettings
from core.analysis.atlas_terms import ALL, COLUMNS, N_GAUSSIAN, QUANTITIES, SHAPE, pair_name
from core.analysis.cloud_shape import gaussian_shapes, measure_shape
from core.analysis.intervals import Interval, spread
from core.analysis.modality import N_PRINCIPAL, directions, modality
from core.analysis.pca import Pca, fit_pca
from core.analysis.probes import Tested, check_documents, lda_hits, logistic_hits, probe
from core.analysis.separability import (
    between_documents,
    energy_coefficient,
    neighbour_purity,
    pairwise_distances,
    silhouette,
)
from core.analysis.units import Rows, deal, permuted_labels
from core.array_types import Bools, Float32s, Float64s, Floats, Indices

LEAST_REFITS = 19
"""Fewest fits of the logistic probe under the null, so that p can reach 0.05."""


@dataclass(frozen=True)
class SiteAtlas:
    """The measures of one site.

    Attributes:
        table: an `AtlasRow` per row.
        directions: `cloud`, `direction`, `dip`, `p`, `p_holm`, one row per tested direction.
        coordinates: (n_map, 2) first principal components of the drawn rows, in the order of
            `AtlasPlan.rows`.
        explained: (2,) their shares of the variance.
    """

    table: pd.DataFrame
    directions: pd.DataFrame
    coordinates: Float32s
    explained: Float64s


def measure_atlas_site(
    points: Sequence[Floats], plan: AtlasPlan, rng: np.random.Generator, tick: Callable[[str], None]
) -> SiteAtlas:
    """Measure one site.

    Args:
        points: (n_rows, d) for each data set, in the order of the plan's documents.
        plan: what all sites share.
        rng: source of resamples, directions and Gaussian samples.
        tick: called with the name of each stage before it, and repeatedly in long ones.
    """
    rows = plan.rows.with_points(np.concatenate([np.asarray(part, np.float32) for part in points])[plan.rows.order])
    tick("principal components")
    pca = fit_pca(rows.points, n_scores(rows, plan.settings.n_components))
    near = rows.subset(plan.near)
    tick("distances")
    between = pairwise_distances(near.points)
    table: list[AtlasRow] = []
    if len(plan.names) > 1:
        table += _separability(rows, whitened(rows, pca), near, between, plan, rng, tick)
    tick("modes of all")
    tests: list[pd.DataFrame] = []
    if len(plan.names) > 1:
        mode, test = _modes(ALL, _equal_documents(rows, rng), pca.components[:N_PRINCIPAL], plan, rng)
        table.append(mode)
        tests.append(test)
    for label, name in enumerate(plan.names):
        tick(f"shape of {name}")
        mine = near.row_labels == label
        more, test = _cloud(rows.subset(rows.row_labels == label), name, near, mine, between, plan, label, rng, tick)
        table += more
        tests.append(test)
    order = {name: i for i, name in enumerate(QUANTITIES)}
    table.sort(key=lambda row: order[row.quantity])
    return SiteAtlas(
        table=pd.DataFrame(table, columns=list(COLUMNS[1:])),
        directions=pd.concat(tests, ignore_index=True),
        coordinates=pca.transform(rows.points[plan.drawn], 2),
        explained=pca.explained[:2],
    )


def pooled_lda(rows: Rows, n_folds: int, n_permutations: int, rng: np.random.Generator) -> Tested:
    """Return how well linear discriminant analysis tells data sets apart, without a plan.

    Raises:
        BadRequest: a data set with a single document.
    """
    part = deal(rows.labels, check_documents(rows, n_folds), rng)
    pca = fit_pca(rows.points, n_scores(rows, AtlasSettings.n_components))
    return probe(whitened(rows, pca), part, permuted_labels(rows.labels, part, n_permutations, rng), lda_hits, rng)


def n_scores(rows: Rows, asked: int) -> int:
    """Return the number of principal components that probes see: at most a tenth of the number of points."""
    return max(2, min(asked, rows.points.shape[1], len(rows.points) // 10))


def whitened(rows: Rows, pca: Pca) -> Rows:
    """Return the rows in principal components scaled to variance 1; components without variance are left out."""
    real = pca.variance > 1e-9 * pca.variance[0]
    return rows.with_points(pca.transform(rows.points)[:, real] / np.sqrt(pca.variance[real]).astype(np.float32))


@dataclass(frozen=True)
class AtlasRow:
    """One quantity of a cloud or a pair at a site; the fields are those of `COLUMNS` without the site.

    Attributes:
        quantity: one of `QUANTITIES`.
        cloud: a data set, `ALL`, or the name of a pair.
        value: of the quantity, with its interval.
        low: lower bound.
        high: upper bound.
        null: middle of the null distribution; NaN for none.
        null_low: lower bound of its central range.
        null_high: upper bound of its central range.
        p: NaN for none.
    """

    quantity: str
    cloud: str
    value: float
    low: float
    high: float
    null: float = np.nan
    null_low: float = np.nan
    null_high: float = np.nan
    p: float = np.nan


def _row(quantity: str, cloud: str, found: Interval, null: Interval, p: float = np.nan) -> AtlasRow:
    return AtlasRow(quantity, cloud, found.value, found.low, found.high, null.value, null.low, null.high, p)


def _separability(
    rows: Rows,
    scores: Rows,
    near: Rows,
    between: Float32s,
    plan: AtlasPlan,
    rng: np.random.Generator,
    tick: Callable[[str], None],
) -> list[AtlasRow]:
    def row(quantity: str, cloud: str, tested: Tested) -> AtlasRow:
        return _row(quantity, cloud, tested.found, tested.null_band, tested.p)

    tick("linear discriminants")
    found = [row("lda_accuracy", ALL, probe(scores, plan.part, plan.permuted, lda_hits, rng))]
    n_refits = min(len(plan.permuted), max(LEAST_REFITS, len(plan.permuted) // 10))

    def logistic(of: Rows, part: Indices, labels: Indices) -> Float64s:
        return logistic_hits(of, part, labels, lambda: tick("logistic probe"))

    found.append(row("logistic_accuracy", ALL, probe(scores, plan.part, plan.permuted[:n_refits], logistic, rng)))
    tick("neighbours")
    present = np.unique(rows.documents[plan.near])
    permuted = permuted_labels(near.labels, plan.part[present], len(plan.permuted), rng)
    purity = neighbour_purity(between, near, plan.settings.n_neighbours, permuted, rng)
    found += [row("neighbour_purity", ALL, purity), row("silhouette", ALL, silhouette(between, near, permuted, rng))]
    to_documents = between_documents(between, near)
    for first, second in combinations(range(len(plan.names)), 2):
        name = pair_name(plan.names[first], plan.names[second])
        if len(plan.names) > 2:
            pair = np.isin(rows.labels, (first, second))
            two, part = scores.subset(pair[scores.documents]), plan.part[pair]
            shuffled = permuted_labels(two.labels, part, len(plan.permuted), rng)
            found.append(row("lda_accuracy", name, probe(two, part, shuffled, lda_hits, rng)))
        pair = np.isin(near.labels, (first, second))
        two, part = near.subset(pair[near.documents]), plan.part[present][pair]
        shuffled = permuted_labels(two.labels, part, len(plan.permuted), rng)
        block = plan.block[present][pair]
        found.append(row("energy", name, energy_coefficient(to_documents[np.ix_(pair, pair)], two, shuffled, block)))
    return found


def _equal_documents(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows of equally many documents of each data set."""
    n = int(np.bincount(rows.labels).min())
    kept = np.concatenate(
        [rng.choice(np.flatnonzero(rows.labels == label), n, replace=False) for label in range(rows.n_datasets)]
    )
    return rows.subset(np.isin(rows.documents, kept))


def _modes(
    cloud: str, rows: Rows, components: Floats, plan: AtlasPlan, rng: np.random.Generator
) -> tuple[AtlasRow, pd.DataFrame]:
    """Return the row of the dip, and a table of the tested directions."""
    axes = directions(components, rows.points.shape[1], rng)
    projections = rows.points @ axes.T.astype(np.float32)
    found = modality(projections, rows.documents, plan.uniform[len(rows.labels)], rng)
    k = len(components)
    names = [f"principal {i + 1}" if i < k else f"random {i - k + 1}" for i in range(len(axes))]
    table = pd.DataFrame({"cloud": cloud, "direction": names, "dip": found.dip, "p": found.p, "p_holm": found.p_holm})
    return _row("dip", cloud, found.largest, spread(found.null), float(found.p_holm.min())), table


def _cloud(
    rows: Rows,
    name: str,
    near: Rows,
    mine: Bools,
    between: Float32s,
    plan: AtlasPlan,
    label: int,
    rng: np.random.Generator,
    tick: Callable[[str], None],
) -> tuple[list[AtlasRow], pd.DataFrame]:
    """Return modes and shape of one data set, compared with samples of the Gaussian with the same moments."""
    block = plan.block[plan.rows.labels == label][rows.documents]
    own = near.subset(mine)
    n_folds = plan.settings.n_folds
    near_block = plan.block[np.unique(plan.rows.documents[plan.near])][near.documents][mine]
    shape = measure_shape(rows.points, block, own, near_block, between[np.ix_(mine, mine)], n_folds, rng)
    samples = []
    for sample in gaussian_shapes(shape, block, len(own.points), n_folds, N_GAUSSIAN, rng):
        tick(f"shape of {name} beside a Gaussian")
        samples.append([sample[quantity].value for quantity in SHAPE])
    nulls = {
        quantity: Interval(float(np.mean(column)), min(column), max(column))
        for quantity, column in zip(SHAPE, zip(*samples, strict=True), strict=True)
    }
    mode, tested = _modes(name, rows, shape.components, plan, rng)
    table = [
        _row(quantity, name, shape.found[quantity], nulls[quantity], shape.p.get(quantity, np.nan))
        for quantity in SHAPE
    ]
    return [mode, *table], tested
