"""Whether vectors collapsed onto tokens: distances to the nearest rows of the vocabulary, against three nulls."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from core.analysis.distances import nearest_cosine, nearest_euclidean
from core.array_types import Float32s, Float64s, Floats, Int64s, Ints
from core.fits.moments import Moments

N_NULL = 256
"""Number of samples of each null."""


@dataclass(frozen=True)
class Nearest:
    """The nearest vocabulary row of each vector.

    Attributes:
        cosine_row: (n,) index by cosine distance.
        cosine: (n,) that distance, 0 (same direction) to 2.
        euclidean_row: (n,) index by Euclidean distance.
        euclidean: (n,) that distance.
    """

    cosine_row: Int64s
    cosine: Float32s
    euclidean_row: Int64s
    euclidean: Float32s


@dataclass(frozen=True)
class Collapse:
    """Nearest-token distances, and what they are without any collapse and with a complete one.

    Attributes:
        nearest: of the vectors, by name.
        nulls: by name: 'random directions' with the same norms, 'matched Gaussian' with the
            vocabulary's mean and covariance, 'vocabulary rows' compared with all other rows.
    """

    nearest: dict[str, Nearest]
    nulls: dict[str, Nearest]


@dataclass(frozen=True)
class Nulls:
    """Null samples to compare a prior or a posterior with.

    Attributes:
        clouds: by name, (n_null, d) each: 'random directions', 'matched Gaussian', 'vocabulary
            rows'.
        rows: indices of the vocabulary rows in the last cloud.
    """

    clouds: dict[str, Floats]
    rows: Ints


def nearest_rows(points: Floats, vocabulary: Floats, leave_out: Ints | None = None) -> Nearest:
    """Find the nearest vocabulary row (m, d) of each point (n, d), by direction and by Euclidean distance.

    Each point may ignore a row `leave_out` (n,), such as itself; -1 for none.
    """
    return Nearest(*nearest_cosine(points, vocabulary, leave_out), *nearest_euclidean(points, vocabulary, leave_out))


def collapse(vectors: Mapping[str, Floats], vocabulary: Floats, nulls: Nulls) -> Collapse:
    """Measure how near prompt vectors (n, d), by name, are to vocabulary rows or other points (m, d), and three nulls.

    The nulls are drawn from the same rows by `null_clouds`.
    """
    # One search for all: preparing the vocabulary costs more than searching it.
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
    points: Floats,
    vocabulary: Floats,
    rng: np.random.Generator,
    moments: Moments | None = None,
    n_null: int = N_NULL,
    rows_name: str = "vocabulary rows",
) -> Nulls:
    """Draw three null clouds, which share at most the norms with the points.

    Args:
        points: (n, d) of a prior or a posterior; random directions have their norms.
        vocabulary: (m, d) rows of the embedding matrix; the Gaussian has their mean and covariance.
        rng: draws them.
        moments: of the vocabulary, if known already.
        n_null: points of each; at most the number of vocabulary rows for the last.
        rows_name: name of the last cloud, if the rows are not those of the vocabulary.
    """
    d_model = vocabulary.shape[1]
    norms = rng.choice(np.linalg.norm(points, axis=1), size=n_null)
    random = rng.standard_normal((n_null, d_model))
    random *= (norms / np.linalg.norm(random, axis=1))[:, None]
    mean, covariance = (moments.mean, moments.covariance) if moments else _moments(vocabulary)
    values, vectors = np.linalg.eigh(covariance)
    root = np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
    gaussian = mean + rng.standard_normal((n_null, d_model)) @ root
    rows = rng.choice(len(vocabulary), size=min(n_null, len(vocabulary)), replace=False)
    clouds = {"random directions": random, "matched Gaussian": gaussian, rows_name: vocabulary[rows]}
    return Nulls(clouds, rows)


def _moments(rows: Floats) -> tuple[Float64s, Float64s]:
    rows = np.asarray(rows, np.float64)
    mean = rows.mean(axis=0)
    centred = rows - mean
    return mean, centred.T @ centred / len(rows)
