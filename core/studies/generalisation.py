"""Prompts read on data that they were not tuned on: the matrix of priors and data sets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.array_types import Float64s
from core.figures.readings import elsewhere_figure
from core.jobs.readings import Elsewhere, find_elsewhere, generalise_spec
from core.specs import DatasetSpec, StudySpec
from core.store import JobFolder
from core.studies.arms import DEEP, SOFT, arms
from core.studies.bench import Bench
from core.studies.figure import Reproduced

REFERENCE: dict[str, str] = {**dict.fromkeys(SOFT, "xavier"), **dict.fromkeys(DEEP, "deep-xavier")}
"""The arm that each is compared with."""


def foreign_datasets(study: StudySpec, arm: str) -> list[DatasetSpec]:
    """Return the data sets that an arm was not tuned on, in the size of the tasks."""
    home = arms(study)[arm].specs[0].dataset
    every = [*(DatasetSpec(name="math", module=task) for task in study.tasks), study.questions]
    sized = [dataset.model_copy(update={"samples": study.n_examples, "seed": study.seed}) for dataset in every]
    return [dataset for dataset in sized if dataset.label != home.label]


def read_abroad(bench: Bench, arm: str, runs: Sequence[JobFolder]) -> list[list[Elsewhere]]:
    """Return what each run's prompt does on the data sets that the arm was not tuned on."""
    datasets = foreign_datasets(bench.spec, arm)
    return [bench.made(find_elsewhere, "generalise", generalise_spec(run, datasets)) for run in runs]


def losses_abroad(bench: Bench, arm: str, runs: Sequence[JobFolder]) -> Float64s:
    """Return the losses of runs on foreign data, (n_runs, n_datasets)."""
    return np.array([[one.loss for one in found] for found in read_abroad(bench, arm, runs)], np.float64)


def generalisation(bench: Bench) -> Reproduced:
    """Make the matrix of priors and data sets.

    Source: the question of 4.1 and 5 of the paper, whether prompts generalise to other domains.
    Deviation: the paper asks it and does not measure it.
    """
    names, rows = [*SOFT, *DEEP], []
    for name in names:
        runs = bench.runs(name)
        for run, found in zip(runs, read_abroad(bench, name, runs), strict=True):
            rows += [
                {
                    "arm": name,
                    "prior": arms(bench.spec)[name].title,
                    "seed": int(run.spec["seed"]),
                    "data": one.label,
                    "loss": one.loss,
                    "no prompt": one.no_prompt,
                }
                for one in found
            ]
    table = pd.DataFrame(rows)
    mean = table.pivot_table(index="arm", columns="data", values="loss", sort=False).loc[names]
    reference = mean.loc[[REFERENCE[name] for name in names]].to_numpy()
    titles = [arms(bench.spec)[name].title for name in names]
    losses = mean.to_numpy()
    return Reproduced(
        picture=elsewhere_figure(titles, list(mean.columns), losses - reference, losses),
        points=table,
        numbers={"model": bench.spec.model.label, "table": _means(table)},
        caption=(
            "Validation loss (nats per label token) of prompts on data sets that they were not tuned on, mean over "
            f"seeds. Soft prompts were tuned on {bench.spec.soft_task.label}, deep ones on "
            f"{bench.spec.deep_task.label}. Colour: the loss minus that of the Xavier prompts of the same method."
        ),
    )


def _means(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the means over seeds, a row per prior and data set."""
    means: Any = table.groupby(["prior", "data"], sort=False, as_index=False)[["loss", "no prompt"]].mean()
    return [{str(name): value for name, value in row.items()} for row in means.to_dict("records")]
