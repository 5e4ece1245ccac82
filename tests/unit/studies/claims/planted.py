"""Benches whose atlases are planted, so that what a claim must come to is known."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.specs import Spec, StudySpec
from core.store import JobFolder, Store
from core.studies.bench import Bench

SEEDS = 5
STUDY = StudySpec.asked("quick", n_seeds=SEEDS)


def _no_jobs(kind: str, _spec: Spec) -> JobFolder:
    raise AssertionError(f"a planted bench was asked for a {kind} job")


class PlantedBench(Bench):
    """A bench of claims on documents, which has no jobs done."""

    def __init__(self) -> None:
        super().__init__(STUDY, Store(Path("unused")), _no_jobs)

    def n_layers(self) -> int:
        return 30


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
