"""N(0, std² I): the baseline that knows nothing of the model."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from core.moments import Moments, Reference
from core.priors.base import Prior, check_points
from core.priors.radial import Radii, chi_radii, log_chi
from core.specs.prior import PriorSpec


class IsotropicSpec(PriorSpec):
    """Independent normal coordinates of one spread around zero."""

    title: ClassVar[str] = "Isotropic Gaussian"
    summary: ClassVar[str] = "The same normal distribution around zero for every coordinate; the usual baseline."
    order: ClassVar[int] = 10

    kind: Literal["isotropic"] = "isotropic"
    std: float = Field(
        default=0.02,
        gt=0,
        le=1e6,
        title="Spread",
        description="The number in N(0, ·): the standard deviation of each coordinate, or its variance if read so.",
    )
    reading: Literal["std", "variance"] = Field(
        default="std",
        title="Read the spread as",
        description="The paper's N(0, 0.02) can mean standard deviation 0.02, or variance 0.02 (standard deviation "
        "0.141).",
    )


class Isotropic(Prior[IsotropicSpec]):
    """N(0, std² I).

    Source: 3.3, 4.2 of the paper.
    """

    spec_class = IsotropicSpec

    @property
    def std(self) -> float:
        """Return the standard deviation of a coordinate, whichever way the number was read."""
        return float(np.sqrt(self.spec.std)) if self.spec.reading == "variance" else self.spec.std

    def fit(
        self, points: NDArray[np.floating], moments: Moments | None = None, further: Sequence[Reference] = ()
    ) -> Self:
        """Take the width d from points (n, d); n may be 0.

        Raises:
            BadRequest: the array is not two-dimensional.
        """
        self.d_model_ = check_points(points[:0], least=0).shape[1]
        return self

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw n vectors: (n, d)."""
        return (self.std * rng.standard_normal((n, self.d_model_))).astype(np.float32)

    def log_prob(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the log density (n,) of rows (n, d)."""
        squared = np.square(x.astype(np.float64) / self.std).sum(axis=1)
        return -0.5 * squared - self.d_model_ * (np.log(self.std) + 0.5 * np.log(2 * np.pi))

    def radii(self, x: NDArray[np.floating]) -> Radii:
        """Return ‖x‖/std of rows (n, d) with the χ law."""
        return chi_radii(np.linalg.norm(x.astype(np.float64), axis=1) / self.std, self.d_model_)

    def norm_density(self, norms: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        """Return the scaled χ density (m,)."""
        return np.exp(log_chi(norms / self.std, self.d_model_)) / self.std

    def spread(self, n: int) -> tuple[NDArray[np.float64], float]:
        """Return zero (d,) and the total variance."""
        return np.zeros(self.d_model_), self.d_model_ * self.std**2

    def report(self) -> dict[str, Any]:
        """Return std, variance and the norm that samples have."""
        return {
            "std": self.std,
            "variance": self.std**2,
            "d_model": self.d_model_,
            "total_variance": self.d_model_ * self.std**2,
            "typical_norm": self.std * float(np.sqrt(self.d_model_)),
        }
