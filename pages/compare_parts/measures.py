"""Measures of runs: read from the store, or made by jobs that the Compare page starts."""

from collections.abc import Sequence

import numpy as np

from core.engine.lookup import find
from core.jobs.measure import Measures, find_measures, measure_spec
from core.specs import DatasetSpec, MeasureSpec
from core.store import JobFolder, Store, list_jobs
from core.store.prompts import RunPrompts
from core.tuning.changes import n_changes
from pages.widgets.layout import duration, errors
from pages.widgets.offers import make

_EVALUATION_OVER_STEP = 0.5
"""Assumed ratio of an evaluation's time to that of a training step on as many examples."""


def has_posterior(run: JobFolder) -> bool:
    """Return whether a run has a tuned prompt to measure."""
    return (run.path / "posterior.safetensors").is_file()


def need_measures(
    runs: Sequence[JobFolder], further: Sequence[DatasetSpec], store: Store, worth: bool = False
) -> dict[str, Measures]:
    """Return the measures of runs by id; for the others start the jobs, and show their progress."""
    found: dict[str, Measures] = {}
    for run in filter(has_posterior, runs):
        with errors():
            spec = measure_spec(run, datasets=tuple(further), worth=worth)
            measured = find_measures(spec, store)
            if measured:
                found[run.id] = measured
            else:
                make("measure", spec, store, f"Measuring {spec.run}")
    return found


def asked_for_worth(run: JobFolder, further: Sequence[DatasetSpec], store: Store) -> bool:
    """Return whether the worth of a run's vectors was asked for before."""
    return find("measure", measure_spec(run, datasets=tuple(further), worth=True), store) is not None


def worth_cost(runs: Sequence[tuple[JobFolder, RunPrompts]], store: Store) -> str:
    """Say what measuring the worth of the runs' vectors costs."""
    n_examples = MeasureSpec.model_fields["n_worth"].default
    n_prompts, seconds = 0, 0.0
    pace, known = _measured_pace(store), True
    for run, prompts in runs:
        n = n_changes(len(prompts.sites), prompts.vectors.shape[2])
        n_prompts += n
        examples = min(n_examples, run.spec["n_validation"])
        steps_per_second = (run.result() or {}).get("steps_per_second")
        if (model := run.spec["model"]["name"]) in pace:
            seconds += n * examples * pace[model]
        elif steps_per_second:
            seconds += _EVALUATION_OVER_STEP * n * examples / run.spec["batch_size"] / steps_per_second
        else:
            known = False
    what = f"**Cost:** the loss of {n_prompts:,} changed prompts on {n_examples} validation examples"
    return f"{what}, about {duration(seconds)}." if known else f"{what}; the pace is not known yet."


def _measured_pace(store: Store) -> dict[str, float]:
    """Return the seconds per example and changed prompt, by model, of earlier measures of worth."""
    found: dict[str, list[float]] = {}
    for job in list_jobs(store, "measure")[:50]:
        summary = job.result() or {}
        if summary.get("worth_seconds"):
            n = n_changes(len(summary["sites"]), summary["n_prompt"])
            found.setdefault(summary["model"], []).append(summary["worth_seconds"] / n / summary["n_worth"])
    return {model: float(np.median(paces)) for model, paces in found.items()}
