"""Exact first and second moments of a cloud."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """Mean and covariance over all tokens of a cloud, in float64.

    Attributes:
        count: number of tokens.
        mean: (d,).
        covariance: (d, d), divided by `count`.
    """

    count: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
