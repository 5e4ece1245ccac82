"""Two tables of the paper: quality and speed of each prior, and the effect of regularisation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.seeds import over_seeds
from core.analysis.steps_to_target import common_target, steps_to_target
from core.figures.forest import Lines, forest_figure
from core.jobs.measure import Measures
from core.specs import TuningSpec
from core.store.endings import CONVERGED
from core.studies.arms import COMPARED, PLAIN, REGULARISED, Arm, arms
from core.studies.bench import Bench
from core.studies.figure import Reproduced

LOSS = "validation loss, nats per label token"
BASELINES = ("no prompt", "instruction")
QUALITY = ("loss", "accuracy", "exact_match", "f1", "precision", "recall")


def quality(bench: Bench) -> Reproduced:
    """Make the table of validation quality and time to converge, one row per prior and rate.

    Source: 3.5, 4.2 and 4.4 of the paper.
    Deviation: speed is the step at which the loss first reaches a value that all runs on the task
        reach.
    """
    known = arms(bench.spec)
    chosen = [known[name] for name in COMPARED]
    measured = {arm.name: bench.measured(arm.name) for arm in chosen}
    rows, panels = [], []
    for task, group in _tasks(chosen).items():
        target = common_target([found.summary["evaluations"]["loss"] for arm in group for found in measured[arm.name]])
        rows += [_quality_row(task, arm, measured[arm.name], target) for arm in group]
        panels.append(_panel(task, group, measured))
    return Reproduced(
        picture=forest_figure(panels, LOSS),
        points=pd.DataFrame(rows),
        numbers={"model": bench.spec.model.label, "table": rows},
        caption=(
            "Validation loss at the end of runs from each prior, mean over seeds with Student's 95 % "
            "interval; lines mark the model without a prompt and with an instruction. The table gives means over "
            "seeds. Steps to target count to the worst of the best losses on the same task, which every run reaches."
        ),
    )


def regularisation(bench: Bench) -> Reproduced:
    """Make the table of what each regulariser does to the posterior of deep prompts.

    Source: 3.5 of the paper ("observe how different regularization techniques affect the posterior
        distributions").
    """
    known = arms(bench.spec)
    site = bench.n_layers() - 1
    chosen = [known[name] for name in (PLAIN, *REGULARISED)]
    measured = {arm.name: bench.measured(arm.name) for arm in chosen}
    rows = [_posterior_row(arm, measured[arm.name], site) for arm in chosen]
    panels = [
        Lines(title, {arm.title: over_seeds(_at(measured[arm.name], site, group, name)) for arm in chosen})
        for title, group, name in (
            ("Angle of the displacement, degrees", "displacement", "angle"),
            ("Effective rank of the posterior", "shape", "effective_rank"),
        )
    ]
    losses = Lines(LOSS.capitalize(), {arm.title: over_seeds(_losses(measured[arm.name])) for arm in chosen})
    return Reproduced(
        picture=forest_figure([losses, *panels], ""),
        points=pd.DataFrame(rows),
        numbers={"model": bench.spec.model.label, "site": site, "table": rows},
        caption=(
            f"Deep prompts from a fitted Gaussian on {bench.spec.deep_task.label}, each with one regulariser at one "
            f"weight, at the input of block {site}; mean over seeds with Student's 95 % interval."
        ),
    )


def _tasks(chosen: Sequence[Arm]) -> dict[str, list[Arm]]:
    """Return arms by task (method, data and blocks): only losses of the same task compare."""
    found: dict[str, list[Arm]] = {}
    for arm in chosen:
        found.setdefault(_task(arm.specs[0]), []).append(arm)
    return found


def _task(spec: TuningSpec) -> str:
    blocks = f" before blocks {', '.join(map(str, spec.prompt_sites))}" if spec.method == "deep" else ""
    return f"{spec.method} prompts{blocks} on {spec.dataset.label}"


def _panel(task: str, group: Sequence[Arm], measured: dict[str, list[Measures]]) -> Lines:
    nulls = measured[group[0].name][0].summary["quality"]["loss"].get("nulls", {})
    levels = {name: nulls[name]["value"] for name in BASELINES if "value" in nulls.get(name, {})}
    return Lines(task.capitalize(), {arm.title: over_seeds(_losses(measured[arm.name])) for arm in group}, levels)


def _quality_row(task: str, arm: Arm, measured: Sequence[Measures], target: float | None) -> dict[str, object]:
    spec = arm.specs[0]
    row: dict[str, object] = {"task": task, "prior": arm.title, "rate": spec.learning_rate, "seeds": len(measured)}
    row["converged"] = sum(found.summary.get("ending") == CONVERGED for found in measured)
    interval = over_seeds(_losses(measured))
    for name in QUALITY:
        values = [found.summary["quality"].get(name, {}).get("value") for found in measured]
        known = [value for value in values if value is not None]
        row[name.replace("_", " ")] = float(np.mean(known)) if known else None
        if name == "loss":
            row |= {"loss low": _finite(interval.low), "loss high": _finite(interval.high)}
    return {**row, "steps to target": _steps(measured, target)}


def _steps(measured: Sequence[Measures], target: float | None) -> float | None:
    """Return the mean step at which runs reached a target, or None if one never did."""
    if target is None:
        return None
    curves = [found.summary["evaluations"] for found in measured]
    steps = [steps_to_target(curve["step"], curve["loss"], target).step for curve in curves]
    reached = [step for step in steps if step is not None]
    return float(np.mean(reached)) if len(reached) == len(steps) else None


def _posterior_row(arm: Arm, measured: Sequence[Measures], site: int) -> dict[str, object]:
    own = next(iter(_sites(measured, site)[0]["place"]))
    return {
        "regulariser": arm.title,
        "seeds": len(measured),
        "loss": float(np.mean(_losses(measured))),
        "angle": float(np.mean(_at(measured, site, "displacement", "angle"))),
        "distance over norm": float(np.mean(_at(measured, site, "displacement", "relative"))),
        "effective rank": float(np.mean(_at(measured, site, "shape", "effective_rank"))),
        "cosine distance to nearest token": float(np.mean(_at(measured, site, "collapse", "cosine"))),
        f"inside {own}": float(np.mean([one["place"][own]["inside"]["value"] for one in _sites(measured, site)])),
    }


def _sites(measured: Sequence[Measures], site: int) -> list[Mapping[str, Any]]:
    return [next(one for one in found.summary["sites"] if one["site"] == site) for found in measured]


def _at(measured: Sequence[Measures], site: int, group: str, name: str) -> list[float]:
    return [one[group][name]["value"] for one in _sites(measured, site)]


def _losses(measured: Sequence[Measures]) -> list[float]:
    return [found.summary["quality"]["loss"]["value"] for found in measured]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
