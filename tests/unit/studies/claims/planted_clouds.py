"""Synthetic documents whose claims must come to a known verdict, measured as those of a study are."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.atlas_terms import pair_name
from core.analysis.intervals import spread
from core.analysis.modality import directions, modality, uniform_dips
from core.analysis.probes import lda_hits, probe
from core.analysis.radial_law import RadialLaw, radial_law
from core.analysis.trajectory_statistics import (
    SHUFFLED,
    UNIFORM,
    UNIGRAM,
    Pool,
    documents_table,
    measure_trajectory,
    shuffles,
)
from core.analysis.units import deal, join_rows, permuted_labels
from core.studies.claims.domains import DocumentMeans
from core.studies.sentence_paths import PathRow
from tests.unit.studies.claims.planted import atlas

N_TOKENS = 16


def path_rows(rng: np.random.Generator, scale: float, localised: float = 0.0, n: int = 60) -> list[PathRow]:
    """Return statistics of documents' trajectories.

    Args:
        rng: draws them.
        scale: of the data's tokens against the vocabulary's.
        localised: share of the variance that lies between documents.
        n: documents.
    """
    vocabulary = Pool(rng.normal(size=(300, 8)), np.arange(300))
    centres = rng.normal(size=(n, 1, 8)) * np.sqrt(localised)
    paths = scale * (centres + rng.normal(size=(n, N_TOKENS, 8)) * np.sqrt(1 - localised))
    data = Pool(paths.reshape(-1, 8), np.arange(n * N_TOKENS), np.repeat(np.arange(n), N_TOKENS))
    found = [
        measure_trajectory(
            path,
            {
                SHUFFLED: shuffles(path, rng),
                UNIGRAM: data.unigram(N_TOKENS, rng, number),
                UNIFORM: vocabulary.uniform(N_TOKENS, rng),
            },
            20,
        )
        for number, path in enumerate(paths)
    ]
    table = documents_table(found, range(n), rng).to_dict("records")
    return [{str(name): value for name, value in row.items() if value == value} for row in table]


def document_means(rng: np.random.Generator, between: float, apart: float, n: int = 60) -> list[DocumentMeans]:
    """Return document means of three data sets: two that lie apart by the one, a third by the other."""
    clouds = [rng.normal(size=(n, 8)) for _ in range(3)]
    clouds[1][:, 0] += between
    clouds[2][:, 1] += apart
    names = ("news", "squad", "sums")
    return [
        DocumentMeans(name, np.arange(n), lambda _site, cloud=cloud: cloud)
        for name, cloud in zip(names, clouds, strict=True)
    ]


def dips_atlas(rng: np.random.Generator, n: int, apart: float, sites: Sequence[Any] = (0, "final")) -> Any:
    """Return an atlas of one data set whose documents, a token each, have two modes at the last site."""
    uniform = uniform_dips(n, rng, 200)
    measured = {}
    for site in sites:
        points = rng.normal(size=(n, 6))
        points[:, 0] += apart * (site == sites[-1]) * (np.arange(n) % 2)
        axes = directions(np.eye(6)[:5], 6, rng)
        found = modality(points @ axes.T, np.arange(n), uniform, rng)
        null = spread(found.null)
        measured[site] = {
            "value": found.largest.value,
            "null": null.value,
            "null_low": null.low,
            "null_high": null.high,
            "p": float(found.p_holm.min()),
        }
    return atlas(("news",), lambda site: {"modality": {"dip": {"news": measured[site]}}}, sites, n)


def radial_laws(rng: np.random.Generator, peaked: float, n: int = 80) -> dict[Any, RadialLaw]:
    """Return the radial laws of documents of ten tokens at two sites.

    Args:
        rng: draws them.
        peaked: 0 for a Gaussian; 1 for one whose scale varies from token to token as the root of an
            exponential law.
        n: documents.
    """
    documents = np.repeat(np.arange(n), 10)
    laws = {}
    for site in (0, "final"):
        points = rng.normal(size=(n, 24))[documents] * 0.6 + rng.normal(size=(10 * n, 24)) * 0.8
        points *= rng.gamma(1, size=(10 * n, 1)) ** (peaked / 2)
        laws[site] = radial_law(points, documents, rng)
    return laws


def tasks_atlas(rng: np.random.Generator, places: Sequence[float], n: int = 100) -> Any:
    """Return an atlas of an encoder's means: texts far out, then tasks in these places on one axis."""
    names = ["news", *(f"math · arithmetic__{number}" for number in range(len(places)))]
    clouds = [rng.normal(size=(n, 3)) for _ in names]
    clouds[0][:, 1] += 9
    for cloud, place in zip(clouds[1:], places, strict=True):
        cloud[:, 0] += place
    pairs = {
        pair_name(names[one], names[other]): _told(rng, [clouds[one], clouds[other]], n)
        for one, other in combinations(range(len(names)), 2)
    }
    return atlas(names, lambda _site: {"separability": {"lda_accuracy": pairs, "energy": pairs}}, ("final",), n)


def _told(rng: np.random.Generator, clouds: list[NDArray[np.floating]], n: int) -> dict[str, float]:
    rows = join_rows(clouds, [np.arange(n)] * 2)
    part = deal(rows.labels, 5, rng)
    found = probe(rows, part, permuted_labels(rows.labels, part, 19, rng), lda_hits, rng)
    null = found.null_band
    return {
        "value": found.found.value,
        "low": found.found.low,
        "high": found.found.high,
        "null": null.value,
        "null_low": null.low,
        "null_high": null.high,
        "p": found.p,
    }
