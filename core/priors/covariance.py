"""The Gaussian that fitted priors share: five estimates of a covariance, kept as mean, axes and variances.

A covariance is decomposed once. What has no measurable variance is left out, so a fit on few points
(N ≤ d) is a Gaussian on the subspace that the points span; `dim` is its rank and stands wherever a
formula has a dimension.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.fits.moments import Moments
from core.priors.arrays import namespace
from core.priors.base import check_points, check_shape, scale_facts
from core.specs.base import JsonObject

CovarianceName = Literal["empirical", "ledoit_wolf", "oas", "diagonal", "rank"]

CovarianceField = Annotated[
    CovarianceName,
    Field(
        title="Covariance",
        description="empirical: divides by N (the paper); Ledoit–Wolf and OAS: shrunk towards a sphere; diagonal: "
        "ignores correlations; rank: keeps the leading components only.",
    ),
]
RankField = Annotated[
    int,
    Field(
        ge=1,
        le=65_536,
        title="Rank",
        description="With covariance 'rank': principal components to keep; the variance in the others is left out.",
    ),
]

CHUNK_VALUES = 4_194_304
"""Values of a chunk turned into float64 at a time: 32 MiB."""


@dataclass(frozen=True)
class GaussianFit:
    """N(mean, covariance) on the subspace where the covariance has rank.

    Densities take vectors as NumPy arrays, or as tensors where the arrays of the fit are tensors as
    well.

    Attributes:
        mean: (d,).
        basis: (d, dim), orthonormal columns: principal axes by falling variance.
        variances: (dim,), all positive, the variance along each axis.
        facts: what a report says of the fit.
    """

    mean: Float64s
    basis: Float64s
    variances: Float64s
    facts: JsonObject

    @property
    def dim(self) -> int:
        """Return the rank of the covariance."""
        return len(self.variances)

    def colour(self, white: Float64s) -> Float32s:
        """Map coordinates (n, dim), standard normal under this Gaussian, to vectors (n, d).

        Raises:
            BadRequest: a vector does not fit into float32.
        """
        return as_float32(self.mean + self.deviate(white))

    def deviate(self, white: Float64s) -> Float64s:
        """Map coordinates (n, dim), standard normal under this Gaussian, to deviations (n, d) from the mean."""
        return (white * np.sqrt(self.variances)) @ self.basis.T

    def covariance(self) -> Float64s:
        """Return the covariance (d, d)."""
        return (self.basis * self.variances) @ self.basis.T

    @cached_property
    def axes(self) -> Any:
        """Return the principal axes (d, dim), each over the standard deviation along it."""
        return self.basis / namespace(self.variances).sqrt(self.variances)

    @cached_property
    def log_volume(self) -> float:
        """Return the log density at the mean."""
        return float(-0.5 * (self.dim * np.log(2 * np.pi) + namespace(self.variances).log(self.variances).sum()))

    def whiten(self, x: Any) -> Any:
        """Map vectors (n, d) to coordinates (n, dim), in which this Gaussian is standard normal.

        Their squared norm is the squared Mahalanobis distance.
        """
        return (x - self.mean) @ self.axes

    def log_prob(self, white: Any) -> Any:
        """Return the log density (n,) on the range, from coordinates (n, dim)."""
        return self.log_volume - 0.5 * namespace(white).square(white).sum(axis=1)

    def on_range(self, x: Any, log_density: Any) -> Any:
        """Return log densities (n,) of rows (n, d) as they are on the range of the fit, and −inf off it.

        A vector counts as on the range when what sticks out is no more than float32 rounding.
        """
        if self.dim == len(self.mean):
            return log_density
        xp, offset = namespace(x), x - self.mean
        residual = xp.linalg.norm(offset - offset @ self.basis @ self.basis.T, axis=1)
        rounding = 16 * float(np.finfo(np.float32).eps)
        bound = rounding * (xp.linalg.norm(offset, axis=1) + xp.linalg.norm(self.mean))
        return xp.where(residual <= bound, log_density, -np.inf)

    def tensors(self) -> dict[str, Float64s]:
        """Return the arrays by name, ready to be kept; `GaussianFit(**tensors, facts=facts)` is the fit again."""
        return {"mean": self.mean, "basis": np.ascontiguousarray(self.basis), "variances": self.variances}

    def density(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d); for a singular fit that on its range, and −inf off it."""
        return self.on_range(x, self.log_prob(self.whiten(x)))


def fit_gaussian(points: Floats, moments: Moments | None, covariance: CovarianceName, rank: int) -> GaussianFit:
    """Fit a Gaussian on a cloud.

    Args:
        points: (n, d), n ≥ 2.
        moments: exact moments of the whole cloud; used instead of the points where the estimate
            allows it (Ledoit–Wolf needs the points themselves).
        covariance: which estimate.
        rank: components kept by 'rank'.

    Raises:
        BadRequest: too few points, not finite, all equal, moments of another width, or a rank above
            the fit's.

    Source: 3.3 (mean and covariance divided by N).
    """
    check_shape(points)
    if moments is not None:
        _check_moments(moments, points.shape[1])
    resolution, fourth = float(np.finfo(np.float32).eps), 0.0
    if moments is None or covariance == "ledoit_wolf":
        check_points(points)
        source = f"{len(points):,} points"
        moments, fourth = _measure(points)
        resolution = float(np.finfo(points.dtype).eps)
    else:
        source = f"exact moments of {moments.count:,} tokens"
    basis, variances, shrinkage = _decompose(moments, covariance, resolution, fourth)
    if len(variances) == 0:
        raise BadRequest(
            f"The {moments.count:,} reference points are equal up to rounding, so there is no spread to fit; "
            "give at least 2 different points."
        )
    kept = len(variances)
    if covariance == "rank":
        if rank > kept:
            raise BadRequest(
                f"rank {rank} is above the {kept} components that {moments.count:,} points of width "
                f"{points.shape[1]} have; choose at most {kept}."
            )
        kept = rank
    facts = _facts(moments, covariance, variances, kept, shrinkage) | {"fitted_on": source}
    return GaussianFit(moments.mean, basis[:, :kept], variances[:kept], facts)


def gaussian_of(mean: Float64s, covariance: Float64s) -> GaussianFit:
    """Return a Gaussian of a given mean (d,) and covariance (d, d), without directions of no variance."""
    variances, basis = np.linalg.eigh(covariance)
    kept = variances > variances[-1] * len(mean) * np.finfo(np.float64).eps
    return GaussianFit(mean, basis[:, kept][:, ::-1], variances[kept][::-1], {})


def as_float32(x: Float64s) -> Float32s:
    """Return float32 values.

    Raises:
        BadRequest: a value is too large for float32, or not finite.
    """
    largest = float(np.abs(x).max(initial=0.0))
    bound = float(np.finfo(np.float32).max)
    if not largest <= bound:
        raise BadRequest(
            f"The prior draws values up to {largest:.3g}, beyond float32's {bound:.3g}; rescale the reference cloud."
        )
    return x.astype(np.float32)


def _check_moments(moments: Moments, d_model: int) -> None:
    if moments.mean.shape != (d_model,) or moments.covariance.shape != (d_model, d_model):
        raise BadRequest(
            f"Moments of width {moments.mean.shape} and {moments.covariance.shape} do not belong to points of width "
            f"{d_model}; pass those of the same cloud."
        )
    if moments.count < 2:
        raise BadRequest(f"Moments over {moments.count} tokens are too few; give at least 2.")
    if not (np.isfinite(moments.mean).all() and np.isfinite(moments.covariance).all()):
        raise BadRequest("The cloud's moments are not finite; capture it again without the tokens that overflow.")


def _measure(points: Floats) -> tuple[Moments, float]:
    """Return moments of the points, divided by N, and the mean fourth power of the distance to the mean.

    Two passes in chunks: a float64 copy of a large cloud never exists. The second one also corrects
    the rounding of the mean, so that equal points have no variance.
    """
    n_points, d_model = points.shape
    step = max(1, CHUNK_VALUES // d_model)
    scatter, shift = np.zeros((d_model, d_model)), np.zeros(d_model)
    fourth = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = points.mean(axis=0, dtype=np.float64)
        for start in range(0, n_points, step):
            centred = points[start : start + step] - mean
            shift += centred.sum(axis=0) / n_points
            scatter += centred.T @ centred / n_points
            fourth += float(np.square(np.square(centred).sum(axis=1)).sum())
    if not (np.isfinite(scatter).all() and np.isfinite(mean).all() and np.isfinite(fourth)):
        raise BadRequest(
            f"The reference points reach {np.abs(points).max():.3g}, and their squares overflow; rescale them."
        )
    return Moments(n_points, mean + shift, scatter - np.outer(shift, shift)), fourth / n_points


@lru_cache(maxsize=4)  # a page fits the same cloud at each move of a slider
def _decompose(
    moments: Moments, covariance: CovarianceName, resolution: float, fourth: float
) -> tuple[Float64s, Float64s, float | None]:
    """Return axes (d, r), their variances (r,) above rounding, falling, and the shrinkage if there is one."""
    d_model = len(moments.mean)
    diagonal = np.diag(moments.covariance)
    noise = np.square(resolution) * (np.square(moments.mean) + diagonal)
    if covariance == "diagonal":
        axes = np.argsort(-diagonal, kind="stable")
        axes = axes[diagonal[axes] > noise[axes]]
        return np.eye(d_model)[:, axes], diagonal[axes], None
    variances, basis = np.linalg.eigh(moments.covariance)
    variances, basis = np.maximum(variances[::-1], 0.0), basis[:, ::-1]
    # Rounding of the inputs looks like a cloud of its own; sqrt(d / N) widens its spectrum (Marchenko and Pastur).
    floor = noise.max() * (1 + np.sqrt(d_model / moments.count)) ** 2
    floor = max(floor, variances[0] * d_model * np.finfo(np.float64).eps)
    rank = min(int((variances > floor).sum()), moments.count - 1)
    shrinkage = None
    if rank and covariance in ("ledoit_wolf", "oas"):
        shrinkage = _shrinkage(covariance, moments.count, variances, fourth)
        variances = (1 - shrinkage) * variances + shrinkage * float(variances.sum()) / d_model
        rank = rank if shrinkage == 0 else int((variances > floor).sum())
    return basis[:, :rank], variances[:rank], shrinkage


def _shrinkage(covariance: CovarianceName, count: int, variances: Float64s, fourth: float) -> float:
    """Return the weight of the sphere by Ledoit and Wolf, or OAS as scikit-learn defines it, from sums alone.

    The error of the empirical covariance S is the mean over points of ‖x xᵀ − S‖², and that is
    `fourth` (the mean fourth power of the distance to the mean) − ‖S‖²: no pass over pairs of
    coordinates is needed.
    """
    d_model, trace, square = len(variances), float(variances.sum()), float(np.square(variances).sum())
    if covariance == "oas":
        scale = (trace / d_model) ** 2
        mean_square = square / d_model**2
        distance = (count + 1) * (mean_square - scale / d_model)
        return 1.0 if distance <= 0 else min((mean_square + scale) / distance, 1.0)
    distance = square - trace**2 / d_model
    error = min(max(fourth - square, 0.0) / count, distance)
    return 0.0 if error <= 0 else error / distance


def _facts(moments: Moments, covariance: str, variances: Float64s, kept: int, shrinkage: float | None) -> JsonObject:
    d_model = len(moments.mean)
    total = float(variances[:kept].sum())
    facts: JsonObject = {
        "covariance": covariance,
        "rank": kept,
        "d_model": d_model,
        "share_of_variance_kept": total / float(variances.sum()),
        **scale_facts(moments.mean, total),
        "condition_number": float(variances[0] / variances[kept - 1]),
    }
    if shrinkage is not None:
        facts["shrinkage"] = shrinkage
    if kept < d_model:
        facts["rank_note"] = (
            f"The covariance has rank {kept} of {d_model}: samples lie in its {kept}-dimensional range around the "
            "mean, and densities are those on that range."
        )
    return facts
