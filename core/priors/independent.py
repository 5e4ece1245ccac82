"""What priors of independent coordinates around zero share."""

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from core.array_types import Float64s
from core.priors.arrays import exact, namespace
from core.priors.base import Prior, S
from core.priors.radial import log_chi
from core.specs.base import JsonObject


class Independent(Prior[S]):
    """Coordinates of one spread, normal unless a prior says otherwise."""

    @abstractmethod
    def std(self, n: int) -> float:
        """Return the standard deviation of a coordinate when n vectors are drawn at once."""

    def log_prob(self, x: Any) -> Any:
        """Return the log density (n,) of rows (n, d) that were drawn at once."""
        std = self.std(len(x))
        constant = math.log(std) + 0.5 * math.log(2 * math.pi)
        return -0.5 * namespace(x).square(exact(x) / std).sum(axis=1) - self.d_model_ * constant

    def norm_density(self, norms: Float64s, n: int) -> Float64s | None:
        """Return the scaled χ density (m,)."""
        return np.exp(log_chi(norms / self.std(n), self.d_model_)) / self.std(n)

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return zero (d,) and the total variance."""
        return np.zeros(self.d_model_), self.d_model_ * self.std(n) ** 2

    def scale_facts(self, n: int) -> JsonObject:
        """Return what a report says of the spread of n vectors drawn at once."""
        std = self.std(n)
        return {
            "std": std,
            "variance": std**2,
            "d_model": self.d_model_,
            "total_variance": self.d_model_ * std**2,
            "typical_norm": std * float(np.sqrt(self.d_model_)),
        }
