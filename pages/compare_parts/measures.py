"""Measures of runs: read from the store, or made by jobs that the Compare page starts."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.engine.lookup import find
from core.jobs.costs import total
from core.jobs.measure import Measures, find_measures, measure_spec
from core.specs import DatasetSpec, MeasureSpec
from core.store import JobFolder, Store, list_succeeded
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
            if find_measures(spec, store) is None:
                make("measure", spec, store, f"Measuring {spec.run}")
            # Again, since a job that ended in between shows nothing that would redraw the page.
            if measured := find_measures(spec, store):
                found[run.id] = measured
    return found


def asked_for_worth(run: JobFolder, further: Sequence[DatasetSpec], store: Store) -> bool:
    """Return whether the worth of a run's vectors was asked for before."""
    return find("measure", measure_spec(run, datasets=tuple(further), worth=True), store) is not None


def worth_cost(runs: Sequence[tuple[JobFolder, RunPrompts]], store: Store) -> str:
    """Say what measuring the worth of the runs' vectors costs."""
    n_examples = MeasureSpec.model_fields["n_worth"].default
    n_prompts, seconds = 0, list[float | None]()
    pace = _measured_pace(store)
    for run, prompts in runs:
        n = n_changes(len(prompts.sites), prompts.vectors.shape[2])
        n_prompts += n
        seconds.append(_seconds(run, n, min(n_examples, run.spec["n_validation"]), pace))
    known = total(seconds)
    what = f"**Cost:** the loss of {n_prompts:,} changed prompts on {n_examples} validation examples"
    return f"{what}, about {duration(known)}." if known is not None else f"{what}; the pace is not known yet."


def reading_cost(run: JobFolder, n_prompts: int, store: Store) -> str:
    """Say what reading prompts on a run's validation examples costs."""
    n_examples = run.spec["n_validation"]
    seconds = _seconds(run, n_prompts, n_examples, _measured_pace(store))
    what = f"**Cost:** the loss of {n_prompts} prompts on {n_examples} validation examples"
    return f"{what}, about {duration(seconds)}." if seconds is not None else f"{what}; the pace is not known yet."


def _seconds(run: JobFolder, n_prompts: int, n_examples: int, pace: Mapping[str, float]) -> float | None:
    """Return how long prompts take on a run's examples, from earlier measures or its own steps."""
    steps_per_second = (run.result() or {}).get("steps_per_second")
    if (model := run.spec["model"]["name"]) in pace:
        return n_prompts * n_examples * pace[model]
    if steps_per_second:
        return _EVALUATION_OVER_STEP * n_prompts * n_examples / run.spec["batch_size"] / steps_per_second
    return None


def _measured_pace(store: Store) -> dict[str, float]:
    """Return the seconds per example and changed prompt, by model, of earlier measures of worth."""
    found: dict[str, list[float]] = {}
    for _, summary in list_succeeded(store, "measure", 50):
        if summary.get("worth_seconds"):
            n = n_changes(len(summary["sites"]), summary["n_prompt"])
            found.setdefault(summary["model"], []).append(summary["worth_seconds"] / n / summary["n_worth"])
    return {model: float(np.median(paces)) for model, paces in found.items()}
