"""Where the reference cloud is thin: far from its points, near its place."""

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.covariance import CovarianceField, GaussianFit, RankField, fit_gaussian
from core.priors.kept import KeptPrior, Learnt
from core.priors.rejection import draw_accepted
from core.progress import Progress
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec, Scale

_N_PROBED = 1024
"""Candidates, and points of the cloud, whose neighbour distances are measured at a fit."""


class KnnSpec(PriorSpec, frozen=True):
    """Candidates of a widened fitted Gaussian, kept where the cloud is far."""

    title = "Low density"
    summary = "A widened fitted Gaussian, kept where the k-th nearest point of the cloud is far away."
    needs_reference = True
    sliders: ClassVar = {"k": Scale(1, 200), "quantile": Scale(0, 0.99, even=True), "widening": Scale(0.1, 10)}

    kind: Literal["knn"] = "knn"
    k: int = Field(default=10, ge=1, le=10_000, title="k")
    """The distance to the k-th nearest point measures density."""
    quantile: float = Field(default=0.9, ge=0, lt=1, title="Quantile")
    """Candidates whose distance exceeds this quantile are kept."""
    quantile_of: Literal["candidates", "cloud"] = Field(default="candidates", title="Quantile of")
    """candidates: their own distances, so that some always exceed it; cloud: the distances between
    its points, which nearly all candidates exceed at the width of a model."""
    widening: float = Field(default=1.5, gt=0, le=1e3, title="Widening")
    """Factor on the standard deviations of the fit."""
    covariance: CovarianceField = "empirical"
    rank: RankField = 32
    draw_budget: int = Field(default=100_000, ge=1, le=100_000_000, title="Draw budget")
    """How many candidates may be drawn."""


class Knn(KeptPrior[KnnSpec]):
    """N(mean, widening²·covariance), where the k-th neighbour in the cloud is farther than a threshold.

    Source: 4.4 of the paper names kNN sampling and leaves it out.
    Deviation: the quantile is taken over the candidates by default.
    """

    spec_class = KnnSpec
    only_drawing = ("quantile", "quantile_of", "draw_budget")
    fit_: GaussianFit
    threshold_: float
    acceptance_: float

    def learn(
        self, points: Floats, moments: Moments | None, further: Sequence[Reference], progress: Progress
    ) -> Learnt:
        """Fit on points (n, d), and measure the distances that the threshold is made from.

        Raises:
            BadRequest: see `fit_gaussian`; k above the other points, or no candidate beyond the
                threshold.
            Cancelled: by `progress`.
        """
        spec = self.spec
        fit = fit_gaussian(points, moments, spec.covariance, spec.rank)
        if spec.k >= len(points):
            raise BadRequest(
                f"k {spec.k} is too large for {len(points)} reference points, of which each has {len(points) - 1} "
                f"neighbours; choose at most {len(points) - 1}."
            )
        self._index_points(fit, points)
        rng = np.random.default_rng(0)
        probed = rng.choice(len(points), size=min(_N_PROBED, len(points)), replace=False)
        progress(0, 2, "Measuring distances within the cloud")
        # A point is its own nearest neighbour.
        of_cloud = self._distance(points[probed], spec.k + 1)
        progress(1, 2, "Measuring distances of candidates")
        of_candidates = self._distance(self.candidates(_N_PROBED, rng), spec.k)
        return Learnt({**fit.tensors(), "of_cloud": of_cloud, "of_candidates": of_candidates}, fit.facts)

    def operations(self, n_points: int, d_model: int) -> float:
        """Return those of the distances between what is probed and the cloud."""
        return 4.0 * _N_PROBED * n_points * d_model

    def restore(self, learnt: Learnt, points: Floats) -> Self:
        """Take the distances that were measured in points (n, d), and set the threshold.

        Raises:
            BadRequest: no candidate is beyond it.
        """
        spec, tensors = self.spec, dict(learnt.tensors)
        self._of_cloud, self._of_candidates = tensors.pop("of_cloud"), tensors.pop("of_candidates")
        self._index_points(GaussianFit(**tensors, facts=learnt.facts), points)
        measured = self._of_candidates if spec.quantile_of == "candidates" else self._of_cloud
        self.threshold_ = float(np.quantile(measured, spec.quantile))
        self.acceptance_ = float((self._of_candidates > self.threshold_).mean())
        if self.acceptance_ == 0:
            raise BadRequest(
                f"None of {_N_PROBED} candidates is farther from the cloud than {self.threshold_:.3g}; raise widening "
                f"above {spec.widening:g} or lower the quantile below {spec.quantile:g}."
            )
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d).

        Raises:
            BadRequest: a value does not fit into float32.
            Failed: the budget of candidates is used up.
        """

        def propose(n_batch: int) -> Float32s:
            candidates = self.candidates(n_batch, rng)
            return candidates[self._distance(candidates, self.spec.k) > self.threshold_]

        remedy = "lower the quantile"
        found = draw_accepted(n, self.d_model_, propose, self.acceptance_, self.spec.draw_budget, "draw_budget", remedy)
        return found.astype(np.float32)

    def log_prob(self, x: Floats) -> Float64s:
        """Return the log density (n,) of rows (n, d), −inf where the cloud is near.

        Its constant has the error of an acceptance rate that is measured on 1,024 candidates.
        """
        white = self.fit_.whiten(x) / self.spec.widening
        density = self.fit_.log_prob(white) - self.fit_.dim * np.log(self.spec.widening) - np.log(self.acceptance_)
        far = self._distance(x, self.spec.k) > self.threshold_
        return self.fit_.on_range(x, np.where(far, density, -np.inf))

    def report(self) -> JsonObject:
        """Return threshold and acceptance, and the distances of candidates beside those of the cloud."""
        levels = (0.05, 0.5, 0.95)
        return {
            "k": self.spec.k,
            "widening": self.spec.widening,
            "threshold": self.threshold_,
            "acceptance": self.acceptance_,
            "neighbour_distance": {
                f"{level:.0%}": {
                    "candidates": float(np.quantile(self._of_candidates, level)),
                    "cloud": float(np.quantile(self._of_cloud, level)),
                }
                for level in levels
            },
            **self.fit_.facts,
        }

    def _index_points(self, fit: GaussianFit, points: Floats) -> None:
        """Make the cloud ready for neighbour searches."""
        from sklearn.neighbors import NearestNeighbors

        self.fit_, self.d_model_ = fit, len(fit.mean)
        # One unit for any scale: squares of what float32 can hold do not fit.
        self._unit = float(np.sqrt(fit.variances.sum()))
        self._index = NearestNeighbors(algorithm="brute").fit(self._scaled(points))

    def candidates(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n proposals (n, d) from the widened Gaussian, before the threshold."""
        return self.fit_.colour(self.spec.widening * rng.standard_normal((n, self.fit_.dim)))

    def _scaled(self, points: Floats) -> Float32s:
        return ((points - self.fit_.mean) / self._unit).astype(np.float32)

    def _distance(self, x: Floats, k: int) -> Float64s:
        """Return the distance (n,) of rows (n, d) to the k-th nearest point of the cloud."""
        if not len(x):
            return np.zeros(0)
        distances, _ = self._index.kneighbors(self._scaled(x), n_neighbors=k)
        return distances[:, -1].astype(np.float64) * self._unit
