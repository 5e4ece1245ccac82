"""Xavier initialisation of an (n_prompt, d) tensor, a common default of deep prompts."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from core.moments import Moments, Reference
from core.priors.base import Prior, check_points
from core.priors.radial import log_chi
from core.specs.prior import PriorSpec


class XavierSpec(PriorSpec):
    """Independent coordinates with variance 2 / (n_prompt + d)."""

    title: ClassVar[str] = "Xavier"
    summary: ClassVar[str] = "The spread that keeps signals level in a layer of this shape; deep prompts' usual start."
    order: ClassVar[int] = 20

    kind: Literal["xavier"] = "xavier"
    distribution: Literal["uniform", "normal"] = Field(
        default="uniform",
        title="Distribution",
        description="Uniform within ±sqrt(6 / (n_prompt + d)), or normal with the same variance.",
    )
    n_prompt: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        title="Rows of the tensor",
        description="The spread depends on it. Empty: as many as are drawn at once; set it to preview more vectors "
        "than a prompt has.",
    )


class Xavier(Prior[XavierSpec]):
    """Zero mean, variance 2 / (fan_in + fan_out), where fan_in is d and fan_out the number of prompt vectors.

    Source: 4.2 of the paper.
    """

    spec_class = XavierSpec

    def fit(
        self, points: NDArray[np.floating], moments: Moments | None = None, further: Sequence[Reference] = ()
    ) -> Self:
        """Take the width d from points (n, d); n may be 0.

        Raises:
            BadRequest: the array is not two-dimensional.
        """
        self.d_model_ = check_points(points[:0], least=0).shape[1]
        return self

    def std(self, n: int) -> float:
        """Return the standard deviation of a coordinate when n vectors are drawn."""
        return float(np.sqrt(2 / ((self.spec.n_prompt or n) + self.d_model_)))

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw n vectors: (n, d)."""
        shape = (n, self.d_model_)
        if self.spec.distribution == "normal":
            return (self.std(n) * rng.standard_normal(shape)).astype(np.float32)
        bound = np.sqrt(3) * self.std(n)
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    def log_prob(self, x: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the log density (n,) of rows (n, d) that were drawn at once."""
        std = self.std(len(x))
        if self.spec.distribution == "normal":
            squared = np.square(x.astype(np.float64) / std).sum(axis=1)
            return -0.5 * squared - self.d_model_ * (np.log(std) + 0.5 * np.log(2 * np.pi))
        # The bound as float32 rounds it: a sample on the edge belongs to the support.
        bound = np.float32(np.sqrt(3) * std)
        inside = (np.abs(x) <= bound).all(axis=1)
        return np.where(inside, -self.d_model_ * np.log(2 * np.sqrt(3) * std), -np.inf)

    def norm_density(self, norms: NDArray[np.float64], n: int) -> NDArray[np.float64] | None:
        """Return the scaled χ density (m,) where the coordinates are normal."""
        if self.spec.distribution != "normal":
            return None
        return np.exp(log_chi(norms / self.std(n), self.d_model_)) / self.std(n)

    def spread(self, n: int) -> tuple[NDArray[np.float64], float]:
        """Return zero (d,) and the total variance."""
        return np.zeros(self.d_model_), self.d_model_ * self.std(n) ** 2

    def report(self) -> dict[str, Any]:
        """Return the spread at the set number of rows, or at the paper's 20 where it follows what is drawn."""
        rows = self.spec.n_prompt or 20
        std = self.std(rows)
        return {
            "distribution": self.spec.distribution,
            "rows": rows,
            "rows_note": "as set" if self.spec.n_prompt else "an example; the spread follows the number drawn at once",
            "std": std,
            "variance": std**2,
            "d_model": self.d_model_,
            "total_variance": self.d_model_ * std**2,
            "typical_norm": std * float(np.sqrt(self.d_model_)),
        }
