"""What claims read of tuning runs: final losses, curves of the loss, and seed-by-seed differences."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.analysis.equivalence import Equivalence, tost
from core.analysis.verdict import Bounds
from core.store import JobFolder
from core.studies.arms import arms
from core.studies.bench import Bench
from core.studies.claims.base import Part

MARGIN = 0.05
"""Nats a label token: losses that differ by less give perplexities within about 5 % of each other."""
TOST_LEVEL = 0.9
"""Two one-sided tests at 0.05 are the 90 % interval against the margin."""
DIFFERENCE = "difference of the validation loss, nats a label token"


def final_losses(runs: Sequence[JobFolder]) -> NDArray[np.float64]:
    """Return the validation loss at the end of each run, (n_runs,)."""
    return np.array([(run.result() or {})["validation"]["loss"] for run in runs], np.float64)


def untuned_losses(runs: Sequence[JobFolder]) -> NDArray[np.float64]:
    """Return the validation loss of each run's model without any prompt, (n_runs,)."""
    return np.array([(run.result() or {})["baseline"]["no_prompt"]["loss"] for run in runs], np.float64)


def curve(run: JobFolder) -> tuple[list[int], list[float]]:
    """Return the steps of a run's evaluations, rising, and the validation loss at each."""
    found = {int(event["step"]): float(event["validation"]["loss"]) for event in run.events(event="evaluation")}
    return sorted(found), [found[step] for step in sorted(found)]


def title(bench: Bench, arm: str) -> str:
    """Return an arm in words."""
    return arms(bench.spec)[arm].title


def same_quality(bench: Bench, names: Sequence[str]) -> tuple[list[Part], list[JobFolder]]:
    """Return the difference of the final loss of every two arms against the margin, and the arms' runs.

    The same seed gives the same examples in the same order, so that seeds are paired.
    """
    runs = {name: bench.runs(name) for name in names}
    losses = {name: final_losses(found) for name, found in runs.items()}
    parts = [
        quality_part(f"{title(bench, one)} − {title(bench, other)}", tost(losses[one], losses[other], MARGIN, True))
        for one, other in combinations(names, 2)
    ]
    return parts, [run for found in runs.values() for run in found]


def quality_part(name: str, found: Equivalence, bounds: Bounds | None = None) -> Part:
    """Return a tested difference of losses as a part; bounds are the margin's unless others are given."""
    margin = Bounds(-found.margin, found.margin)
    n = min(found.n)
    return Part(name, DIFFERENCE, found.difference, bounds or margin, None, found.p, n, freedom=max(n - 1, 1))
