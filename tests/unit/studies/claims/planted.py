"""Benches whose runs and atlases are planted, so that what a claim must come to is known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from core.specs import Spec, StudySpec
from core.store import JobFolder, Store
from core.studies.bench import Bench

SEEDS = 5
STUDY = StudySpec.asked(True, n_seeds=SEEDS)
Wave = Sequence[float]
WOBBLE = np.array([-0.01, 0.004, 0.012, -0.006, 0.0])
"""What seeds differ by."""


def _no_jobs(kind: str, _spec: Spec) -> JobFolder:
    raise AssertionError(f"a planted bench was asked for a {kind} job")


class PlantedRun(JobFolder):
    """A run with a final loss, a loss without a prompt, and a curve."""

    def __init__(self, name: str, loss: float, untuned: float = 3.0, steps: Wave = (), losses: Wave = ()) -> None:
        super().__init__(Path(name))
        self._loss, self._untuned = loss, untuned
        self._curve = list(zip(steps, losses, strict=True))

    def result(self) -> dict[str, Any]:
        return {"validation": {"loss": self._loss}, "baseline": {"no_prompt": {"loss": self._untuned}}}

    def events(self, **_equal: Any) -> Iterator[dict[str, Any]]:
        for step, loss in self._curve:
            yield {"event": "evaluation", "step": step, "validation": {"loss": loss}}


class PlantedBench(Bench):
    """A bench that gives planted runs and measures."""

    def __init__(self, runs: Mapping[str, list[PlantedRun]], measured: Mapping[str, list[dict]] | None = None) -> None:
        super().__init__(STUDY, Store(Path("unused")), _no_jobs)
        self._runs, self._measured = runs, measured or {}

    def runs(self, arm: str) -> Any:
        return self._runs[arm]

    def measured(self, arm: str) -> Any:
        return [SimpleNamespace(summary=summary) for summary in self._measured[arm]]

    def n_layers(self) -> int:
        return 30


def runs_with(losses: Mapping[str, float], noise: float = 1.0, untuned: float = 3.0) -> dict[str, list[PlantedRun]]:
    """Return runs whose final losses are these means, each prior's seeds wobbling in its own order."""
    return {
        arm: [
            PlantedRun(f"t-{arm}-{seed}", mean + noise * float(np.roll(WOBBLE, place)[seed]), untuned)
            for seed in range(SEEDS)
        ]
        for place, (arm, mean) in enumerate(losses.items())
    }


def quantity(value: float, reach: float, null: float = 0.0, null_reach: float = 0.01, p: float = 0.005) -> dict:
    """Return a number as an atlas has it."""
    return {
        "value": value,
        "low": value - reach,
        "high": value + reach,
        "null": null,
        "null_low": null - null_reach,
        "null_high": null + null_reach,
        "p": p,
    }


def atlas(names: Sequence[str], groups: Callable[[Any], dict], sites: Sequence[Any] = (0, 15, "final"), n: int = 1000):
    """Return an atlas whose numbers at a site are those of a function."""
    summary = {"names": list(names), "n_documents": [n] * len(names)}
    return SimpleNamespace(summary=summary, sites=list(sites), groups=groups)
