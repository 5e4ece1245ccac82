"""What is measured of a posterior: how far it travelled, whether it fell onto tokens, where in a cloud it lies."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf

from core.analysis.distances import nearest_cosine, nearest_euclidean
from core.errors import BadRequest
from core.moments import Moments

N_NULL = 256
"""Draws of each null."""


@dataclass(frozen=True)
class Displacement:
    """How far each prompt vector travelled; all (n_prompt,) float64.

    Attributes:
        norm_before: length of the prior sample's vector.
        norm_after: length of the posterior's vector.
        distance: length of their difference.
        angle: between the two, degrees. Where real tokens see a prompt only after a norm layer, the length means
            nothing and this alone counts.
    """

    norm_before: NDArray[np.float64]
    norm_after: NDArray[np.float64]
    distance: NDArray[np.float64]
    angle: NDArray[np.float64]


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
        nearest: of the vectors asked about.
        nulls: by name: 'random directions' of the same norms, 'matched Gaussian' with the vocabulary's mean and
            covariance, 'vocabulary rows' each without itself.
    """

    nearest: Nearest
    nulls: dict[str, Nearest]


@dataclass(frozen=True)
class Nulls:
    """Clouds to lay beside a prior's or a posterior's.

    Attributes:
        clouds: by name, (n_null, d) each: 'random directions', 'matched Gaussian', 'vocabulary rows'.
        rows: which rows of the vocabulary the last one holds.
    """

    clouds: dict[str, NDArray[np.floating]]
    rows: NDArray[np.integer]


@dataclass(frozen=True)
class CloudPlace:
    """Where vectors lie in a cloud, by its own held-out points.

    Attributes:
        distance: (n,) squared Mahalanobis distance under the shrunk fit.
        percentile: (n,) share of held-out cloud points that lie nearer to the mean, in percent.
        inside_95: share of the vectors inside the region that holds 95 % of the held-out points.
        shrinkage: Ledoit–Wolf's, 0 to 1.
        n_fitted: cloud points the Gaussian was fitted on.
        n_held_out: cloud points the percentiles come from.
    """

    distance: NDArray[np.float64]
    percentile: NDArray[np.float64]
    inside_95: float
    shrinkage: float
    n_fitted: int
    n_held_out: int


def displacement(prior: NDArray[np.floating], posterior: NDArray[np.floating]) -> Displacement:
    """Measure the way from prior sample to posterior, vector by vector, both (n_prompt, d).

    Raises:
        BadRequest: the two have different shapes.
    """
    if prior.shape != posterior.shape:
        raise BadRequest(
            f"A prior of shape {prior.shape} and a posterior of shape {posterior.shape} are not pairs; "
            "compare the two of one run."
        )
    before, after = np.asarray(prior, np.float64), np.asarray(posterior, np.float64)
    norm_before, norm_after = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    # The half-angle form keeps small angles, which arccos of a rounded cosine loses.
    unit_before = before / np.where(norm_before > 0, norm_before, 1)[:, None]
    unit_after = after / np.where(norm_after > 0, norm_after, 1)[:, None]
    difference = np.linalg.norm(unit_after - unit_before, axis=1)
    total = np.linalg.norm(unit_after + unit_before, axis=1)
    angle = np.degrees(2 * np.arctan2(difference, total))
    return Displacement(norm_before, norm_after, np.linalg.norm(after - before, axis=1), angle)


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


def collapse(
    points: NDArray[np.floating],
    vocabulary: NDArray[np.floating],
    rng: np.random.Generator,
    moments: Moments | None = None,
    n_null: int = N_NULL,
) -> Collapse:
    """Measure how near vectors lie to vocabulary rows, against three nulls.

    Args:
        points: (n, d) prompt vectors.
        vocabulary: (m, d) rows of the embedding matrix.
        rng: decides the nulls.
        moments: of the vocabulary, where they are known already.
        n_null: draws of each null.
    """
    nulls = null_clouds(points, vocabulary, rng, moments, n_null)
    # All in one search: making the vocabulary ready for it costs more than the search itself.
    clouds = [points, *nulls.clouds.values()]
    itself = np.concatenate([np.full(sum(map(len, clouds[:-1])), -1), nulls.rows])
    found = _split(nearest_rows(np.concatenate(clouds), vocabulary, itself), [len(cloud) for cloud in clouds])
    return Collapse(found[0], dict(zip(nulls.clouds, found[1:], strict=True)))


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
) -> Nulls:
    """Draw three clouds that know nothing of what `points` are but their lengths, or nothing at all.

    Args:
        points: (n, d) of a prior or a posterior; random directions get their norms.
        vocabulary: (m, d) rows of the embedding matrix; the Gaussian gets their mean and covariance.
        rng: decides them.
        moments: of the vocabulary, where they are known already.
        n_null: draws of each; of vocabulary rows as many as there are at most.
    """
    d_model = vocabulary.shape[1]
    norms = rng.choice(np.linalg.norm(points, axis=1), size=n_null)
    random = rng.standard_normal((n_null, d_model))
    random *= (norms / np.linalg.norm(random, axis=1))[:, None]
    mean, covariance = (moments.mean, moments.covariance) if moments else _moments(vocabulary)
    gaussian = mean + rng.standard_normal((n_null, d_model)) @ _root(covariance)
    rows = rng.choice(len(vocabulary), size=min(n_null, len(vocabulary)), replace=False)
    clouds = {"random directions": random, "matched Gaussian": gaussian, "vocabulary rows": vocabulary[rows]}
    return Nulls(clouds, rows)


def place_in_cloud(
    points: NDArray[np.floating],
    cloud: NDArray[np.floating],
    rng: np.random.Generator,
    documents: NDArray[np.integer] | None = None,
) -> CloudPlace:
    """Score vectors (n, d) against a cloud (m, d) by its Mahalanobis distances on held-out points.

    In-sample distances average about d whatever the shape, so a fifth of the cloud is held out, by document where
    documents are known, and the fit on the rest is shrunk by Ledoit–Wolf.

    Args:
        points: vectors to place.
        cloud: points of the cloud.
        rng: decides what is held out.
        documents: (m,) which document each cloud point comes from.

    Raises:
        BadRequest: a cloud of fewer than ten points.
    """
    if len(cloud) < 10:
        raise BadRequest(f"A cloud of {len(cloud)} points is too small to place vectors in; give at least 10.")
    units = np.arange(len(cloud)) if documents is None else np.asarray(documents)
    names = np.unique(units)
    held = np.isin(units, rng.choice(names, size=max(1, len(names) // 5), replace=False))
    if held.all():
        held = np.arange(len(cloud)) % 5 == 0  # one document only: nothing to hold out but its own tokens
    fit = LedoitWolf().fit(np.asarray(cloud[~held], np.float64))
    reference = np.sort(fit.mahalanobis(np.asarray(cloud[held], np.float64)))
    distance = fit.mahalanobis(np.asarray(points, np.float64))
    percentile = 100 * np.searchsorted(reference, distance) / len(reference)
    inside = float((distance <= np.quantile(reference, 0.95)).mean())
    return CloudPlace(distance, percentile, inside, float(fit.shrinkage_), int((~held).sum()), int(held.sum()))


def _moments(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.asarray(rows, np.float64)
    mean = rows.mean(axis=0)
    centred = rows - mean
    return mean, centred.T @ centred / len(rows)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    return np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T
