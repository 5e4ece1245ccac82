"""When a run first reaches a target loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reached:
    """When a run's validation loss first was at most the target.

    Attributes:
        step: of that evaluation; None if there is none.
        after: step of the evaluation before; the true step lies after it. None if there is none.
    """

    step: int | None
    after: int | None


def steps_to_target(steps: Sequence[int], losses: Sequence[float], target: float) -> Reached:
    """Return when the validation loss at evaluated steps, which ascend, was first at most a target."""
    reached = np.flatnonzero(np.asarray(losses, float) <= target)
    if not len(reached):
        return Reached(None, int(steps[-1]) if len(steps) else None)
    first = int(reached[0])
    return Reached(int(steps[first]), int(steps[first - 1]) if first else None)


def common_target(losses: Sequence[Sequence[float]]) -> float | None:
    """Return a target that all runs reached: the worst of their best validation losses; None without losses."""
    best = [min(found) for found in losses if len(found)]
    return max(best) if best else None
