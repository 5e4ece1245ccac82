"""A Gaussian mixture on the clusters of a cloud."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.arrays import logsumexp, namespace
from core.priors.covariance import CovarianceField, GaussianFit, RankField, fit_gaussian
from core.priors.kept import KeptPrior, Learnt
from core.progress import Progress
from core.specs.base import JsonObject, Seed
from core.specs.prior import PriorSpec, Scale

_N_CLUSTERED = 20_000
"""Points at most that clusters are made from: a sample of a larger cloud has the same ones."""


class MixtureSpec(PriorSpec, frozen=True):
    """A Gaussian mixture in the leading principal components; the rest stays the fitted Gaussian."""

    title = "Mixture"
    summary = "One Gaussian for each cluster of the reference cloud."
    needs_reference = True
    differentiable = True
    sliders: ClassVar = {"n_clusters": Scale(1, 64), "components": Scale(1, 256)}

    kind: Literal["mixture"] = "mixture"
    n_clusters: int = Field(default=8, ge=1, le=1000, title="Clusters")
    """Number of Gaussians; 1 gives the fitted Gaussian."""
    components: int = Field(default=32, ge=1, le=4096, title="In components")
    """Number of leading principal components that are clustered; fewer if the fit has fewer. The
    others keep the fitted Gaussian."""
    method: Literal["em", "kmeans"] = Field(default="em", title="Method")
    """em: maximum likelihood, soft; kmeans: each point in the nearest cluster, with covariances
    shrunk by Ledoit–Wolf."""
    covariance: CovarianceField = "empirical"
    rank: RankField = 32
    seed: Seed = 0
    """Determines where the clusters begin."""


class Mixture(KeptPrior[MixtureSpec]):
    """Clusters in the leading principal components, times the fitted Gaussian in the others.

    Deviation: the paper only names it as worth designing.
    """

    spec_class = MixtureSpec
    fit_: GaussianFit
    clusters_: list[GaussianFit]
    weights_: Float64s
    facts_: JsonObject

    def learn(
        self, points: Floats, moments: Moments | None, further: Sequence[Reference], progress: Progress
    ) -> Learnt:
        """Fit a Gaussian on points (n, d), and clusters on the points' coordinates in it.

        Raises:
            BadRequest: see `fit_gaussian`; more clusters than points, or a cluster that is a single
                place.
            Cancelled: by `progress`.
        """
        from sklearn.exceptions import ConvergenceWarning

        spec = self.spec
        fit = fit_gaussian(points, moments, spec.covariance, spec.rank)
        if spec.n_clusters > len(points):
            raise BadRequest(
                f"n_clusters {spec.n_clusters} is above the {len(points)} reference points; choose at most "
                f"{len(points)}."
            )
        dim = min(spec.components, fit.dim)
        if len(points) > _N_CLUSTERED:
            points = points[np.sort(np.random.default_rng(spec.seed).choice(len(points), _N_CLUSTERED, replace=False))]
        progress(0, 0, "Looking for clusters")
        # Coordinates keep the cloud's proportions, so that clusters are those of the cloud, at a
        # scale of one.
        coordinates = (points - fit.mean) @ (fit.basis[:, :dim] / np.sqrt(fit.variances[0]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the report says whether it converged
            weights, means, covariances, converged = (
                self._soft(coordinates) if spec.method == "em" else self._hard(coordinates)
            )
        clusters = {"cluster.weights": weights, "cluster.means": means, "cluster.covariances": covariances}
        facts = {"points_clustered": len(points), "converged": converged}
        return Learnt({**fit.tensors(), **clusters}, {"gaussian": fit.facts, "clusters": facts})

    def operations(self, n_points: int, d_model: int) -> float:
        """Return those of a hundred rounds over points, clusters and squared width."""
        width = min(self.spec.components, d_model)
        return 600.0 * min(n_points, _N_CLUSTERED) * self.spec.n_clusters * width * max(width, 16)

    def restore(self, learnt: Learnt, points: Floats) -> Self:
        """Take the Gaussian and the clusters; the points are no longer needed."""
        tensors = dict(learnt.tensors)
        self.weights_ = tensors.pop("cluster.weights")
        means, covariances = tensors.pop("cluster.means"), tensors.pop("cluster.covariances")
        self.clusters_ = [_cluster(*pair) for pair in zip(means, covariances, strict=True)]
        self.fit_ = GaussianFit(**tensors, facts=learnt.facts["gaussian"])
        self.facts_ = learnt.facts["clusters"]
        self.d_model_ = len(self.fit_.mean)
        # What turns the leading white coordinates into those in which the clusters are, and ln of
        # its determinant.
        self.scale_ = np.sqrt(self.fit_.variances[: self._dim] / self.fit_.variances[0])
        self.stretch_ = float(np.log(self.scale_).sum())
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
        """
        chosen = rng.choice(len(self.weights_), size=n, p=self.weights_)
        white = rng.standard_normal((n, self.fit_.dim))
        for i, cluster in enumerate(self.clusters_):
            rows, dim = chosen == i, cluster.dim
            place = cluster.mean + cluster.deviate(white[rows, :dim])
            white[rows, : len(cluster.mean)] = place / self.scale_
        return self.fit_.colour(white)

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d); for a singular fit on its range, and −inf off it."""
        white, square, dim = self.fit_.whiten(x), namespace(x).square, self._dim
        place = white[:, :dim] * self.scale_
        parts = [
            math.log(weight) + cluster.log_volume - 0.5 * square(cluster.whiten(place)).sum(axis=1)
            for weight, cluster in zip(self.weights_, self.clusters_, strict=True)
        ]
        # The leading coordinates follow the mixture in place of a standard normal.
        constant = self.fit_.log_volume + 0.5 * dim * math.log(2 * math.pi) + self.stretch_
        return self.fit_.on_range(x, constant + logsumexp(parts) - 0.5 * square(white[:, dim:]).sum(axis=1))

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the total variance."""
        unit, dim = float(self.fit_.variances[0]), self._dim
        means = np.stack([cluster.mean for cluster in self.clusters_])
        centre = self.weights_ @ means
        within = self.weights_ @ np.array([cluster.variances.sum() for cluster in self.clusters_])
        between = self.weights_ @ np.square(means - centre).sum(axis=1)
        mean = self.fit_.mean + self.fit_.basis[:, :dim] @ centre * np.sqrt(unit)
        return mean, float(unit * (within + between) + self.fit_.variances[dim:].sum())

    def report(self) -> JsonObject:
        """Return the clusters' weights and sizes, and the facts of the fitted Gaussian."""
        unit = float(self.fit_.variances[0])
        kept = float(self.fit_.variances[: self._dim].sum() / self.fit_.variances.sum())
        return {
            "n_clusters": len(self.weights_),
            "method": self.spec.method,
            "weights": self.weights_.tolist(),
            "total_variance_of_clusters": [float(unit * cluster.variances.sum()) for cluster in self.clusters_],
            "clustered_components": self._dim,
            "share_of_variance_clustered": kept,
            **self.facts_,
            **self.fit_.facts,
        }

    @property
    def _dim(self) -> int:
        return len(self.clusters_[0].mean)

    def _soft(self, coordinates: Float64s) -> tuple[NDArray, NDArray, NDArray, bool]:
        """Return weights, means, covariances and whether it converged, by expectation and maximisation."""
        from sklearn.mixture import GaussianMixture

        model: Any = GaussianMixture(self.spec.n_clusters, reg_covar=1e-6, random_state=self.spec.seed)
        model.fit(coordinates)
        return model.weights_, model.means_, model.covariances_, bool(model.converged_)

    def _hard(self, coordinates: Float64s) -> tuple[NDArray, NDArray, NDArray, bool]:
        """Return weights, means, shrunk covariances and whether it converged, from the nearest centres."""
        from sklearn.cluster import KMeans

        settings: Any = {"n_init": 4, "random_state": self.spec.seed}
        model = KMeans(self.spec.n_clusters, **settings).fit(coordinates)
        used, sizes = np.unique(np.asarray(model.labels_), return_counts=True)
        members = [coordinates[model.labels_ == label] for label in used]
        means = np.stack([part.mean(axis=0) for part in members])
        return sizes / sizes.sum(), means, np.stack([_shrunk(part) for part in members]), len(used) == model.n_clusters


def _shrunk(points: Float64s) -> Float64s:
    """Return a covariance with a floor, so that a cluster of equal points is a small ball."""
    floor = 1e-6 * np.eye(points.shape[1])
    if len(points) < 2 or np.ptp(points, axis=0).max() < 1e-6:
        return floor
    return fit_gaussian(points, None, "ledoit_wolf", 1).covariance() + floor


def _cluster(mean: Float64s, covariance: Float64s) -> GaussianFit:
    variances, basis = np.linalg.eigh(covariance)
    return GaussianFit(mean, basis, np.maximum(variances, 1e-9), {})
