"""Priors whose samples are vectors that exist: how they are drawn, and how far they are spread."""

import numpy as np
from numpy.typing import NDArray


def draw_rows(rows: NDArray[np.floating], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw n of the rows (m, d) at random, none twice while they last: (n, d)."""
    return rows[rng.choice(len(rows), size=n, replace=n > len(rows))].astype(np.float32)


def rows_spread(rows: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Return the mean (d,) and the total variance of rows (m, d)."""
    return rows.mean(axis=0, dtype=np.float64), float(rows.var(axis=0, dtype=np.float64).sum())
