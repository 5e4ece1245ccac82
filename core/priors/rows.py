"""Priors whose samples are vectors that exist: how they are drawn, and how far they are spread."""

import numpy as np

from core.array_types import Float32s, Float64s, Floats


def draw_rows(rows: Floats, n: int, rng: np.random.Generator) -> Float32s:
    """Draw n of the rows (m, d) at random, none twice while they last: (n, d)."""
    return rows[rng.choice(len(rows), size=n, replace=n > len(rows))].astype(np.float32)


def rows_spread(rows: Floats) -> tuple[Float64s, float]:
    """Return the mean (d,) and the total variance of rows (m, d)."""
    return rows.mean(axis=0, dtype=np.float64), float(rows.var(axis=0, dtype=np.float64).sum())
