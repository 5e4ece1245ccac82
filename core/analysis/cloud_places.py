"""Where vectors lie in clouds of points, and how near they are to the nearest points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.cloud_scores import MIN_POINTS, CloudScores, Scores, fit_cloud
from core.analysis.collapse import Collapse
from core.analysis.displacement import PermutationTest
from core.analysis.intervals import spread
from core.analysis.quantities import Quantity, forget_prior, quantity
from core.analysis.two_sample import energy_to_cloud
from core.array_types import Floats, Ints
from core.fits.moments import Moments

HELD_OUT = "held-out points"
MAX_CLOUD = 5000
"""Most points of a cloud that vectors are compared with."""
_SCORES = {"mahalanobis": ("percentile", "inside"), "neighbour": ("support", "supported")}


@dataclass(frozen=True)
class SiteCloud:
    """Points that vectors are compared with.

    Attributes:
        name: for tables.
        points: (m, d).
        tokens: (m,) text of each point.
        documents: (m,) document of each point; None if there are no documents.
        moments: exact moments, if known.
    """

    name: str
    points: Floats
    tokens: Sequence[str]
    documents: Ints | None = None
    moments: Moments | None = None

    @property
    def n_units(self) -> int:
        """Return how many points count as independent: one per document."""
        return len(self.points) if self.documents is None else len(np.unique(self.documents))


def place_in_clouds(
    prior: NDArray, posterior: NDArray, clouds: Sequence[SiteCloud], rng: np.random.Generator
) -> tuple[dict[str, dict[str, Quantity]], dict[str, NDArray]]:
    """Return where vectors lie in clouds, by cloud, and each vector's scores there, by column."""
    placed: dict[str, dict[str, Quantity]] = {}
    columns: dict[str, NDArray] = {}
    for cloud in map(_some, clouds):
        placed[cloud.name] = {}
        if len(cloud.points) < MIN_POINTS:
            continue
        fitted = fit_cloud(cloud.points, rng, cloud.documents)
        before, after = fitted.score(prior), fitted.score(posterior)
        placed[cloud.name] = _placed(before, after)
        if min(len(posterior), cloud.n_units) > 1:
            energy = energy_to_cloud(posterior, cloud.points, rng, cloud.documents)
            placed[cloud.name]["energy"] = tested(energy, "labels shuffled")
        columns |= {f"{column} in {cloud.name}": scores for column, scores in _columns(after).items()}
    return placed, columns


def nearest_quantities(near: Collapse) -> dict[str, Quantity]:
    """Return the median distances to the nearest rows, by direction and Euclidean, beside prior sample and nulls."""
    return {
        name: quantity(
            float(np.median(getattr(near.nearest["posterior"], name))),
            float(np.median(getattr(near.nearest["prior"], name))),
            {null: spread(getattr(found, name)) for null, found in near.nulls.items()},
        )
        for name in ("cosine", "euclidean")
    }


def tested(test: PermutationTest, null: str) -> Quantity:
    """Return a test's value and p with its null distribution under a name."""
    return quantity(test.value, None, {null: spread(test.null)}, test.p)


def without_prior(group: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Return quantities without the values of the prior sample."""
    return {name: forget_prior(found) for name, found in group.items()}


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


def _some(cloud: SiteCloud) -> SiteCloud:
    """Return at most `MAX_CLOUD` points of a cloud; the choice does not depend on the run."""
    if len(cloud.points) <= MAX_CLOUD:
        return cloud
    chosen = np.sort(np.random.default_rng(0).choice(len(cloud.points), size=MAX_CLOUD, replace=False))
    documents = None if cloud.documents is None else cloud.documents[chosen]
    return SiteCloud(cloud.name, cloud.points[chosen], [str(cloud.tokens[i]) for i in chosen], documents, cloud.moments)
