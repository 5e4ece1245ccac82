"""t-SNE by openTSNE, and placing new points on it without hiding that they lie elsewhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE, TSNEEmbedding
from openTSNE.affinity import PerplexityBasedNN

from core.analysis.distances import kth_distance
from core.errors import BadRequest
from core.progress import Progress, silent

EARLY_ITERATIONS = 250
"""Of early exaggeration, openTSNE's and the literature's default."""
SUPPORT_NEIGHBOUR = 15
SUPPORT_QUANTILE = 0.99
_SUPPORT_SAMPLE = 2000
_REPORT_EVERY = 10
_PLACE_ITERATIONS = 100
_BARNES_HUT_BELOW = 10_000


@dataclass(frozen=True)
class Support:
    """Where a t-SNE map may speak about new points.

    Attributes:
        reference: (n, d) float32, the distinct points fitted on, in the full space.
        radius: largest distance to the k-th neighbour at which a point counts as inside.
        neighbour: k.
    """

    reference: NDArray[np.float32]
    radius: float
    neighbour: int

    def inside(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which points (n, d) have their k-th reference neighbour within the radius, (n,)."""
        return kth_distance(points, self.reference, self.neighbour) <= self.radius


def fit_support(reference: NDArray[np.float32], seed: int) -> Support:
    """Find the k-th-neighbour distance that 99 % of the reference's own points stay under.

    Args:
        reference: (n, d) distinct points.
        seed: of the sample of at most 2,000 rows that the quantile is read from.
    """
    neighbour = min(SUPPORT_NEIGHBOUR, len(reference) - 1)
    rng = np.random.default_rng(seed)
    sample = rng.choice(len(reference), size=min(_SUPPORT_SAMPLE, len(reference)), replace=False)
    own = kth_distance(reference[sample], reference, neighbour + 1)  # the nearest one is the point itself
    return Support(reference, float(np.quantile(own, SUPPORT_QUANTILE)), neighbour)


def fit_tsne(
    scores: NDArray[np.float32],
    n_components: int,
    perplexity: float,
    exaggeration: float,
    n_iterations: int,
    seed: int,
    progress: Progress = silent,
) -> NDArray[np.float32]:
    """Embed distinct points: principal-component start, one thread, so that a seed gives one picture.

    Args:
        scores: (n, k) coordinates in the leading principal components, no row twice.
        n_components: 2 or 3. openTSNE interpolates in up to two dimensions; three go by Barnes–Hut.
        perplexity: effective number of neighbours.
        exaggeration: of the attraction after the early phase; 1 is plain t-SNE.
        n_iterations: after the early phase.
        seed: of the neighbour search.
        progress: called every ten iterations; may raise `Cancelled`.

    Returns:
        (n, n_components) float32, centred on the middle of its range.

    Raises:
        BadRequest: too few distinct points for the perplexity.
    """
    check_perplexity(len(scores), perplexity)
    watch = _Watch(progress, EARLY_ITERATIONS + n_iterations)
    tsne = TSNE(
        n_components=n_components,
        perplexity=_any(perplexity),
        exaggeration=exaggeration,
        early_exaggeration_iter=EARLY_ITERATIONS,
        n_iter=n_iterations,
        initialization="pca",
        negative_gradient_method=_method(len(scores), n_components),
        n_jobs=1,
        random_state=seed,
        callbacks=watch,
        callbacks_every_iters=_REPORT_EVERY,
    )
    embedding = np.array(tsne.fit(np.asarray(scores, np.float64)))
    return (embedding - _middle(embedding)).astype(np.float32)


def place_tsne(
    embedding: NDArray[np.float32],
    scores: NDArray[np.float32],
    new_scores: NDArray[np.float32],
    perplexity: float,
    seed: int,
) -> NDArray[np.float32]:
    """Lay further points on an embedding that stays where it is.

    openTSNE's `transform` centres the reference in place, so it works on a copy here and what it moved is moved back.

    Args:
        embedding: (n, n_components) of the reference.
        scores: (n, k) the reference's inputs.
        new_scores: (m, k) inputs to place; only points inside the support should come here.
        perplexity: at most that of the map; a new point sees reference points only.
        seed: of the neighbour search.

    Returns:
        (m, n_components) float32.
    """
    if not len(new_scores):
        return np.zeros((0, embedding.shape[1]), np.float32)
    affinities = PerplexityBasedNN(
        np.asarray(scores, np.float64), perplexity=_any(perplexity), method="exact", n_jobs=1, random_state=seed
    )
    copy = TSNEEmbedding(
        np.array(embedding, np.float64), affinities, negative_gradient_method="bh", n_jobs=1, random_state=seed
    )
    before = np.array(copy[:1])
    few = _any(min(5.0, perplexity))
    placed = np.array(copy.transform(np.asarray(new_scores, np.float64), perplexity=few, n_iter=_PLACE_ITERATIONS))
    return (placed - (np.array(copy[:1]) - before)).astype(np.float32)


def check_perplexity(n_points: int, perplexity: float) -> None:
    """Check that there are at least three points a neighbour.

    Raises:
        BadRequest: with the largest perplexity that works.
    """
    if n_points <= 3 * perplexity:
        raise BadRequest(
            f"A perplexity of {perplexity:g} needs more than {3 * perplexity:g} distinct points "
            f"but there are {n_points}; lower it to at most {max(1, (n_points - 1) // 3)} or take more points."
        )


class _Watch:
    """openTSNE's callback contract turned into ours; the count runs over both of its phases."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, iteration: int, error: float, embedding: NDArray[np.float64]) -> bool:
        self.done += _REPORT_EVERY
        self.progress(min(self.done, self.total), self.total, f"t-SNE, divergence {error:.3f}")
        return False


def _method(n_points: int, n_components: int) -> str:
    return "bh" if n_components > 2 or n_points < _BARNES_HUT_BELOW else "fft"


def _any(perplexity: float) -> Any:
    """Pass a perplexity where openTSNE's annotation says int and its documentation says float."""
    return perplexity


def _middle(embedding: NDArray[np.floating]) -> NDArray[np.floating]:
    return (embedding.max(axis=0) + embedding.min(axis=0)) / 2
