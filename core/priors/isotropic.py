"""N(0, std² I): the baseline that knows nothing of the model."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.array_types import Float32s, Floats
from core.priors.independent import Independent
from core.priors.radial import Radii, chi_radii
from core.specs.base import JsonObject
from core.specs.prior import PriorSpec, Scale


class IsotropicSpec(PriorSpec, frozen=True):
    """Independent normal coordinates of one spread around zero."""

    title = "Isotropic Gaussian"
    summary = "The same normal distribution around zero for every coordinate; the usual baseline."
    differentiable = True
    sliders: ClassVar = {"std": Scale(1e-3, 10)}

    kind: Literal["isotropic"] = "isotropic"
    std: float = Field(default=0.02, gt=0, le=1e6, title="Spread")
    """The number in N(0, ·): standard deviation or variance of each coordinate, as chosen below."""
    reading: Literal["std", "variance"] = Field(default="std", title="Read the spread as")
    """The paper's N(0, 0.02) can mean standard deviation 0.02, or variance 0.02 (standard deviation
    0.141)."""


class Isotropic(Independent[IsotropicSpec]):
    """N(0, std² I).

    Source: 3.3, 4.2 of the paper.
    """

    spec_class = IsotropicSpec

    def std(self, n: int) -> float:
        """Return the standard deviation of a coordinate, whichever way the number was read."""
        return float(np.sqrt(self.spec.std)) if self.spec.reading == "variance" else self.spec.std

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n vectors: (n, d)."""
        return (self.std(n) * rng.standard_normal((n, self.d_model_))).astype(np.float32)

    def radii(self, x: Floats) -> Radii:
        """Return ‖x‖/std of rows (n, d) with the χ law."""
        return chi_radii(np.linalg.norm(x.astype(np.float64), axis=1) / self.std(len(x)), self.d_model_)

    def report(self) -> JsonObject:
        """Return std, variance and the norm that samples have."""
        return self.scale_facts(1)
