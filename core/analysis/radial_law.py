"""How far held-out points lie from the centre of a cloud, beside samples of the fitted Gaussian."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from core.analysis.atlas_plan import N_BLOCKS
from core.analysis.intervals import Interval
from core.analysis.intrinsic import block_moments
from core.analysis.peakedness import held_out_mahalanobis
from core.analysis.units import deal, jackknife
from core.array_types import Bools, Float32s, Float64s, Floats, Indices, Ints

N_SAMPLES = 19
"""Samples of the fitted Gaussian; with 19, the cloud is the most extreme of 20 by chance in one
case of 20."""
TENTH = 0.1
"""Share of the Gaussian's own points near the centre, and far out."""
N_FOLDS = 5


@dataclass(frozen=True)
class RadialLaw:
    """Held-out Mahalanobis distances of a cloud's points beside those of the fitted Gaussian's samples.

    Attributes:
        radii: (n,) of the cloud.
        drawn: (n_samples, n) of the samples.
        core: share of points within the radius that holds a tenth of the Gaussian's own, less a
            tenth.
        tail: share of points beyond the radius that a tenth of the Gaussian's own exceed, less a
            tenth.
        core_null: mean and range of the same over the samples.
        tail_null: likewise.
        n_documents: of the cloud.
    """

    radii: Float64s
    drawn: Float64s
    core: Interval
    tail: Interval
    core_null: Interval
    tail_null: Interval
    n_documents: int


def radial_law(
    points: Floats,
    documents: Ints,
    rng: np.random.Generator,
    n_samples: int = N_SAMPLES,
    tick: Callable[[], None] = lambda: None,
) -> RadialLaw:
    """Compare a cloud's radial law with that of the Gaussian with its moments.

    Each point's distance comes from a Ledoit-Wolf fit on other documents. The Gaussian's samples
    have the cloud's documents, and tokens of a document are as much alike as the cloud's
    (`likeness`): with independent tokens a fit on other documents would be better than it can be
    for the cloud, and any cloud of documents would seem to reach farther out. They are measured in
    the same way.

    Args:
        points: (n, d).
        documents: (n,) unit of independence of each point.
        rng: deals documents into blocks and draws the samples.
        n_samples: of the Gaussian.
        tick: called before each sample.

    Returns:
        The law; the intervals leave out one of ten blocks of documents at a time.
    """
    _, unit = np.unique(documents, return_inverse=True)
    n_documents = int(unit.max()) + 1
    block = deal(np.zeros(n_documents, np.intp), min(N_BLOCKS, n_documents), rng)[unit]
    points = np.asarray(points, np.float32)

    def radii(cloud: Float32s) -> Float64s:
        return np.sqrt(held_out_mahalanobis(cloud, block, block_moments(cloud, block), N_FOLDS))

    own, drawn = radii(points), []
    draw = gaussian_like(points, unit)
    for _ in range(n_samples):
        tick()
        drawn.append(radii(draw(rng)))
    samples = np.array(drawn)
    near, far = np.quantile(samples, [TENTH, 1 - TENTH])
    core, core_null = _excess(own <= near, samples <= near, block)
    tail, tail_null = _excess(own > far, samples > far, block)
    return RadialLaw(own, samples, core, tail, core_null, tail_null, n_documents)


def _excess(own: Bools, drawn: Bools, block: Indices) -> tuple[Interval, Interval]:
    """Return the share of points (n,) less a tenth, and its range over samples (n_samples, n)."""
    left_out = np.array([own[block != number].mean() for number in range(int(block.max()) + 1)])
    shares = drawn.mean(axis=1) - TENTH
    null = Interval(float(shares.mean()), float(shares.min()), float(shares.max()))
    return jackknife(float(own.mean()) - TENTH, left_out - TENTH), null


def gaussian_like(points: Floats, unit: Indices) -> Callable[[np.random.Generator], Float32s]:
    """Return a way to draw samples (n, d) of the Gaussian with a cloud's moments and its documents.

    Along each principal direction two points of one document correlate as in the cloud; every
    single point has exactly the fitted Gaussian's law.

    Args:
        points: (n, d).
        unit: (n,) number of each point's document, 0 … n_documents - 1.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    centred = points - mean
    variance, vectors = eigh(centred.T @ centred / len(centred))
    alike = likeness(centred @ vectors, unit)
    scale = np.sqrt(np.clip(variance, 0, None))
    shared, single = ((scale * np.sqrt(share)).astype(np.float32) for share in (alike, 1 - alike))
    turned, n_documents = vectors.T.astype(np.float32), int(unit.max()) + 1

    def draw(rng: np.random.Generator) -> Float32s:
        of_document = rng.standard_normal((n_documents, len(scale)), dtype=np.float32)
        of_point = rng.standard_normal((len(unit), len(scale)), dtype=np.float32)
        return (of_document[unit] * shared + of_point * single) @ turned + mean.astype(np.float32)

    return draw


def likeness(values: Floats, unit: Indices) -> Float64s:
    """Return the correlation of two points of one document in each column of values (n, k), 0 to 1.

    Source: intraclass correlation by analysis of variance, unequal groups (Donner, 1986).
    """
    sizes = np.bincount(unit).astype(np.float64)
    n, n_documents = len(unit), len(sizes)
    if n_documents < 2 or n == n_documents:
        return np.zeros(values.shape[1])
    means = np.stack([np.bincount(unit, column) for column in values.T], axis=1) / sizes[:, None]
    within = ((values - means[unit]) ** 2).sum(axis=0) / (n - n_documents)
    centre = values.mean(axis=0)
    between = (sizes[:, None] * (means - centre) ** 2).sum(axis=0) / (n_documents - 1)
    typical = (n - (sizes**2).sum() / n) / (n_documents - 1)
    shared = (between - within) / typical
    return np.clip(shared / np.maximum(shared + within, 1e-300), 0, 1)
