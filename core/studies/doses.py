"""Dose curves of regularisers: what each weight does to its own quantity, and to the loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.analysis.seeds import over_seeds
from core.array_types import Float64s
from core.figures.readings import DoseCurve, doses_figure
from core.jobs.readings import find_penalties, penalties_spec
from core.specs import TuningSpec
from core.store import JobFolder
from core.studies.arms import DOSES, PLAIN, WEIGHTS, arms, dose_arm
from core.studies.bench import Bench
from core.studies.figure import Reproduced

FROM_THE_SAMPLE = ("log_prior",)
"""Regularisers whose quantity has no zero of its own: it counts from the prior sample's."""


@dataclass(frozen=True)
class Dose:
    """What a dose of a regulariser does, seed by seed.

    Attributes:
        moved: (n_seeds,) share of the plain prompt's quantity by which it is smaller; above 0 the
            way that the penalty pushes.
        worse: (n_seeds,) loss minus that of the plain prompt.
    """

    moved: Float64s
    worse: Float64s


def dose_of(bench: Bench, regulariser: str, runs: Sequence[JobFolder], plain: Sequence[JobFolder]) -> Dose:
    """Return what a dose does against plain runs with the same seeds.

    Args:
        bench: measures the plain runs by the regulariser if that is not done yet.
        regulariser: its name in `TuningSpec`, without '_weight'.
        runs: with the dose.
        plain: without, in the same order of seeds.
    """
    measured = [bench.made(find_penalties, "penalties", penalties_spec(run))[regulariser] for run in plain]
    own = [(run.result() or {})["regularisers"][regulariser] for run in runs]
    before, after = (np.array([_quantity(regulariser, one) for one in group], np.float64) for group in (measured, own))
    losses = [np.array([(run.result() or {})["validation"]["loss"] for run in group]) for group in (runs, plain)]
    scale = float(np.abs(before).mean())
    return Dose((before - after) / scale if scale else np.full(len(runs), np.nan), losses[0] - losses[1])


def _quantity(regulariser: str, measured: Mapping[str, float]) -> float:
    return measured["end"] - (measured["start"] if regulariser in FROM_THE_SAMPLE else 0.0)


def title_of(regulariser: str) -> str:
    """Return a regulariser's name for people."""
    return str(TuningSpec.model_fields[f"{regulariser}_weight"].title)


def doses(bench: Bench) -> Reproduced:
    """Make the dose curves of every regulariser, on deep prompts from a fitted Gaussian.

    Source: 3.5 of the paper (the influence of regularization techniques on the posterior).
    """
    curves, rows = [], []
    plain = {int(run.spec["seed"]): run for run in bench.runs(PLAIN)}
    for regulariser, middle in WEIGHTS.items():
        found, weights = [], [middle * dose for dose in DOSES]
        for dose, weight in zip(DOSES, weights, strict=True):
            runs = [run for run in bench.runs(dose_arm(regulariser, dose)) if int(run.spec["seed"]) in plain]
            one = dose_of(bench, regulariser, runs, [plain[int(run.spec["seed"])] for run in runs])
            found.append((over_seeds(-one.moved), over_seeds(one.worse)))
            rows.append(
                {
                    "regulariser": title_of(regulariser),
                    "weight": weight,
                    "seeds": len(runs),
                    "own quantity, change": float(-one.moved.mean()),
                    "loss, change": float(one.worse.mean()),
                }
            )
        curves.append(DoseCurve(title_of(regulariser), weights, [a for a, _ in found], [b for _, b in found]))
    return Reproduced(
        picture=doses_figure(curves),
        points=pd.DataFrame(rows),
        numbers={"model": bench.spec.model.label, "arm": arms(bench.spec)[PLAIN].title, "table": rows},
        caption=(
            "Change of each regulariser's own quantity at the posterior, as a share of the plain prompt's, and of the "
            "validation loss (nats per label token), by weight; mean over seeds with Student's 95 % interval."
        ),
    )
