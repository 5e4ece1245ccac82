"""All measures of a prompt at one site: a summary, and the points behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.analysis.cloud_places import SiteCloud, nearest_quantities, place_in_clouds, tested, without_prior
from core.analysis.collapse import Collapse, collapse, null_clouds
from core.analysis.displacement import displacement, mean_shift, procrustes_similarity
from core.analysis.intervals import bootstrap, spread
from core.analysis.quantities import Quantity, quantity
from core.analysis.two_sample import energy_of_pairs
from core.analysis.vector_shape import QUANTITIES, shape, shape_of_subsets
from core.array_types import Float32s, Floats

NULLS_KEPT = 100
"""Points of each null that are kept for display."""
NEED_PRIOR = (
    "norm before",
    "distance",
    "angle",
    "nearest token before",
    "cosine distance before",
    "Euclidean distance before",
)
"""Columns of the table of vectors that need the prior sample."""


class PromptSummary(TypedDict):
    """The measures of a prompt at one site as documents carry them, each by its name; `place` by cloud first."""

    displacement: dict[str, Quantity]
    collapse: dict[str, Quantity]
    place: dict[str, dict[str, Quantity]]
    shape: dict[str, Quantity]


@dataclass(frozen=True)
class PromptMeasures:
    """The measures of a prompt at one site.

    Attributes:
        summary: as documents carry it.
        vectors: one row per vector.
        nulls: one row per null sample, with its distances to the nearest rows.
        null_points: by name, (n, d) some points of each null.
        trajectory_tokens: (n_snapshots, n_prompt) the token nearest to each vector in each
            snapshot.
        snapped: (n_prompt, d) the nearest row of each posterior vector.
    """

    summary: PromptSummary
    vectors: pd.DataFrame
    nulls: pd.DataFrame
    null_points: dict[str, Float32s]
    trajectory_tokens: NDArray[np.object_]
    snapped: Float32s


def measure_prompt(
    trajectory: Floats, rows: SiteCloud, clouds: Sequence[SiteCloud], rng: np.random.Generator, begun: bool = True
) -> PromptMeasures:
    """Measure a prompt at one site.

    Args:
        trajectory: (n, n_prompt, d) snapshots; the first is the prior sample, the last the
            posterior.
        rows: where vectors may have collapsed to: the vocabulary, or tokens at this site.
        clouds: that vectors are compared with; a cloud of fewer than ten points is skipped.
        rng: source of null samples, permutations and held-out documents.
        begun: whether the first snapshot is the prior sample; otherwise nothing that needs it is
            measured.
    """
    prior, posterior = trajectory[0], trajectory[-1]
    nulls = null_clouds(posterior, rows.points, rng, rows.moments, rows_name=rows.name)
    vectors = {"prior": prior, "posterior": posterior, "trajectory": trajectory.reshape(-1, trajectory.shape[2])}
    near = collapse(vectors, rows.points, nulls)
    tokens = np.asarray(rows.tokens, dtype=object)
    placed, columns = place_in_clouds(prior, posterior, clouds, rng)
    table = _vectors(prior, posterior, near, tokens).assign(**columns)
    summary: PromptSummary = {
        "displacement": _displacement(prior, posterior, rng) if begun else {},
        "collapse": nearest_quantities(near),
        "place": placed,
        "shape": _shape(prior, posterior, clouds, rng),
    }
    return PromptMeasures(
        summary if begun else _without_prior(summary),
        table if begun else table.drop(columns=list(NEED_PRIOR)),
        _null_table(near),
        {name: np.asarray(points[:NULLS_KEPT], np.float32) for name, points in nulls.clouds.items()},
        tokens[near.nearest["trajectory"].cosine_row].reshape(trajectory.shape[:2]),
        np.asarray(rows.points[near.nearest["posterior"].cosine_row], np.float32),
    )


def _without_prior(summary: PromptSummary) -> PromptSummary:
    """Return a summary without the values of the prior sample."""
    return {
        "displacement": without_prior(summary["displacement"]),
        "collapse": without_prior(summary["collapse"]),
        "place": {cloud: without_prior(found) for cloud, found in summary["place"].items()},
        "shape": without_prior(summary["shape"]),
    }


def _displacement(prior: NDArray, posterior: NDArray, rng: np.random.Generator) -> dict[str, Quantity]:
    moved = displacement(prior, posterior)
    relative = moved.distance[moved.norm_before > 0] / moved.norm_before[moved.norm_before > 0]
    found = {
        "distance": quantity(bootstrap(moved.distance, rng)),
        "relative": quantity(bootstrap(relative, rng) if len(relative) else None),
        "angle": quantity(bootstrap(moved.angle, rng)),
        "norm": quantity(bootstrap(moved.norm_after, rng), prior=float(moved.norm_before.mean())),
        "mean_shift": tested(mean_shift(prior, posterior, rng), "ways turned around"),
        "similarity": tested(procrustes_similarity(prior, posterior, rng), "vectors paired at random"),
    }
    if len(prior) > 1:
        found["energy"] = tested(energy_of_pairs(prior, posterior, rng), "ends swapped")
    return found


def _shape(
    prior: NDArray, posterior: NDArray, clouds: Sequence[SiteCloud], rng: np.random.Generator
) -> dict[str, Quantity]:
    before, after = vars(shape(prior)), vars(shape(posterior))
    subsets = {
        f"subsets of {cloud.name}": shape_of_subsets(cloud.points, len(posterior), rng, cloud.documents)
        for cloud in clouds
    }
    return {
        name: quantity(after[name], before[name], {null: spread(found[name]) for null, found in subsets.items()})
        for name in QUANTITIES
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
