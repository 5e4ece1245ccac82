"""Tuning runs as pages read them: prompts, losses, labels. Reads folders, computes nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file

from core.specs import TuningSpec
from core.store import JobFolder

BASELINES = {"no_prompt": "no prompt", "prior_sample": "prior sample"}


@dataclass(frozen=True)
class Prompts:
    """The prompt of a run along its way.

    Attributes:
        steps: (n,) int64 of each snapshot, the first 0.
        vectors: (n, n_prompt, d) float32; the first is the prior sample, the last the posterior or the latest.
    """

    steps: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @property
    def prior(self) -> NDArray[np.float32]:
        """Return the prior sample, (n_prompt, d)."""
        return self.vectors[0]

    @property
    def posterior(self) -> NDArray[np.float32]:
        """Return the last prompt, (n_prompt, d)."""
        return self.vectors[-1]


@dataclass(frozen=True)
class Losses:
    """The losses of a run so far.

    Attributes:
        steps: (n,) and `losses` (n,) of the training batches.
        losses: training loss.
        evaluation_steps: (m,).
        evaluation_losses: (m,) validation loss.
        baselines: validation loss of 'no prompt' and 'prior sample', once they are known.
    """

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    evaluation_steps: NDArray[np.int64]
    evaluation_losses: NDArray[np.float64]
    baselines: dict[str, float]


def spec_of(job: JobFolder) -> TuningSpec:
    """Return what a run was asked for."""
    import core.priors  # noqa: F401 - importing it defines the kinds

    return TuningSpec.parse(job.spec)


def label(job: JobFolder) -> str:
    """Return a short name that tells runs apart."""
    spec = spec_of(job)
    short = spec.model.name.rstrip("/").rsplit("/", 1)[-1]
    parts = (spec.prior.kind, spec.dataset.label, short, f"rate {spec.learning_rate:g}", f"seed {spec.seed}", job.id)
    return " · ".join(parts)


def read_prompts(job: JobFolder) -> Prompts | None:
    """Return prior sample, snapshots and posterior as far as they are written, or None before the first."""
    steps: list[NDArray[np.int64]] = []
    vectors: list[NDArray[np.float32]] = []
    trajectory = job.path / "trajectory.safetensors"
    if trajectory.exists():
        tensors = load_file(trajectory)
        steps.append(tensors["step"])
        vectors.append(tensors["prompt"])
    status = job.status()
    # A running job's posterior file is a copy made at a checkpoint; its trajectory is newer.
    ends = {"prior": 0} | ({"posterior": status.done} if status.ended else {})
    for name, step in ends.items():
        path = job.path / f"{name}.safetensors"
        if path.exists():
            steps.append(np.array([step]))
            vectors.append(load_file(path)["prompt"][None])
    if not vectors:
        return None
    every, prompts = np.concatenate(steps), np.concatenate(vectors).astype(np.float32)
    unique, first = np.unique(every, return_index=True)
    return Prompts(unique.astype(np.int64), prompts[first])


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
    return Losses(
        np.array(sorted(training)),
        np.array([training[step] for step in sorted(training)]),
        np.array(sorted(evaluations)),
        np.array([evaluations[step] for step in sorted(evaluations)]),
        baselines,
    )


def quality_row(job: JobFolder) -> dict[str, Any]:
    """Return a run's line of the quality table; numbers it does not have are left out."""
    spec, status, result = spec_of(job), job.status(), job.result() or {}
    row: dict[str, Any] = {
        "run": job.id,
        "prior": spec.prior.kind,
        "data": spec.dataset.label,
        "rate": spec.learning_rate,
        "seed": spec.seed,
        "steps": spec.steps,
        "state": status.state,
    }
    validation, baseline = result.get("validation") or {}, result.get("baseline") or {}
    for name in ("loss", "accuracy", "exact_match", "f1", "precision", "recall"):
        row[name.replace("_", " ")] = validation.get(name)
    for name, word in BASELINES.items():
        row[f"loss, {word}"] = (baseline.get(name) or {}).get("loss")
    row["steps a second"] = result.get("steps_per_second")
    return row


def coordinates_table(job: JobFolder, prompts: Prompts, before: NDArray, after: NDArray) -> pd.DataFrame:
    """Return coordinates of each vector on a map, before and after, for a download."""
    frame = pd.DataFrame({"run": job.id, "vector": np.arange(len(prompts.prior))})
    for name, coordinates in (("prior", before), ("posterior", after)):
        for axis in range(coordinates.shape[1]):
            frame[f"{name}_{axis + 1}"] = coordinates[:, axis]
    return frame
