"""What came of the runs of a sweep: a row per run."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.displacement import displacement
from core.analysis.steps_to_target import common_target, steps_to_target
from core.jobs.comparison import data_name
from core.jobs.sweep import Standing
from core.specs.base import JsonObject
from core.specs.cells import MAX_CELLS
from core.store import JobFolder
from core.store.endings import ending_of
from core.store.prompts import read_prompts

TIMES = ("seconds", "steps_per_second")
"""Columns of the table that are other numbers each time a run is done; all others are the same."""
_MEASURES = ("loss", "answer_loss", "end_loss", "accuracy", "exact_match", "f1", "precision", "recall")


def outcome(one: Standing) -> JsonObject:
    """Return what came of a run.

    Returns:
        run, status, and as far as they are known: validation, baseline, displacement, regularisers, ending, steps,
        seconds, steps_per_second, evaluations (step → validation loss), error.
    """
    status = one.status
    if one.job is None or status is None:
        return {"run": None, "status": one.state, **({"error": one.error} if one.error else {})}
    row: JsonObject = {"run": one.job.id, "status": status.state}
    if status.state != "succeeded":
        return {**row, "error": status.error} if status.error else row
    return {**row, **_given(one.job.path, status.finished)}


def runs_table(found: Sequence[Standing], target: float | None = None) -> pd.DataFrame:
    """Return a row per run: its place on the axes, how it stands, quality, speed and displacement.

    Steps are counted to the validation loss `target`; None: the worst of the best losses on the same data.
    """
    given = [outcome(one) for one in found]
    data = [data_name(one.cell.spec) for one in found]
    targets = {own: _target(given, [other == own for other in data], target) for own in data}
    rows = [_row(one, what, targets[own]) for one, what, own in zip(found, given, data, strict=True)]
    return pd.DataFrame(rows)


def displacement_of(job: JobFolder) -> dict[str, float] | None:
    """Return how far a run's vectors have travelled, at all its sites together; None before there is a prompt.

    Returns:
        medians over the vectors: angle (degrees), distance, norm before and after.
    """
    prompts = read_prompts(job)
    if prompts is None:
        return None
    d_model = prompts.vectors.shape[-1]
    moved = displacement(prompts.vectors[0].reshape(-1, d_model), prompts.vectors[-1].reshape(-1, d_model))
    parts = {
        "angle_median": moved.angle,
        "distance_median": moved.distance,
        "norm_before_median": moved.norm_before,
        "norm_after_median": moved.norm_after,
    }
    return {name: float(np.median(values)) for name, values in parts.items()}


@lru_cache(maxsize=2 * MAX_CELLS)
def _given(path: Path, _finished: float) -> Mapping[str, Any]:
    """Return what a run that has succeeded gave; `_finished` tells one doing of it from the next."""
    job = JobFolder(path)
    result, moved = job.result() or {}, displacement_of(job)
    named = ("validation", "baseline", "regularisers", "steps", *TIMES)
    found = {**{name: result[name] for name in named if name in result}, "ending": ending_of(job)}
    # A resumed run's later word on a step counts.
    losses = {int(event["step"]): event["validation"]["loss"] for event in job.events(event="evaluation")}
    return {**found, **({"displacement": moved} if moved else {}), "evaluations": dict(sorted(losses.items()))}


def _target(given: Sequence[Mapping[str, Any]], mine: Sequence[bool], target: float | None) -> float | None:
    losses = [list(what.get("evaluations", {}).values()) for what, own in zip(given, mine, strict=True) if own]
    return common_target(losses) if target is None else target


def _row(one: Standing, given: Mapping[str, Any], target: float | None) -> JsonObject:
    validation, baseline = given.get("validation") or {}, given.get("baseline") or {}
    losses = given.get("evaluations") or {}
    reached = steps_to_target(list(losses), list(losses.values()), target) if losses and target is not None else None
    return {
        **one.cell.settings,
        "stage": one.cell.stage,
        "run": given["run"],
        "status": given["status"],
        "ending": given.get("ending", ""),
        **{name: validation.get(name) for name in _MEASURES},
        "loss_no_prompt": (baseline.get("no_prompt") or {}).get("loss"),
        "loss_prior_sample": (baseline.get("prior_sample") or {}).get("loss"),
        "best_loss": min(losses.values(), default=None),
        "target": target,
        "steps_to_target": reached.step if reached else None,
        "not_before": reached.after if reached else None,
        "angle_median": (given.get("displacement") or {}).get("angle_median"),
        **{name: given.get(name) for name in TIMES},
        "error": given.get("error", ""),
    }
