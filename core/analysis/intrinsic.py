"""How many directions a cloud uses: participation ratio and intrinsic dimension (TwoNN)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.units import jackknife
from core.array_types import Float64s, Floats, Indices
from core.errors import BadRequest

_CANDIDATES = 8
"""Number of candidates for the two nearest neighbours, by rounded distances."""


@dataclass(frozen=True)
class BlockMoments:
    """Sums over blocks of documents, which give moments without some blocks at once.

    Attributes:
        counts: (g,) number of points.
        sums: (g, d).
        products: (g, d, d) sums of outer products.
        centre: (d,) subtracted first, for precision.
    """

    counts: Float64s
    sums: Float64s
    products: Float64s
    centre: Float64s

    @cached_property
    def _whole(self) -> tuple[float, Float64s, Float64s]:
        return float(self.counts.sum()), self.sums.sum(axis=0), self.products.sum(axis=0)

    def moments(self, without: Sequence[int] = ()) -> tuple[Float64s, Float64s]:
        """Return mean (d,) and covariance (d, d), with divisor n, of all blocks but those left out."""
        n, total, products = self._whole
        out = list(without)
        n = n - self.counts[out].sum()
        mean = (total - self.sums[out].sum(axis=0)) / n
        covariance = (products - self.products[out].sum(axis=0)) / n - np.outer(mean, mean)
        return self.centre + mean, covariance


def block_moments(points: Floats, block: Indices) -> BlockMoments:
    """Return the sums of points (n, d) over their blocks (n,) 0 … g - 1, none of which is empty."""
    centre = np.asarray(points, np.float64).mean(axis=0)
    centred = points - centre
    parts = [centred[block == number] for number in range(int(block.max()) + 1)]
    return BlockMoments(
        counts=np.array([len(part) for part in parts], np.float64),
        sums=np.array([part.sum(axis=0) for part in parts]),
        products=np.array([part.T @ part for part in parts]),
        centre=centre,
    )


def participation_ratio(covariance: Floats) -> float:
    """Return (Σλ)² / Σλ² of the eigenvalues of a covariance: 1 for a line, d for a ball; NaN for a point."""
    squares = float((covariance**2).sum())
    return float(np.trace(covariance)) ** 2 / squares if squares > 0 else np.nan


def participation(moments: BlockMoments) -> Interval:
    """Return the participation ratio, with an interval that leaves out one block at a time."""
    whole, *left_out = (
        participation_ratio(moments.moments(without)[1])
        for without in [(), *([block] for block in range(len(moments.counts)))]
    )
    return jackknife(whole, np.array(left_out))


def two_nn(points: Floats, between: Floats, documents: Indices, block: Indices) -> Interval:
    """Return the intrinsic dimension from each point's two nearest neighbours in other documents.

    The ratio r2 / r1 has a Pareto distribution whose exponent is the dimension; its
    maximum-likelihood estimate is (n - 1) / Σ ln(r2 / r1).

    Source: Facco et al., 2017; the estimate by Denti et al., 2022.
    Deviation: neighbours come from other documents, so that pairs are independent; all ratios are
        used.

    Args:
        points: (n, d), all different, see `distinct_rows`.
        between: (n, n) distances, perhaps rounded: they only select candidates.
        documents: (n,) document of each point.
        block: (n,) block of documents of each point; the interval leaves out one at a time and
            keeps the neighbours.

    Raises:
        BadRequest: a point has fewer than two points of other documents.
    """
    others = np.where(documents[:, None] == documents, np.inf, between)
    n_near = min(_CANDIDATES, len(others) - 1)
    near = np.argpartition(others, n_near, axis=1)[:, :n_near]
    exact = np.linalg.norm(points[near].astype(np.float64) - points[:, None], axis=2)
    exact[~np.isfinite(np.take_along_axis(others, near, axis=1))] = np.inf
    two = np.sort(exact, axis=1)[:, :2]
    if two.shape[1] < 2 or not np.isfinite(two).all():
        raise BadRequest(
            f"{len(documents)} distinct points of {len(np.unique(documents))} documents are too few for the intrinsic "
            "dimension: each needs two of other documents; give more documents."
        )
    logs = np.log(two[:, 1] / two[:, 0])
    left_out = [_pareto(logs[block != number]) for number in np.unique(block)]
    return jackknife(_pareto(logs), np.array(left_out))


def _pareto(logs: Float64s) -> float:
    return float((len(logs) - 1) / logs.sum())


def distinct_rows(points: Floats) -> Indices:
    """Return the first row of each distinct point, ascending: duplicates are at distance 0 of each other."""
    return np.sort(np.unique(np.ascontiguousarray(points), axis=0, return_index=True)[1])
