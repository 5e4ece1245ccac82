"""t-SNE by openTSNE, and overlaying new points without hiding that they lie elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from openTSNE import TSNE, TSNEEmbedding
from openTSNE.affinity import Affinities, Multiscale, PerplexityBasedNN, joint_probabilities_nn
from openTSNE.tsne import OptimizationInterrupt
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from core.array_types import Float32s, Float64s, Floats
from core.errors import BadRequest
from core.progress import Progress, silent
from core.specs.projection import ProjectionSpec

FEWEST_ITERATIONS = 50
"""Iterations after early exaggeration before a fit can be stopped early; also the least that a spec
may ask for."""
_REPORT_EVERY = 10
_PLACE_ITERATIONS = 100
_PLACE_PERPLEXITY = 5.0
_BARNES_HUT_BELOW = 10_000


@dataclass(frozen=True)
class Embedded:
    """The result of t-SNE.

    Attributes:
        coordinates: (n, n_components) float32, centred on the middle of their range.
        n_iterations: after early exaggeration; fewer than requested if the fit was stopped early.
        divergence: final Kullback–Leibler divergence.
    """

    coordinates: Float32s
    n_iterations: int
    divergence: float


def fit_tsne(
    scores: Float32s, spec: ProjectionSpec, progress: Progress = silent, enough: Callable[[], bool] = lambda: False
) -> Embedded:
    """Embed distinct points, starting from principal components, in one thread, so that a seed gives one result.

    Several perplexities make a multiscale map, in which the affinities of all scales are averaged.

    Args:
        scores: (n, k) coordinates in the leading principal components, no row twice.
        spec: parameters of t-SNE. openTSNE interpolates in up to two dimensions; three use
            Barnes–Hut.
        progress: called every ten iterations; may raise `Cancelled`.
        enough: called every ten iterations; once it returns True, the current result is returned,
            though not before `FEWEST_ITERATIONS`. It equals, to the bit, a fit with that number of
            iterations.

    Raises:
        BadRequest: too few distinct points for the largest perplexity.
    """
    scales = spec.perplexities
    check_perplexity(len(scores), scales[-1])
    watch = _Watch(progress, enough, spec)
    inputs = np.asarray(scores, np.float64)
    shared: dict[str, Any] = {"n_jobs": 1, "random_state": spec.seed}
    if len(scales) == 1:
        affinities = PerplexityBasedNN(inputs, **{"perplexity": scales[0], **shared})
    else:
        affinities = Multiscale(inputs, list(scales), **shared)
    settings = {
        "early_exaggeration": spec.early_exaggeration,
        "learning_rate": "auto" if spec.learning_rate is None else spec.learning_rate,
        "negative_gradient_method": "bh" if spec.n_components > 2 or len(scores) < _BARNES_HUT_BELOW else "fft",
        "callbacks": watch,
        "callbacks_every_iters": _REPORT_EVERY,
    }
    tsne = TSNE(spec.n_components, exaggeration=spec.exaggeration, initialization="pca", **settings, **shared)
    embedding: Any = tsne.prepare_initial(inputs, affinities)
    n_iterations = spec.n_iterations
    if spec.n_early_iterations:
        early = {"exaggeration": tsne.early_exaggeration, "momentum": tsne.initial_momentum}
        embedding.optimize(spec.n_early_iterations, inplace=True, propagate_exception=True, **early)
    watch.early = False
    try:
        late = {"exaggeration": tsne.exaggeration, "momentum": tsne.final_momentum}
        embedding.optimize(n_iterations, inplace=True, propagate_exception=True, **late)
        divergence = float(embedding.kl_divergence)
    except OptimizationInterrupt as stopped:
        embedding, divergence = stopped.final_embedding, float(stopped.error)
        n_iterations = watch.stopped
    coordinates = np.array(embedding)
    middle = (coordinates.max(axis=0) + coordinates.min(axis=0)) / 2
    return Embedded((coordinates - middle).astype(np.float32), n_iterations, divergence)


def overlay_tsne(
    embedding: Float32s,
    scores: Float32s,
    new_scores: Float32s,
    perplexity: float,
    seed: int,
    progress: Progress = silent,
) -> Float32s:
    """Overlay further points on an embedding that does not change.

    openTSNE's `transform` centres the reference in place, so it gets a copy, and the shift is
    undone. Always by Barnes–Hut: the interpolation keeps new points within a disc and pulls those
    in the corners inward.

    Args:
        embedding: (n, n_components) of the reference.
        scores: (n, k) the reference's inputs.
        new_scores: (m, k) inputs of the new points, which should be inside the support.
        perplexity: at most that of the map; a new point sees only reference points.
        seed: of the neighbour search.
        progress: called every ten iterations; may raise `Cancelled`.

    Returns:
        (m, n_components) float32.
    """
    if not len(new_scores):
        return np.zeros((0, embedding.shape[1]), np.float32)

    def watch(iteration: int, error: float, _: Float64s) -> bool:
        progress(iteration, _PLACE_ITERATIONS, f"overlaying {len(new_scores):,} points, divergence {error:.3f}")
        return False

    copy = TSNEEmbedding(
        np.array(embedding, np.float64),
        _ToReference(scores),
        negative_gradient_method="bh",
        n_jobs=1,
        random_state=seed,
        callbacks=watch,
        callbacks_every_iters=_REPORT_EVERY,
    )
    before = np.array(copy[:1])
    few: Any = min(_PLACE_PERPLEXITY, perplexity)  # openTSNE's annotation is narrower than its documentation
    placed = np.array(copy.transform(np.asarray(new_scores, np.float64), perplexity=few, n_iter=_PLACE_ITERATIONS))
    return (placed - (np.array(copy[:1]) - before)).astype(np.float32)


def check_perplexity(n_points: int, perplexity: float) -> None:
    """Check that there are at least three points per neighbour.

    Raises:
        BadRequest: naming the largest perplexity that works.
    """
    if n_points <= 3 * perplexity:
        raise BadRequest(
            f"A perplexity of {perplexity:g} needs more than {3 * perplexity:g} distinct points "
            f"but there are {n_points}; lower it to at most {max(1, (n_points - 1) // 3)} or take more points."
        )


class _Watch:
    """Turns openTSNE's callbacks into ours; iterations are counted over both phases."""

    def __init__(self, progress: Progress, enough: Callable[[], bool], spec: ProjectionSpec) -> None:
        self.early = True
        self.stopped = 0
        self._progress, self._enough = progress, enough
        self._first, self._then = spec.n_early_iterations, spec.n_iterations

    def __call__(self, iteration: int, error: float, embedding: Float64s) -> bool:
        """Report progress and return whether to stop.

        openTSNE calls before it takes a step, so `iteration` - 1 steps are done if it stops here.
        """
        phase = "early exaggeration" if self.early else "t-SNE"
        done = iteration if self.early else self._first + iteration
        self._progress(done, self._first + self._then, f"{phase}, divergence {error:.3f}")
        self.stopped = iteration - 1
        return not self.early and self.stopped >= FEWEST_ITERATIONS and self._enough()


class _ToReference(Affinities):
    """Affinities of new points to a reference, which is all that `transform` needs.

    openTSNE's own classes first compute those within the reference, which takes seconds and is not
    needed.
    """

    def __init__(self, scores: Floats) -> None:
        super().__init__()
        self._scores = np.asarray(scores, np.float64)
        self.P: Any = csr_matrix((len(scores), len(scores)))

    def to_new(self, data: Float64s, return_distances: bool = False, perplexity: float = _PLACE_PERPLEXITY) -> Any:
        """Return the affinities (m, n) of points (m, k) and their neighbours; see openTSNE."""
        n = len(self._scores)
        k = min(n, int(3 * perplexity))
        distances, neighbours = NearestNeighbors(n_neighbors=k).fit(self._scores).kneighbors(data)
        near = joint_probabilities_nn(
            neighbours, distances, [perplexity], symmetrize=False, normalization="point-wise", n_reference_samples=n
        )
        return (near, neighbours, distances) if return_distances else near
