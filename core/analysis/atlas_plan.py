"""What all sites of an atlas share: folds, permutations, blocks of documents, and the nulls of the dip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.modality import uniform_dips
from core.analysis.probes import check_documents
from core.analysis.units import Rows, deal, join_rows, permuted_labels
from core.array_types import Bools, Float64s, Indices, Ints
from core.errors import BadRequest

N_BLOCKS = 10
"""Number of blocks of documents; intervals leave out one block at a time."""
MAX_NEAR = 1000
"""Most points of a data set where all pairwise distances are needed."""
MIN_DOCUMENTS = 4


@dataclass(frozen=True)
class AtlasSettings:
    """How a site is measured: the relevant fields of `AtlasSpec`."""

    n_components: int = 64
    n_folds: int = 5
    n_permutations: int = 200
    n_neighbours: int = 10
    n_map: int = 1500


@dataclass(frozen=True)
class AtlasPlan:
    """What all sites share: documents of the rows, folds, permutations, and the dips of uniform samples.

    Attributes:
        names: of the data sets.
        rows: still without points.
        part: (n_documents,) fold of each document.
        permuted: (n_permutations, n_documents) labels under the null.
        block: (n_documents,) block of each document, for intervals.
        near: (n,) which rows are used where all pairwise distances are needed.
        drawn: (n,) which rows appear on the small maps.
        uniform: dips of uniform samples, by number of points.
        settings: how a site is measured.
    """

    names: tuple[str, ...]
    rows: Rows
    part: Indices
    permuted: Indices
    block: Indices
    near: Bools
    drawn: Bools
    uniform: dict[int, Float64s]
    settings: AtlasSettings


def plan_atlas(
    names: Sequence[str], documents: Sequence[Ints], settings: AtlasSettings, rng: np.random.Generator
) -> AtlasPlan:
    """Draw once, for all sites, what is held out, permuted and shown.

    Args:
        names: of the data sets, all different.
        documents: for each data set, (n_rows,) the document of each row.
        settings: how a site is measured.
        rng: source of all draws.

    Raises:
        BadRequest: a data set with points from fewer than four documents.
    """
    for name, of in zip(names, documents, strict=True):
        if (n := len(np.unique(of))) < MIN_DOCUMENTS:
            raise BadRequest(
                f"The points of {name} come from {n} documents or groups of documents, but at least {MIN_DOCUMENTS} "
                "are needed; ask for more samples."
            )
    rows = join_rows([np.empty((len(of), 0), np.float32) for of in documents], list(documents))
    part = deal(rows.labels, check_documents(rows, settings.n_folds), rng)
    counts = np.bincount(rows.labels)
    sizes = {*counts.tolist(), int(counts.min()) * len(counts)}
    return AtlasPlan(
        names=tuple(names),
        rows=rows,
        part=part,
        permuted=permuted_labels(rows.labels, part, settings.n_permutations, rng),
        block=deal(rows.labels, min(N_BLOCKS, int(counts.min())), rng),
        near=_sample(rows, MAX_NEAR, rng),
        drawn=_sample(rows, max(1, settings.n_map // len(names)), rng),
        uniform={n: uniform_dips(n, rng) for n in sorted(sizes)},
        settings=settings,
    )


def _sample(rows: Rows, n_each: int, rng: np.random.Generator) -> Bools:
    """Choose equally many rows of each data set, first one from each document and then others."""
    chosen = np.zeros(len(rows.documents), bool)
    n = min(n_each, int(np.bincount(rows.row_labels).min()))
    for label in range(rows.n_datasets):
        mine = rng.permutation(np.flatnonzero(rows.row_labels == label))
        first = np.zeros(len(mine), bool)
        first[np.unique(rows.documents[mine], return_index=True)[1]] = True
        chosen[np.concatenate([mine[first], mine[~first]])[:n]] = True
    return chosen
