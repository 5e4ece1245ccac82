"""Tuning runs as pages read them: prompts, losses, labels. Reads folders, computes nothing."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.jobs.measure import tuning_spec
from core.specs import TuningSpec
from core.specs.describe import describe
from core.store import JobFolder
from core.store.imported import imported, unknown_settings
from core.store.losses import BASELINES
from core.store.prompts import RunPrompts

_SETTINGS = {"rate": "learning_rate", "seed": "seed", "steps": "steps"}


def label(job: JobFolder) -> str:
    """Return a short name that tells runs apart."""
    spec = tuning_spec(job)
    short = spec.model.name.rstrip("/").rsplit("/", 1)[-1]
    method = "deep " if spec.method == "deep" else ""
    weights = [
        f"{name.removesuffix('_weight').replace('_', ' ')} {value:g}" for name, value in weights_of(spec).items()
    ]
    settings = (
        f"rate {spec.learning_rate:g}{' relative' if spec.rate_unit == 'relative' else ''}",
        f"seed {spec.seed}",
    )
    if imported(job):
        settings = ("imported",) if unknown_settings(job) else (*settings, "imported")
    parts = (f"{method}{spec.prior.kind}", spec.dataset.label, short, *settings)
    return " · ".join((*parts, *weights, job.id))


def weights_of(spec: TuningSpec) -> dict[str, float]:
    """Return the regularisers' weights that are not 0, by field."""
    return {name: weight for name in spec.regularisers() if (weight := getattr(spec, name))}


def regulariser_rows(job: JobFolder, spec: TuningSpec) -> list[dict[str, object]]:
    """Return a line per regulariser: weight, and penalty at the start and at the end if the run has ended."""
    found = (job.result() or {}).get("regularisers") or {}
    titles = {field.name: field.title for field in describe(TuningSpec)}
    rows = []
    for name, weight in weights_of(spec).items():
        effect = found.get(name.removesuffix("_weight")) or {}
        start, end = effect.get("start"), effect.get("end")
        rows.append({"regulariser": titles[name], "weight": weight, "at the start": start, "at the end": end})
    return rows


def quality_row(job: JobFolder) -> dict[str, object]:
    """Return a run's line of the quality table; numbers it does not have are left out."""
    spec, status, result = tuning_spec(job), job.status(), job.result() or {}
    row: dict[str, object] = {
        "run": job.id,
        "prior": spec.prior.kind,
        "data": spec.dataset.label,
        "rate": spec.learning_rate,
        "seed": spec.seed,
        "steps": spec.steps,
        "state": status.state,
    }
    row |= {name: None for name, setting in _SETTINGS.items() if setting in unknown_settings(job)}
    validation, baseline = result.get("validation") or {}, result.get("baseline") or {}
    for name in ("loss", "accuracy", "exact_match", "f1", "precision", "recall"):
        row[name.replace("_", " ")] = validation.get(name)
    for name, word in BASELINES.items():
        row[f"loss, {word}"] = (baseline.get(name) or {}).get("loss")
    row["steps per second"] = result.get("steps_per_second")
    return row


def coordinates_table(job: JobFolder, prompts: RunPrompts, before: NDArray, after: NDArray) -> pd.DataFrame:
    """Return coordinates of each vector on a map, before and after, for a download."""
    frame = pd.DataFrame({"run": job.id, "vector": np.arange(prompts.vectors.shape[2])})
    for name, coordinates in (("prior", before), ("posterior", after)):
        for axis in range(coordinates.shape[1]):
            frame[f"{name}_{axis + 1}"] = coordinates[:, axis]
    return frame
