"""Xavier initialisation of an (n_prompt, d) tensor, a common default of deep prompts."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Float64s
from core.priors.arrays import namespace
from core.priors.independent import Independent
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec


class XavierSpec(PriorSpec, frozen=True):
    """Independent coordinates with variance 2 / (n_prompt + d)."""

    title = "Xavier"
    summary = "The spread that keeps signals level in a layer of this shape; the usual prior of deep prompts."
    differentiable = ("distribution", "normal")

    kind: Literal["xavier"] = "xavier"
    distribution: Literal["uniform", "normal"] = Field(default="uniform", title="Distribution")
    """Uniform within ±sqrt(6 / (n_prompt + d)), or normal with the same variance."""
    n_prompt: int | None = Field(default=None, ge=1, le=1_000_000, title="Rows of the tensor")
    """The spread depends on it. Empty: the number of vectors drawn at once; set it to preview more
    vectors than a prompt has."""


class Xavier(Independent[XavierSpec]):
    """Zero mean, variance 2 / (fan_in + fan_out), where fan_in is d and fan_out the number of prompt vectors.

    Source: 4.2 of the paper.
    """

    spec_class = XavierSpec

    def std(self, n: int) -> float:
        """Return the standard deviation of a coordinate when n vectors are drawn."""
        return float(np.sqrt(2 / ((self.spec.n_prompt or n) + self.d_model_)))

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d)."""
        shape = (n, self.d_model_)
        if self.spec.distribution == "normal":
            return (self.std(n) * rng.standard_normal(shape)).astype(np.float32)
        bound = np.sqrt(3) * self.std(n)
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d) that were drawn at once."""
        if self.spec.distribution == "normal":
            return super().log_prob(x)
        std = self.std(len(x))
        # The bound as float32 rounds it: a sample on the edge belongs to the support.
        inside = (abs(x) <= float(np.float32(np.sqrt(3) * std))).all(axis=1)
        return namespace(x).where(inside, -self.d_model_ * np.log(2 * np.sqrt(3) * std), -np.inf)

    def norm_density(self, norms: Float64s, n: int) -> Float64s | None:
        """Return the scaled χ density (m,) where the coordinates are normal."""
        return super().norm_density(norms, n) if self.spec.distribution == "normal" else None

    def report(self) -> JsonObject:
        """Return the spread at the set number of rows, or at the paper's 20 where it follows what is drawn."""
        rows = self.spec.n_prompt or 20
        return {
            "distribution": self.spec.distribution,
            "rows": rows,
            "rows_note": "as set" if self.spec.n_prompt else "an example; the spread follows the number drawn at once",
            **self.scale_facts(rows),
        }
