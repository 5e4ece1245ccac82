"""Whether vectors fell onto tokens: the nearest rows of the vocabulary, or of another cloud, against three nulls."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from core.analysis.distances import nearest_cosine, nearest_euclidean
from core.fits.moments import Moments

N_NULL = 256
"""Draws of each null."""


@dataclass(frozen=True)
class Nearest:
    """The nearest vocabulary row of each vector.

    Attributes:
        cosine_row: (n,) index by cosine distance.
        cosine: (n,) that distance, 0 (same direction) to 2.
        euclidean_row: (n,) index by Euclidean distance.
        euclidean: (n,) that distance.
    """

    cosine_row: NDArray[np.int64]
    cosine: NDArray[np.float32]
    euclidean_row: NDArray[np.int64]
    euclidean: NDArray[np.float32]


@dataclass(frozen=True)
class Collapse:
    """Nearest-token distances beside what they would be without any collapse, or with a whole one.

    Attributes:
        nearest: of the vectors asked about, by name.
        nulls: by name: 'random directions' of the same norms, 'matched Gaussian' with the vocabulary's mean and
            covariance, 'vocabulary rows' each without itself.
    """

    nearest: dict[str, Nearest]
    nulls: dict[str, Nearest]


@dataclass(frozen=True)
class Nulls:
    """Null clouds to overlay with a prior's or a posterior's.

    Attributes:
        clouds: by name, (n_null, d) each: 'random directions', 'matched Gaussian', 'vocabulary rows'.
        rows: which rows of the vocabulary the last one holds.
    """

    clouds: dict[str, NDArray[np.floating]]
    rows: NDArray[np.integer]


def nearest_rows(
    points: NDArray[np.floating], vocabulary: NDArray[np.floating], leave_out: NDArray[np.integer] | None = None
) -> Nearest:
    """Find the nearest vocabulary rows (m, d) of points (n, d), by direction and by place.

    Args:
        points: vectors asked about.
        vocabulary: rows of the embedding matrix.
        leave_out: (n,) a row that does not count for that point; -1 is none.
    """
    return Nearest(*nearest_cosine(points, vocabulary, leave_out), *nearest_euclidean(points, vocabulary, leave_out))


def collapse(vectors: Mapping[str, NDArray[np.floating]], vocabulary: NDArray[np.floating], nulls: Nulls) -> Collapse:
    """Measure how near vectors lie to vocabulary rows, against three nulls.

    Args:
        vectors: by name, (n, d) prompt vectors.
        vocabulary: (m, d) rows of the embedding matrix, or points of another cloud.
        nulls: drawn from the same rows by `null_clouds`.
    """
    # All in one search: making the vocabulary ready for it costs more than the search itself.
    clouds = [*vectors.values(), *nulls.clouds.values()]
    itself = np.concatenate([np.full(sum(map(len, clouds[:-1])), -1), nulls.rows])
    found = _split(nearest_rows(np.concatenate(clouds), vocabulary, itself), [len(cloud) for cloud in clouds])
    return Collapse(
        dict(zip(vectors, found[: len(vectors)], strict=True)),
        dict(zip(nulls.clouds, found[len(vectors) :], strict=True)),
    )


def _split(nearest: Nearest, lengths: list[int]) -> list[Nearest]:
    ends = np.cumsum(lengths)
    return [
        Nearest(*(getattr(nearest, field.name)[end - length : end] for field in fields(Nearest)))
        for end, length in zip(ends, lengths, strict=True)
    ]


def null_clouds(
    points: NDArray[np.floating],
    vocabulary: NDArray[np.floating],
    rng: np.random.Generator,
    moments: Moments | None = None,
    n_null: int = N_NULL,
    rows_name: str = "vocabulary rows",
) -> Nulls:
    """Draw three clouds that know nothing of what `points` are but their lengths, or nothing at all.

    Args:
        points: (n, d) of a prior or a posterior; random directions get their norms.
        vocabulary: (m, d) rows of the embedding matrix; the Gaussian gets their mean and covariance.
        rng: decides them.
        moments: of the vocabulary, where they are known already.
        n_null: draws of each; of vocabulary rows as many as there are at most.
        rows_name: what the rows are, where they are not the vocabulary's.
    """
    d_model = vocabulary.shape[1]
    norms = rng.choice(np.linalg.norm(points, axis=1), size=n_null)
    random = rng.standard_normal((n_null, d_model))
    random *= (norms / np.linalg.norm(random, axis=1))[:, None]
    mean, covariance = (moments.mean, moments.covariance) if moments else _moments(vocabulary)
    gaussian = mean + rng.standard_normal((n_null, d_model)) @ _root(covariance)
    rows = rng.choice(len(vocabulary), size=min(n_null, len(vocabulary)), replace=False)
    clouds = {"random directions": random, "matched Gaussian": gaussian, rows_name: vocabulary[rows]}
    return Nulls(clouds, rows)


def _moments(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.asarray(rows, np.float64)
    mean = rows.mean(axis=0)
    centred = rows - mean
    return mean, centred.T @ centred / len(rows)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
