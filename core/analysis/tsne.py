"""t-SNE by openTSNE, and overlays of new points that do not hide where the map has no support."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE, TSNEEmbedding
from openTSNE.affinity import Affinities, Multiscale, PerplexityBasedNN, joint_probabilities_nn
from openTSNE.tsne import OptimizationInterrupt
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from core.analysis.distances import kth_distance
from core.errors import BadRequest
from core.progress import Progress, silent
from core.specs.projection import ProjectionSpec

FEWEST_ITERATIONS = 50
"""After early exaggeration, before which nobody can have enough: the least that a spec may ask for."""
SUPPORT_NEIGHBOUR = 15
SUPPORT_QUANTILE = 0.99
_SUPPORT_SAMPLE = 2000
_REPORT_EVERY = 10
_PLACE_ITERATIONS = 100
_PLACE_PERPLEXITY = 5.0
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


@dataclass(frozen=True)
class Embedded:
    """What t-SNE gave.

    Attributes:
        coordinates: (n, n_components) float32, centred on the middle of their range.
        n_iterations: done after early exaggeration; fewer than asked for where somebody had enough.
        divergence: Kullback–Leibler divergence at the end.
    """

    coordinates: NDArray[np.float32]
    n_iterations: int
    divergence: float


def never() -> bool:
    """Return False: nobody has had enough."""
    return False


def fit_tsne(
    scores: NDArray[np.float32], spec: ProjectionSpec, progress: Progress = silent, enough: Callable[[], bool] = never
) -> Embedded:
    """Embed distinct points: principal-component start, one thread, so that a seed gives one picture.

    Several perplexities make a multiscale map: the affinities of each scale are averaged.

    Args:
        scores: (n, k) coordinates in the leading principal components, no row twice.
        spec: what is asked of t-SNE. openTSNE interpolates in up to two dimensions; three go by Barnes–Hut.
        progress: called every ten iterations; may raise `Cancelled`.
        enough: asked every ten iterations; once it says yes, what is drawn is returned, though not before the fewest
            iterations that a map may have. It is what a fit of so many iterations gives, to the bit.

    Raises:
        BadRequest: too few distinct points for the largest perplexity.
    """
    scales = spec.perplexities
    check_perplexity(len(scores), scales[-1])
    watch = _Watch(progress, enough, spec)
    inputs = np.asarray(scores, np.float64)
    affinities = _affinities(inputs, scales, spec.seed)
    tsne = TSNE(
        n_components=spec.n_components,
        exaggeration=spec.exaggeration,
        early_exaggeration=_any(spec.early_exaggeration),
        learning_rate=_any("auto" if spec.learning_rate is None else spec.learning_rate),
        initialization="pca",
        negative_gradient_method=_method(len(scores), spec.n_components),
        n_jobs=1,
        random_state=spec.seed,
        callbacks=watch,
        callbacks_every_iters=_REPORT_EVERY,
    )
    embedding: Any = tsne.prepare_initial(inputs, affinities)
    n_iterations = spec.n_iterations
    if spec.n_early_iterations:
        early: dict[str, Any] = {"exaggeration": tsne.early_exaggeration, "momentum": tsne.initial_momentum}
        embedding.optimize(spec.n_early_iterations, inplace=True, propagate_exception=True, **early)
    watch.early = False
    try:
        late: dict[str, Any] = {"exaggeration": tsne.exaggeration, "momentum": tsne.final_momentum}
        embedding.optimize(n_iterations, inplace=True, propagate_exception=True, **late)
        divergence = float(embedding.kl_divergence)
    except OptimizationInterrupt as stopped:
        embedding, divergence = stopped.final_embedding, float(stopped.error)
        n_iterations = watch.stopped
    coordinates = np.array(embedding)
    return Embedded((coordinates - _middle(coordinates)).astype(np.float32), n_iterations, divergence)


def overlay_tsne(
    embedding: NDArray[np.float32],
    scores: NDArray[np.float32],
    new_scores: NDArray[np.float32],
    perplexity: float,
    seed: int,
    progress: Progress = silent,
) -> NDArray[np.float32]:
    """Lay further points on an embedding that stays where it is.

    openTSNE's `transform` centres the reference in place, so it works on a copy here and what it moved is moved back.
    Always by Barnes–Hut: the interpolation keeps new points within a disc and pulls those in the corners inward.

    Args:
        embedding: (n, n_components) of the reference.
        scores: (n, k) the reference's inputs.
        new_scores: (m, k) inputs to place; only points inside the support should come here.
        perplexity: at most that of the map; a new point sees reference points only.
        seed: of the neighbour search.
        progress: called every ten iterations; may raise `Cancelled`.

    Returns:
        (m, n_components) float32.
    """
    if not len(new_scores):
        return np.zeros((0, embedding.shape[1]), np.float32)

    def watch(iteration: int, error: float, _: NDArray[np.float64]) -> bool:
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
    few = _any(min(_PLACE_PERPLEXITY, perplexity))
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

    def __init__(self, progress: Progress, enough: Callable[[], bool], spec: ProjectionSpec) -> None:
        self.early = True
        self.stopped = 0
        self._progress, self._enough = progress, enough
        self._first, self._then = spec.n_early_iterations, spec.n_iterations

    def __call__(self, iteration: int, error: float, embedding: NDArray[np.float64]) -> bool:
        """Report, and say whether to stop.

        openTSNE calls before it takes the step, so that `iteration` - 1 are done if it stops here.
        """
        phase = "early exaggeration" if self.early else "t-SNE"
        done = iteration if self.early else self._first + iteration
        self._progress(done, self._first + self._then, f"{phase}, divergence {error:.3f}")
        self.stopped = iteration - 1
        return not self.early and self.stopped >= FEWEST_ITERATIONS and self._enough()


class _ToReference(Affinities):
    """Affinities of new points to a reference: all that `transform` asks for.

    Those within the reference, which openTSNE's own classes compute first, take seconds and are not looked at.
    """

    def __init__(self, scores: NDArray[np.floating]) -> None:
        super().__init__()
        self._scores = np.asarray(scores, np.float64)
        self.P: Any = csr_matrix((len(scores), len(scores)))

    def to_new(self, data: NDArray[np.float64], perplexity: float = _PLACE_PERPLEXITY, return_distances: bool = False):
        """Return the affinities (m, n) of points (m, k) and their neighbours; see openTSNE."""
        n = len(self._scores)
        k = min(n, int(3 * perplexity))
        distances, neighbours = NearestNeighbors(n_neighbors=k).fit(self._scores).kneighbors(data)
        near = joint_probabilities_nn(
            neighbours, distances, [perplexity], symmetrize=False, normalization="point-wise", n_reference_samples=n
        )
        return (near, neighbours, distances) if return_distances else near


def _affinities(inputs: NDArray[np.float64], scales: tuple[float, ...], seed: int) -> Affinities:
    if len(scales) == 1:
        return PerplexityBasedNN(inputs, perplexity=_any(scales[0]), n_jobs=1, random_state=seed)
    return Multiscale(inputs, perplexities=list(scales), n_jobs=1, random_state=seed)


def _method(n_points: int, n_components: int) -> str:
    return "bh" if n_components > 2 or n_points < _BARNES_HUT_BELOW else "fft"


def _any(value: Any) -> Any:
    """Pass a value where openTSNE's annotation is narrower than its documentation."""
    return value


def _middle(embedding: NDArray[np.floating]) -> NDArray[np.floating]:
    return (embedding.max(axis=0) + embedding.min(axis=0)) / 2
