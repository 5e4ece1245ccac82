"""The losses of a run as it told them, step by step. Free of torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.store.jobs import JobFolder

BASELINES = {"no_prompt": "no prompt", "prior_sample": "prior sample", "instruction": "instruction"}


@dataclass(frozen=True)
class Losses:
    """The losses of a run so far.

    Attributes:
        steps: (n,) and `losses` (n,) of the training batches.
        losses: training loss.
        evaluation_steps: (m,).
        evaluation_losses: (m,) validation loss.
        baselines: validation loss of 'no prompt', 'prior sample' and 'instruction', once they are
            known.
    """

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    evaluation_steps: NDArray[np.int64]
    evaluation_losses: NDArray[np.float64]
    baselines: dict[str, float]


def read_losses(job: JobFolder) -> Losses:
    """Return the losses that the run has told so far; a resumed run's later word on a step counts."""
    training: dict[int, float] = {}
    evaluations: dict[int, float] = {}
    baselines: dict[str, float] = {}
    for event in job.events():
        match event.get("event"):
            case "step":
                training[event["step"]] = event["loss"]
            case "evaluation":
                evaluations[event["step"]] = event["validation"]["loss"]
            case "baseline":
                baselines |= {word: event[name]["loss"] for name, word in BASELINES.items() if event.get(name)}
            case _:
                pass
    return Losses(
        np.array(sorted(training)),
        np.array([training[step] for step in sorted(training)]),
        np.array(sorted(evaluations)),
        np.array([evaluations[step] for step in sorted(evaluations)]),
        baselines,
    )
