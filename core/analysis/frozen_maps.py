"""Maps: projections fitted on a reference cloud and then frozen, on which further points are overlaid."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from core.analysis.distances import kth_distance
from core.analysis.pca import KEPT_COMPONENTS, OffPlane, Pca, fit_pca, off_plane
from core.array_types import Bools, Float32s, Floats, Indices
from core.errors import BadRequest, DamagedArtifact
from core.progress import Progress, silent
from core.specs.projection import ProjectionSpec
from core.specs.reading import read_json

VERSION = "1"
"""Part of every stored map's key; raise it when the same spec would give a different map."""
SUPPORT_NEIGHBOUR = 15
SUPPORT_QUANTILE = 0.99
_SUPPORT_SAMPLE = 2000


@dataclass(frozen=True)
class Overlay:
    """Further points on a map.

    Attributes:
        coordinates: (n, n_components) float32; NaN for a point outside the support, which has no
            place on the map.
        inside: (n,) whether the point is inside the support; always true on a PCA map.
        off_plane: (n,) distance from the plane of the first components.
        off_plane_share: (n,) share of the squared distance from the reference's mean that the plane
            does not show.
        t_squared: (n,) Hotelling's T² in the plane.
    """

    coordinates: Float32s
    inside: Bools
    off_plane: Float32s
    off_plane_share: Float32s
    t_squared: Float32s

    def part(self, own: slice) -> "Overlay":
        """Return some of the points."""
        return Overlay(
            self.coordinates[own], self.inside[own], self.off_plane[own], self.off_plane_share[own], self.t_squared[own]
        )


@dataclass(frozen=True)
class Support:
    """The region in which new points get a place on a t-SNE map.

    Attributes:
        reference: (n, d) float32, the distinct fitted points in the full space.
        radius: largest distance to the k-th neighbour at which a point is inside.
        neighbour: k.
    """

    reference: Float32s
    radius: float
    neighbour: int

    def inside(self, points: Floats) -> Bools:
        """Return which points (n, d) have their k-th nearest reference point within the radius, (n,)."""
        return kth_distance(points, self.reference, self.neighbour) <= self.radius


def fit_support(reference: Float32s, seed: int) -> Support:
    """Find the distance to the k-th neighbour that 99 % of the distinct reference points (n, d) do not exceed.

    The quantile is that of a seeded sample of at most 2,000 points.
    """
    neighbour = min(SUPPORT_NEIGHBOUR, len(reference) - 1)
    rng = np.random.default_rng(seed)
    sample = rng.choice(len(reference), size=min(_SUPPORT_SAMPLE, len(reference)), replace=False)
    own = kth_distance(reference[sample], reference, neighbour + 1)  # the nearest one is the point itself
    return Support(reference, float(np.quantile(own, SUPPORT_QUANTILE)), neighbour)


@dataclass(frozen=True)
class TsneFit:
    """What a t-SNE map keeps beside its principal components.

    Attributes:
        embedding: (m, n_components) float32 of the distinct points.
        scores: (m, k) float32, their principal components, t-SNE's input.
        support: region in which new points get a place.
        perplexity: of the fit, the smallest of several.
        seed: of the fit.
        n_iterations: after early exaggeration; 0 for a map stored before they were recorded.
        divergence: final Kullback–Leibler divergence; NaN for such a map.
    """

    embedding: Float32s
    scores: Float32s
    support: Support
    perplexity: float
    seed: int
    n_iterations: int = 0
    divergence: float = math.nan


@dataclass(frozen=True)
class Map:
    """A frozen map.

    Attributes:
        method: 'pca' or 'tsne'.
        n_components: 2 or 3.
        coordinates: (n, n_components) float32 of the points it was fitted on, in their order.
        pca: principal components of the reference; a t-SNE map starts from them.
        tsne: of a t-SNE map.
    """

    method: Literal["pca", "tsne"]
    n_components: int
    coordinates: Float32s
    pca: Pca
    tsne: TsneFit | None = None

    def drawn(self, n_components: int) -> "Map":
        """Return this map in fewer dimensions; only a PCA map allows that, because its first components stay the same.

        Raises:
            BadRequest: for a t-SNE map, or for more dimensions than the map has.
        """
        if n_components == self.n_components:
            return self
        if self.method != "pca" or n_components > self.n_components:
            raise BadRequest(
                f"A {self.method} map of {self.n_components} dimensions cannot be drawn in {n_components}; "
                f"fit one with n_components {n_components}."
            )
        return replace(self, n_components=n_components, coordinates=self.coordinates[:, :n_components])

    def overlay(self, points: Floats, progress: Progress = silent) -> Overlay:
        """Overlay points (n, d) on the map, which does not change.

        On a PCA map every point has a place, and `off_plane` says what the map hides. t-SNE would
        draw even a point far from everything inside a cluster, so there only points inside the
        reference's support get a place.

        Args:
            points: (n, d).
            progress: called during t-SNE; may raise `Cancelled`.

        Raises:
            BadRequest: points of another width than the map was fitted on.
        """
        hidden = self.hidden(points)
        if self.tsne is None:
            inside = np.ones(len(points), bool)
            coordinates = self.pca.transform(points, self.n_components)
        else:
            from core.analysis.tsne import overlay_tsne

            near = self.tsne
            inside = near.support.inside(points)
            coordinates = np.full((len(points), self.n_components), np.nan, np.float32)
            scores = self.pca.transform(points[inside], near.scores.shape[1])
            coordinates[inside] = overlay_tsne(
                near.embedding, near.scores, scores, near.perplexity, near.seed, progress
            )
        return Overlay(coordinates, inside, hidden.distance, hidden.share, hidden.t_squared)

    def hidden(self, points: Floats) -> OffPlane:
        """Return what the plane of the first principal components hides of points (n, d), and T² in it.

        Raises:
            BadRequest: points of another width than the map was fitted on.
        """
        return off_plane(self.pca, points, self.n_components)

    def save(self, folder: Path) -> None:
        """Write arrays as .npy files and the rest as JSON into an existing folder."""
        arrays = {
            "coordinates": self.coordinates,
            "mean": self.pca.mean,
            "components": self.pca.components,
            "variance": self.pca.variance,
        }
        facts = {
            "version": VERSION,
            "method": self.method,
            "n_components": self.n_components,
            "total_variance": self.pca.total_variance,
        }
        if self.tsne is not None:
            near = self.tsne
            arrays |= {"embedding": near.embedding, "scores": near.scores, "reference": near.support.reference}
            facts |= {
                "perplexity": near.perplexity,
                "seed": near.seed,
                "radius": near.support.radius,
                "neighbour": near.support.neighbour,
                "n_iterations": near.n_iterations,
                "divergence": near.divergence,
            }
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / "map.json").write_text(json.dumps(facts))

    @classmethod
    def load(cls, folder: Path) -> "Map":
        """Read a map that `save` wrote; arrays stay on disk until they are used.

        Raises:
            DamagedArtifact: a file is missing or cannot be read.
        """
        try:
            facts = read_json(folder / "map.json")
            pca = Pca(
                _read(folder, "mean"), _read(folder, "components"), _read(folder, "variance"), facts["total_variance"]
            )
            near = None
            if facts["method"] == "tsne":
                support = Support(_read(folder, "reference"), facts["radius"], facts["neighbour"])
                near = TsneFit(
                    _read(folder, "embedding"),
                    _read(folder, "scores"),
                    support,
                    facts["perplexity"],
                    facts["seed"],
                    facts.get("n_iterations", 0),
                    facts.get("divergence", math.nan),
                )
            return cls(facts["method"], facts["n_components"], _read(folder, "coordinates"), pca, near)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedArtifact(
                f"The map in {folder.name} cannot be read ({error}); remove it and it is made again."
            ) from error


def fit_map(
    points: Floats, spec: ProjectionSpec, progress: Progress = silent, enough: Callable[[], bool] = lambda: False
) -> Map:
    """Fit the map of a spec on reference points.

    Args:
        points: (n, d) the reference, `spec.n_points` of each cloud.
        spec: method, dimensions, parameters of t-SNE, and seed.
        progress: called during t-SNE; may raise `Cancelled`.
        enough: see `fit_tsne`.

    Raises:
        BadRequest: too few points.
    """
    if spec.method == "pca":
        pca = fit_pca(points)
        return Map("pca", spec.n_components, pca.transform(points, spec.n_components), pca)
    # openTSNE takes a second to import, which whoever reads maps need not wait for.
    from core.analysis.tsne import check_perplexity, fit_tsne

    pca = fit_pca(points, max(KEPT_COMPONENTS, spec.input_components))
    first, where = _distinct(points)
    check_perplexity(len(first), spec.perplexities[-1])
    scores = pca.transform(points[first], spec.input_components)
    embedded = fit_tsne(scores, spec, progress, enough)
    support = fit_support(np.asarray(points[first], np.float32), spec.seed)
    near = TsneFit(
        embedded.coordinates,
        scores,
        support,
        spec.perplexities[0],
        spec.seed,
        embedded.n_iterations,
        embedded.divergence,
    )
    return Map("tsne", spec.n_components, embedded.coordinates[where], pca, near)


def _distinct(points: Floats) -> tuple[Indices, Indices]:
    """Return the index of each distinct row, in order, and for each row which of those it equals.

    It compares the points themselves, because matrix products give equal rows slightly different
    coordinates.
    """
    _, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse.reshape(-1)]


def _read(folder: Path, name: str) -> np.ndarray:
    return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
