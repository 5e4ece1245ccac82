"""What came of a sweep: a row per run, and how its groups compare at the rate that suits each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.displacement import displacement
from core.analysis.quantities import quantity
from core.analysis.rates import ChosenRate, Trial, choose_rate, differences, losses_at_others_choice
from core.analysis.seeds import over_seeds
from core.analysis.steps_to_target import common_target, steps_to_target
from core.jobs.comparison import data_name
from core.jobs.sweep import Standing, loss_of, trials
from core.specs.base import JsonObject
from core.specs.cells import MAX_CELLS
from core.store import JobFolder
from core.store.endings import ending_of
from core.store.prompts import read_prompts

TIMES = ("seconds", "steps_per_second")
"""Columns of the table that are other numbers each time a run is done; all others are the same."""
_MEASURES = ("loss", "answer_loss", "end_loss", "accuracy", "exact_match", "f1", "precision", "recall")
CHOSEN_ON = {
    "other seeds": "The rate was chosen on other seeds than those compared.",
    "each seed's others": "For each seed the rate was chosen on all other seeds.",
    "the same seed": "The rate was chosen on the very seed that is compared, which flatters whoever had more luck; add "
    "seeds.",
    "given": "One rate was tried.",
}
"""How a group came by the rate at which it is compared, and what is to be said of it."""


@dataclass(frozen=True)
class _Compared:
    """The runs that a group is compared by, one per seed, and how its rate was chosen among the trials."""

    names: Mapping[str, Any]
    prior: str
    chosen: ChosenRate
    chosen_on: str
    runs: Sequence[Standing]
    trials: Sequence[Trial]


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


def best_rates(found: Sequence[Standing], target: float | None = None) -> JsonObject:
    """Return how the groups of a sweep compare, each at its own best rate.

    The rate is chosen by the mean validation loss at the end, on other seeds than those that are compared if there are
    any. Groups are compared in pairs that differ in one thing.

    Args:
        found: how the runs stand.
        target: see `runs_table`, here of the compared runs alone.

    Returns:
        `groups` (names, rate, search by rate, chosen_on, loss with its interval over seeds, losses and steps to the
        target by seed) and `differences`; groups none of whose rates came to a loss on every seed are left out.
    """
    groups: dict[str, list[Standing]] = {}
    for one in found:
        groups.setdefault(one.cell.group, []).append(one)
    compared = [what for mine in groups.values() if (what := _compared(mine)) and what.runs]
    runs = [one for what in compared for one in what.runs]
    table = runs_table(runs, target) if runs else pd.DataFrame()
    by_run = {row["run"]: row for row in table.to_dict("records")}
    described = [_group(what, [by_run[one.job.id] for one in what.runs if one.job]) for what in compared]
    losses = {str(i): {int(s): loss for s, loss in group["losses"].items()} for i, group in enumerate(described)}
    pairs = [(str(i), str(k)) for i, k in combinations(range(len(described)), 2) if _alike(described[i], described[k])]
    return {
        "groups": described,
        "differences": [
            {
                "first": described[int(pair.first)]["names"],
                "second": described[int(pair.second)]["names"],
                "difference": quantity(pair.value, p=pair.p),
                "n_seeds": pair.n,
            }
            for pair in differences(losses, pairs)
        ],
    }


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


def _compared(mine: Sequence[Standing]) -> _Compared | None:
    """Return how a group is compared; None without a rate."""
    search = [one for one in mine if one.cell.stage == "search"]
    tried = trials(search)
    chosen = choose_rate(tried)
    if chosen is None:
        return None
    apart = [one for one in mine if one.cell.stage == "compare" and one.state == "succeeded"]
    by_place = {(one.cell.spec.seed, one.cell.spec.learning_rate): one for one in search}
    if apart:
        runs, how = apart, "other seeds"
    elif len({trial.rate for trial in tried}) == 1:
        runs, how = [one for one in search if loss_of(one) is not None], "given"
    elif chosen.n_seeds > 1:
        runs = [by_place[seed, rate] for seed, (rate, _) in losses_at_others_choice(tried).items()]
        how = "each seed's others"
    else:
        runs, how = [by_place[tried[0].seed, chosen.rate]], "the same seed"
    one = search[0].cell
    return _Compared(one.shown_of_group, one.spec.prior.kind, chosen, how, runs, tried)


def _group(what: _Compared, rows: Sequence[Mapping[str, Any]]) -> JsonObject:
    reached = [row["steps_to_target"] for row in rows]
    steps = [float("inf") if step is None or np.isnan(step) else float(step) for step in reached]
    middle = float(np.median(steps)) if steps else float("inf")
    return {
        "names": what.names,
        "prior": what.prior,
        **{name: value for name, value in asdict(what.chosen).items() if name != "loss"},
        "search_loss": what.chosen.loss,
        "search": [asdict(trial) for trial in what.trials],
        "chosen_on": what.chosen_on,
        "loss": quantity(over_seeds([row["loss"] for row in rows])),
        "losses": {str(row["seed"]): row["loss"] for row in rows},
        "rates": {str(row["seed"]): row["learning_rate"] for row in rows},
        "runs": [row["run"] for row in rows],
        "target": rows[0]["target"],
        "steps_to_target": {
            str(row["seed"]): None if step == float("inf") else int(step) for row, step in zip(rows, steps, strict=True)
        },
        "steps_to_target_median": middle if np.isfinite(middle) else None,
    }


def _alike(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Return whether two groups differ in one thing, and not in their data, on which losses are not comparable."""
    names, others = first["names"], second["names"]
    differing = [name for name in names if names[name] != others.get(name)]
    return len(differing) == 1 and differing != ["data"]
