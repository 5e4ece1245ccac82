"""All measures of a prompt at one site: a summary, and the points behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analysis.cloud_scores import MIN_POINTS, CloudScores, Scores, fit_cloud
from core.analysis.collapse import Collapse, collapse, null_clouds
from core.analysis.displacement import PermutationTest, displacement, mean_shift, procrustes_similarity
from core.analysis.intervals import bootstrap, spread
from core.analysis.quantities import Quantity, quantity
from core.analysis.two_sample import EnergyTest, energy_of_pairs, energy_to_cloud
from core.analysis.vector_shape import QUANTITIES, shape, shape_of_subsets
from core.fits.moments import Moments

HELD_OUT = "held-out points"
MAX_PLACED = 5000
"""Points of a cloud that vectors are placed in, at most."""
OF_THE_START = (
    "norm before",
    "distance",
    "angle",
    "nearest token before",
    "cosine distance before",
    "Euclidean distance before",
)
"""Columns of the table of vectors that need the prior sample."""
_SCORES = {"mahalanobis": ("percentile", "inside"), "neighbour": ("support", "supported")}


@dataclass(frozen=True)
class SiteCloud:
    """Points that vectors are held against.

    Attributes:
        name: for tables.
        points: (m, d).
        tokens: (m,) text of each.
        documents: (m,) which document each comes from; None where there are none.
        moments: exact ones, if they are known.
    """

    name: str
    points: NDArray[np.floating]
    tokens: Sequence[str]
    documents: NDArray[np.integer] | None = None
    moments: Moments | None = None

    @property
    def n_units(self) -> int:
        """Return how many points can count as independent: one per document."""
        return len(self.points) if self.documents is None else len(np.unique(self.documents))


@dataclass(frozen=True)
class PromptMeasures:
    """What was found.

    Attributes:
        summary: by group ('displacement', 'collapse', 'shape', 'place' by cloud) and name, JSON-able.
        vectors: one row a vector.
        nulls: one row a null point: its distances to the nearest rows.
        null_points: by name, (n, d) some points of each null.
        trajectory_tokens: (n_snapshots, n_prompt) the token nearest to each vector along its trajectory.
        snapped: (n_prompt, d) the nearest row of each posterior vector.
    """

    summary: dict[str, Any]
    vectors: pd.DataFrame
    nulls: pd.DataFrame
    null_points: dict[str, NDArray[np.float32]]
    trajectory_tokens: NDArray[np.object_]
    snapped: NDArray[np.float32]


def measure_prompt(
    way: NDArray[np.floating],
    rows: SiteCloud,
    clouds: Sequence[SiteCloud],
    rng: np.random.Generator,
    n_kept: int = 100,
    begun: bool = True,
) -> PromptMeasures:
    """Measure a prompt at one site.

    Args:
        way: (n, n_prompt, d) snapshots; the first is the prior sample, the last the posterior.
        rows: what vectors may have fallen onto: the vocabulary, or tokens as they are at this site.
        clouds: what vectors are placed in; one of fewer than ten points is passed over.
        rng: decides nulls, permutations and held-out documents.
        n_kept: points of each null that are kept to be looked at.
        begun: whether the first snapshot is the prior sample; if that is not known, nothing is said of it.
    """
    prior, posterior = way[0], way[-1]
    nulls = null_clouds(posterior, rows.points, rng, rows.moments, rows_name=rows.name)
    vectors = {"prior": prior, "posterior": posterior, "way": way.reshape(-1, way.shape[2])}
    near = collapse(vectors, rows.points, nulls)
    tokens = np.asarray(rows.tokens, dtype=object)
    table = _vectors(prior, posterior, near, tokens)
    placed = {}
    for cloud in map(_some, clouds):
        placed[cloud.name] = {}
        if len(cloud.points) < MIN_POINTS:
            continue
        fitted = fit_cloud(cloud.points, rng, cloud.documents)
        before, after = fitted.score(prior), fitted.score(posterior)
        placed[cloud.name] = _placed(before, after)
        if min(len(posterior), cloud.n_units) > 1:
            energy = energy_to_cloud(posterior, cloud.points, rng, cloud.documents)
            placed[cloud.name]["energy"] = _tested(energy, "labels shuffled")
        for column, scores in _columns(after).items():
            table[f"{column} in {cloud.name}"] = scores
    summary = {
        "displacement": _displacement(prior, posterior, rng) if begun else {},
        "collapse": _collapse(near),
        "place": placed,
        "shape": _shape(prior, posterior, clouds, rng),
    }
    return PromptMeasures(
        summary if begun else without_prior(summary),
        table if begun else table.drop(columns=list(OF_THE_START)),
        _null_table(near),
        {name: np.asarray(points[:n_kept], np.float32) for name, points in nulls.clouds.items()},
        tokens[near.nearest["way"].cosine_row].reshape(way.shape[:2]),
        np.asarray(rows.points[near.nearest["posterior"].cosine_row], np.float32),
    )


def without_prior(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary without the prior sample's own values, at any depth."""
    return {
        name: without_prior(found) if isinstance(found, dict) else found
        for name, found in summary.items()
        if name != "prior"
    }


def _displacement(prior: NDArray, posterior: NDArray, rng: np.random.Generator) -> dict[str, Quantity]:
    moved = displacement(prior, posterior)
    relative = moved.distance[moved.norm_before > 0] / moved.norm_before[moved.norm_before > 0]
    found = {
        "distance": quantity(bootstrap(moved.distance, rng)),
        "relative": quantity(bootstrap(relative, rng) if len(relative) else None),
        "angle": quantity(bootstrap(moved.angle, rng)),
        "norm": quantity(bootstrap(moved.norm_after, rng), prior=float(moved.norm_before.mean())),
        "mean_shift": _tested(mean_shift(prior, posterior, rng), "ways turned around"),
        "similarity": _tested(procrustes_similarity(prior, posterior, rng), "vectors paired at random"),
    }
    if len(prior) > 1:
        found["energy"] = _tested(energy_of_pairs(prior, posterior, rng), "ends swapped")
    return found


def _tested(test: PermutationTest | EnergyTest, null: str) -> Quantity:
    return quantity(test.value, None, {null: spread(test.null)}, test.p)


def _collapse(near: Collapse) -> dict[str, Quantity]:
    return {
        name: quantity(
            float(np.median(getattr(near.nearest["posterior"], name))),
            float(np.median(getattr(near.nearest["prior"], name))),
            {null: spread(getattr(found, name)) for null, found in near.nulls.items()},
        )
        for name in ("cosine", "euclidean")
    }


def _shape(
    prior: NDArray, posterior: NDArray, clouds: Sequence[SiteCloud], rng: np.random.Generator
) -> dict[str, Quantity]:
    before, after = shape(prior), shape(posterior)
    subsets = {
        f"subsets of {cloud.name}": shape_of_subsets(cloud.points, len(posterior), rng, cloud.documents)
        for cloud in clouds
    }
    return {
        name: quantity(after[name], before[name], {null: spread(found[name]) for null, found in subsets.items()})
        for name in QUANTITIES
    }


def _placed(before: CloudScores, after: CloudScores) -> dict[str, Quantity]:
    found = {}
    for scores, (percentile, inside) in _SCORES.items():
        one, other = getattr(before, scores), getattr(after, scores)
        found[percentile] = quantity(
            float(np.median(other.percentile)), float(np.median(one.percentile)), {HELD_OUT: 50.0}
        )
        found[inside] = quantity(other.inside_95, one.inside_95, {HELD_OUT: 0.95})
    hidden: tuple[Scores, Scores] = before.off_plane, after.off_plane
    found["off_plane"] = quantity(
        float(np.median(hidden[1].values)), float(np.median(hidden[0].values)), {HELD_OUT: spread(hidden[1].held_out)}
    )
    return found


def _columns(placed: CloudScores) -> dict[str, NDArray]:
    return {
        "Mahalanobis percentile": placed.mahalanobis.percentile,
        "neighbour percentile": placed.neighbour.percentile,
        "off the plane": placed.off_plane.values,
    }


def _vectors(prior: NDArray, posterior: NDArray, near: Collapse, tokens: NDArray[np.object_]) -> pd.DataFrame:
    moved, start, end = displacement(prior, posterior), near.nearest["prior"], near.nearest["posterior"]
    return pd.DataFrame(
        {
            "vector": np.arange(len(prior)),
            "norm before": moved.norm_before,
            "norm after": moved.norm_after,
            "distance": moved.distance,
            "angle": moved.angle,
            "nearest token before": tokens[start.cosine_row],
            "nearest token": tokens[end.cosine_row],
            "cosine distance before": start.cosine,
            "cosine distance": end.cosine,
            "Euclidean distance before": start.euclidean,
            "Euclidean distance": end.euclidean,
        }
    )


def _null_table(near: Collapse) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame({"null": name, "cosine distance": found.cosine, "Euclidean distance": found.euclidean})
            for name, found in near.nulls.items()
        ],
        ignore_index=True,
    )


def _some(cloud: SiteCloud) -> SiteCloud:
    """Return a cloud of a size that can be fitted in a moment; which rows does not depend on the run."""
    if len(cloud.points) <= MAX_PLACED:
        return cloud
    chosen = np.sort(np.random.default_rng(0).choice(len(cloud.points), size=MAX_PLACED, replace=False))
    documents = None if cloud.documents is None else cloud.documents[chosen]
    return SiteCloud(cloud.name, cloud.points[chosen], [str(cloud.tokens[i]) for i in chosen], documents, cloud.moments)
