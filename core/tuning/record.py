"""What a run writes into its folder as it goes, and how it is taken up again."""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional

from core.lm.shapes import Prompt
from core.specs.base import JsonObject
from core.specs.reading import parse_json
from core.store.files import disk_errors, write_atomically, write_json
from core.store.jobs import JobFolder
from core.store.record_files import DIGEST
from core.store.seal import arrays_digest
from core.tuning.loop import Step, TrainerState

SEALED = "sealed"
"""In the metadata of a checkpoint that holds a checksum: without the name of the checksum it is damaged."""
logger = logging.getLogger(__name__)

MAX_SNAPSHOTS = 1000
MAX_SNAPSHOT_BYTES = 256_000_000
"""A run keeps at most about so many copies of its prompt, however many steps it has."""
STEP_COLUMNS = ("loss", "gradient_norm", "learning_rate", "seconds", "penalty")
WRITE_SECONDS = 1.0
"""The growing trajectory is written at most this often while it grows."""


def snapshot_interval(steps: int, asked: int, n_values: int) -> int:
    """Return the steps between snapshots: as asked, or wider where they would be too many.

    Args:
        steps: of the run.
        asked: steps between snapshots.
        n_values: of one prompt, 4 bytes each.
    """
    most = max(2, min(MAX_SNAPSHOTS, MAX_SNAPSHOT_BYTES // (4 * n_values)))
    return max(asked, -(-steps // most))


@dataclass
class Record:
    """All that a run has found so far, kept with each checkpoint.

    Attributes:
        seconds: spent in all, over all attempts.
        training_seconds: spent on training steps.
        baseline: measures of no prompt and of the prior sample; empty until they are made.
        metrics: one row of `STEP_COLUMNS` a step, the first one first.
        evaluations: one row an evaluation.
        snapshots: step → prompt.
    """

    seconds: float = 0.0
    training_seconds: float = 0.0
    baseline: JsonObject = field(default_factory=dict)
    metrics: list[list[float]] = field(default_factory=list)
    evaluations: list[JsonObject] = field(default_factory=list)
    snapshots: dict[int, Prompt] = field(default_factory=dict)


class RunWriter:
    """Writes a run's files, each of them whole or not at all."""

    def __init__(self, job: JobFolder, record: Record, sites: Sequence[int] | None) -> None:
        """Point at the run's folder.

        Args:
            job: the folder.
            record: what it holds.
            sites: prompted blocks of a deep prompt; None for a soft one.
        """
        self.job = job
        self.record = record
        self.sites = None if sites is None else torch.tensor(sites)
        self._written = 0.0

    def prior(self, prompt: Prompt, report: JsonObject) -> None:
        """Write the prior sample and what its fit reported."""
        self._save("prior.safetensors", self._stored(prompt))
        write_json(self.job.path / "prior.json", report)

    def posterior(self, prompt: Prompt) -> None:
        """Write the prompt that is the best known end of the run."""
        self._save("posterior.safetensors", self._stored(prompt))

    def step(self, step: Step, seconds: float) -> None:
        """Tell of one step."""
        self.record.training_seconds += seconds
        self.record.metrics.append([step.loss, step.gradient_norm, step.learning_rate, seconds, step.penalty])
        self.job.append(event="step", step=step.number, loss=step.loss, penalty=step.penalty, seconds=seconds)

    def baselines(self, baseline: JsonObject) -> None:
        """Tell what no prompt and the prior sample are worth."""
        self.record.baseline = baseline
        self.job.append(event="baseline", **baseline)

    def evaluation(self, step: int, validation: JsonObject) -> None:
        """Tell of one evaluation."""
        self.record.evaluations.append({"step": step, **validation})
        self.job.append(event="evaluation", step=step, validation=validation)

    def snapshot(self, step: int, prompt: Prompt) -> None:
        """Keep a copy of the prompt, and show the trajectory so far."""
        self.record.snapshots[step] = prompt.detach().cpu().clone()
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.trajectory()

    def trajectory(self) -> None:
        """Write all snapshots."""
        steps = sorted(self.record.snapshots)
        prompts = torch.stack([self.record.snapshots[step] for step in steps])
        self._save("trajectory.safetensors", {**self._stored(prompts), "step": torch.tensor(steps)})
        self._written = time.monotonic()

    def metrics(self) -> None:
        """Write `metrics.parquet`: one row per step, with validation columns where measured after that step."""
        steps = pd.DataFrame(self.record.metrics, columns=list(STEP_COLUMNS))
        steps.insert(0, "step", range(1, len(steps) + 1))
        found = pd.DataFrame(self.record.evaluations or [{"step": 0}])
        found = found.rename(columns={name: f"validation_{name}" for name in found.columns if name != "step"})
        table = steps.merge(found, how="outer", on="step").sort_values("step")
        with disk_errors(self.job.path):
            write_atomically(self.job.path / "metrics.parquet", table.to_parquet(index=False))

    def checkpoint(self, state: TrainerState, key: str) -> None:
        """Write all that the run needs to go on to the very same numbers."""
        notes = {
            "key": key,
            "step": state.step,
            "seconds": self.record.seconds,
            "training_seconds": self.record.training_seconds,
            "baseline": self.record.baseline,
            "evaluations": self.record.evaluations,
        }
        prompts = {f"snapshot.{step}": prompt for step, prompt in self.record.snapshots.items()}
        prompts |= {"prompt": state.prompt, "first_moment": state.first_moment, "second_moment": state.second_moment}
        tensors = {name: self._stored(prompt)["prompt"] for name, prompt in prompts.items()}
        tensors["metrics"] = torch.tensor(self.record.metrics, dtype=torch.float64).view(-1, len(STEP_COLUMNS))
        folder = self.job.path / "checkpoint"
        folder.mkdir(exist_ok=True)
        digest = arrays_digest({name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}, notes)
        self._save("checkpoint/state.safetensors", tensors, {**notes, DIGEST: digest})

    def _stored(self, prompt: Tensor) -> dict[str, Tensor]:
        """Return prompts (…, n_sites, n_prompt, d_model) as files hold them: a soft one without the axis of sites."""
        return {"prompt": prompt.squeeze(-3)} if self.sites is None else {"prompt": prompt, "site": self.sites}

    def _save(self, name: str, tensors: dict[str, Tensor], notes: JsonObject | None = None) -> None:
        metadata = {"priorscope": json.dumps(notes), SEALED: "yes"} if notes else None
        ready = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
        with disk_errors(self.job.path):
            write_atomically(self.job.path / name, save(ready, metadata))


def read_checkpoint(folder: Path, key: str) -> tuple[TrainerState, Record] | None:
    """Return where a run stood, or None where there is no checkpoint of this key that can be read.

    Args:
        folder: the run's.
        key: of spec, weights and data; another one means another run.
    """
    path = folder / "checkpoint" / "state.safetensors"
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            notes = parse_json(file.metadata()["priorscope"])
            told = notes.pop(DIGEST, "" if SEALED in file.metadata() else None)  # version 0.1.0 wrote neither
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        if told is not None and told != arrays_digest(arrays, notes):
            logger.warning("The checkpoint does not match its checksum; the run begins again.")
            return None
        metrics = _whole_rows(tensors.pop("metrics")).tolist()
        prompts = {name: stored if stored.ndim == 3 else stored[None] for name, stored in tensors.items()}
        state = TrainerState(
            notes["step"], *(prompts.pop(name) for name in ("prompt", "first_moment", "second_moment"))
        )
        record = Record(
            seconds=notes["seconds"],
            training_seconds=notes["training_seconds"],
            baseline=notes["baseline"],
            metrics=metrics,
            evaluations=notes["evaluations"],
        )
        snapshots = {int(name.removeprefix("snapshot.")): prompt for name, prompt in prompts.items()}
        record.snapshots = dict(sorted(snapshots.items()))
    except (SafetensorError, KeyError, TypeError, ValueError, OSError):
        return None
    return (state, record) if notes["key"] == key else None


def _whole_rows(metrics: Tensor) -> Tensor:
    """Return rows of `STEP_COLUMNS`: a run begun before there were penalties has none."""
    return functional.pad(metrics, (0, len(STEP_COLUMNS) - metrics.shape[1]))
