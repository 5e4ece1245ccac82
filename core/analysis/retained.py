"""Whether the posterior still reveals the prior: classification of whole runs, each left out once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from core.analysis.intervals import permutation_p
from core.analysis.vector_shape import shape
from core.array_types import Float64s, Floats, Ints

N_PERMUTATIONS = 2000
ALPHA = 0.05
MIN_RUNS = 2
"""Fewest runs of a prior, so that one is left when another is left out."""
FEATURES = (
    "log mean norm",
    "spread of log norms",
    "log trace",
    "effective rank",
    "mean cosine between vectors",
    "log norm of the mean",
)
_FLOOR = 1e-12
_EXACT_UP_TO = 8
"""Up to this many runs, all distinct orders of the labels are used: at most 2,520, of two runs of
each of four priors."""


@dataclass(frozen=True)
class Retained:
    """How well runs can be classified by their prior.

    Attributes:
        accuracy: leave-one-run-out share of runs with the correct prior; None if undecided.
        chance: mean accuracy with shuffled labels; None if undecided.
        p: share of shuffled labels with at least that accuracy; None if undecided.
        n_runs: number of runs by prior.
        reason: why it is undecided, or what limits it; otherwise empty.
    """

    accuracy: float | None
    chance: float | None
    p: float | None
    n_runs: dict[str, int]
    reason: str = ""


def run_features(vectors: Floats) -> Float64s:
    """Return the `FEATURES` of a run's vectors (n_prompt, d), which do not depend on the order of vectors."""
    vectors = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    units = vectors / np.maximum(norms, _FLOOR)[:, None]
    found, n = shape(vectors), len(vectors)
    cosine = ((units.sum(axis=0) ** 2).sum() - n) / (n * (n - 1)) if n > 1 else 0.0
    logs = np.log(np.maximum(norms, _FLOOR))
    values = [
        np.log(max(norms.mean(), _FLOOR)),
        logs.std(),
        np.log(max(found.trace, _FLOOR)) if n > 1 else 0.0,
        found.effective_rank if np.isfinite(found.effective_rank) else 1.0,
        cosine,
        np.log(max(np.linalg.norm(vectors.mean(axis=0)), _FLOOR)),
    ]
    return np.array(values, np.float64)


def prior_retained(features: Floats, priors: Sequence[str], rng: np.random.Generator) -> Retained:
    """Classify each run's prior by the nearest class mean of the other runs' posteriors, and test it against chance.

    The run is the unit: features are standardised by the training runs, and labels are shuffled
    over runs.

    Args:
        features: (n_runs, k) of each run's posterior.
        priors: (n_runs,) name of each run's prior.
        rng: draws the permutations if there are too many to use all.
    """
    counts = Counter(priors)
    enough = sorted(name for name, n in counts.items() if n >= MIN_RUNS)
    if len(enough) < 2:
        have = ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "none"
        reason = (
            f"undecided: it takes at least {MIN_RUNS} runs of each of 2 priors (runs by prior: {have}); "
            "tune the same priors with further seeds."
        )
        return Retained(None, None, None, dict(counts), reason)
    chosen = [i for i, name in enumerate(priors) if name in enough]
    points = np.asarray(features, np.float64)[chosen]
    labels = np.array([enough.index(priors[i]) for i in chosen])
    accuracy = leave_one_out(points, labels)
    shuffled = _shuffled(labels, rng)
    null = np.array([leave_one_out(points, order) for order in shuffled])
    p = permutation_p(accuracy, null) if len(labels) > _EXACT_UP_TO else float((null >= accuracy - 1e-9).mean())
    smallest = float((null >= null.max() - 1e-9).mean())
    alone = ", ".join(sorted(set(counts) - set(enough)))
    notes = [f"left out, with a single run: {alone}"] if alone else []
    if smallest > ALPHA:
        notes.append(f"with {len(labels)} runs no p below {smallest:.2g} is possible")
    return Retained(accuracy, float(null.mean()), p, {name: counts[name] for name in enough}, "; ".join(notes))


def leave_one_out(points: Float64s, labels: Ints) -> float:
    """Return the share of points (n, k) whose label is that of the nearest class mean of the other points."""
    hits = 0
    for i in range(len(points)):
        others = np.arange(len(points)) != i
        centre, scale = points[others].mean(axis=0), points[others].std(axis=0)
        ready = (points - centre) / np.where(scale > 1e-9, scale, 1)
        names = np.unique(labels[others])
        means = np.stack([ready[others & (labels == name)].mean(axis=0) for name in names])
        hits += names[np.linalg.norm(means - ready[i], axis=1).argmin()] == labels[i]
    return hits / len(points)


def _shuffled(labels: Ints, rng: np.random.Generator) -> list[Ints]:
    """Return all distinct orders of a few labels, the given one included, or random orders of many."""
    if len(labels) <= _EXACT_UP_TO:
        return [np.array(order) for order in sorted(set(permutations(labels.tolist())))]
    return [rng.permutation(labels) for _ in range(N_PERMUTATIONS)]
