"""Does it help to start at the posterior of another task? Each task is also tuned from scratch."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.analysis.quantities import quantity
from core.analysis.rates import PairedDifference, differences
from core.analysis.seeds import over_seeds
from core.figures.sweep_results import transfer_figure
from core.specs import DatasetSpec, StudySpec, TuningSpec
from core.store import JobFolder, Store
from core.studies.arms import PLAIN, arms
from core.studies.bench import Bench, find_run
from core.studies.figure import Reproduced

SECOND_MODULE = "arithmetic__mul"
LEAST_SEEDS_OF_A_GAUSSIAN = 4
"""With fewer seeds, a Gaussian over their posteriors is little more than those prompts."""
EXACT, GAUSSIAN = "exact", "gaussian"

Pair = tuple[str, str, str]
"""The task that gives the prior, the task that is tuned, and how the prior is drawn."""


def transfer(bench: Bench) -> Reproduced:
    """Make the transfer matrix of questions and two modules of arithmetic, with deep prompts.

    Runs with the same seed see the same examples in the same order, from scratch as from a
    posterior, so gains are paired by seed. Each run ends where its own loss no longer improves.

    Source: 5 of the paper ("posterior embedding distributions … as priors for consequent tasks"),
        which proposes it but does not try it.
    """
    tasks = tasks_of(bench.spec)
    names = list(tasks)
    scratch = {name: [bench.made(find_run, "tune", spec) for spec in specs] for name, specs in tasks.items()}
    draws = _draws(bench.spec)
    pairs = _pairs(names, draws)
    started = {
        pair: [bench.made(find_run, "tune", spec) for spec in started_at(tasks[pair[1]], scratch[pair[0]], pair[2])]
        for pair in pairs
    }
    found = dict(zip(pairs, _gains(scratch, started), strict=True))
    rows = [_row(pair, difference, scratch, started) for pair, difference in found.items()]
    helped = [gain for gain in found.values() if gain.value.low > 0]
    hurt = [gain for gain in found.values() if gain.value.high < 0]
    return Reproduced(
        picture=_picture(names, found),
        points=pd.DataFrame(rows),
        numbers={
            "model": bench.spec.model.name,
            "tasks": names,
            "from_scratch": {name: quantity(over_seeds(_losses(runs))) for name, runs in scratch.items()},
            "pairs": [
                {**_named(pair), "gain": quantity(gain.value, p=gain.p), "n_seeds": gain.n}
                for pair, gain in found.items()
            ],
            "runs": [run.id for runs in (*scratch.values(), *started.values()) for run in runs],
        },
        caption=(
            "Gain in validation loss of each task (column) at the end when its deep prompt starts at the posterior of "
            "another task (row) instead of a Gaussian fitted on its own activations; above 0 it helps. Means over "
            f"{bench.spec.n_deep_seeds} seeds, paired by seed, with Student's 95 % intervals for single "
            "pairs (p in the table is Holm-corrected over all pairs): "
            f"{len(helped)} of {len(rows)} lie above 0, {len(hurt)} below. The learning-rate unit is the initial "
            "prompt's own scale." + _of_gaussians(draws)
        ),
    )


def tasks_of(study: StudySpec) -> dict[str, tuple[TuningSpec, ...]]:
    """Return the runs from scratch of each task, one per seed, by the task's name."""
    known = arms(study)
    module = SECOND_MODULE if SECOND_MODULE in study.tasks[1:] else study.tasks[1]
    datasets = (study.questions, study.arithmetic, DatasetSpec(name="math", module=module))
    return {dataset.label: tuple(_on(dataset, known[PLAIN].specs)) for dataset in datasets}


def started_specs(study: StudySpec, store: Store) -> list[TuningSpec]:
    """Return the runs that start at posteriors, as far as the runs that give these are in the store.

    In place of the others, which nobody can name yet, stand runs from scratch on the same task.
    """
    tasks, found = tasks_of(study), []
    for first, second, draw in _pairs(list(tasks), _draws(study)):
        givers = [run for spec in tasks[first] if (run := find_run(spec, store))]
        known = len(givers) == len(tasks[first])
        found += started_at(tasks[second], givers, draw) if known else tasks[second]
    return found


def _draws(study: StudySpec) -> tuple[str, ...]:
    return (EXACT, GAUSSIAN) if study.n_deep_seeds >= LEAST_SEEDS_OF_A_GAUSSIAN else (EXACT,)


def _pairs(names: Sequence[str], draws: Sequence[str]) -> list[Pair]:
    return [(first, second, draw) for draw in draws for first in names for second in names if first != second]


def started_at(specs: Sequence[TuningSpec], runs: Sequence[JobFolder], draw: str) -> list[TuningSpec]:
    """Return a task's runs that start at another task's posteriors.

    They equal the runs from scratch, except that no answers are generated, which does not change
    the loss.

    Args:
        specs: of the task from scratch, one per seed.
        runs: of the other task, one per seed.
        draw: 'exact' for the posterior of the same seed, 'gaussian' for a Gaussian over those of
            all seeds.
    """
    every = " ".join(run.id for run in runs)
    named = [run.id if draw == EXACT else every for run in runs]
    priors = [{"prior": {"kind": "posterior", "runs": those, "draw": draw}} for those in named]
    return [
        TuningSpec.parse({**spec.as_json(), "n_generation": 0, **prior})
        for spec, prior in zip(specs, priors, strict=True)
    ]


def _on(dataset: DatasetSpec, specs: Sequence[TuningSpec]) -> list[TuningSpec]:
    """Return runs on another data set, of the same size and with the same data seed."""
    sizes = [{"samples": spec.dataset.samples, "seed": spec.dataset.seed} for spec in specs]
    return [
        spec.model_copy(update={"dataset": dataset.model_copy(update=size)})
        for spec, size in zip(specs, sizes, strict=True)
    ]


def _losses(runs: Sequence[JobFolder]) -> list[float]:
    return [float((run.result() or {})["validation"]["loss"]) for run in runs]


def _starts(runs: Sequence[JobFolder]) -> list[float]:
    """Return the loss of each run's prior sample, before any step."""
    return [float((run.result() or {})["baseline"]["prior_sample"]["loss"]) for run in runs]


def _gains(
    scratch: Mapping[str, Sequence[JobFolder]], started: Mapping[Pair, Sequence[JobFolder]]
) -> list[PairedDifference]:
    """Return for each pair the loss from scratch minus the loss from the posterior."""
    losses = {name: dict(enumerate(_losses(runs))) for name, runs in scratch.items()}
    losses |= {str(pair): dict(enumerate(_losses(runs))) for pair, runs in started.items()}
    return differences(losses, [(pair[1], str(pair)) for pair in started])


def _row(
    pair: Pair,
    gain: PairedDifference,
    scratch: Mapping[str, Sequence[JobFolder]],
    started: Mapping[Pair, Sequence[JobFolder]],
) -> dict[str, object]:
    known = quantity(gain.value)
    return {
        **_named(pair),
        "gain": gain.value.value,
        "low": known.get("low"),
        "high": known.get("high"),
        "p": gain.p,
        "seeds": gain.n,
        "loss_from_scratch": float(np.mean(_losses(scratch[pair[1]]))),
        "loss_from_posterior": float(np.mean(_losses(started[pair]))),
        "first_loss_from_scratch": float(np.mean(_starts(scratch[pair[1]]))),
        "first_loss_from_posterior": float(np.mean(_starts(started[pair]))),
    }


def _named(pair: Pair) -> dict[str, str]:
    return {"from": pair[0], "to": pair[1], "draw": pair[2]}


def _picture(names: Sequence[str], found: Mapping[Pair, PairedDifference]):
    gains = np.full((len(names), len(names)), np.nan)
    texts: dict[tuple[int, int], str] = {(k, k): "from scratch" for k in range(len(names))}
    for (first, second, draw), gain in found.items():
        cell = names.index(first), names.index(second)
        if draw == EXACT:
            gains[cell], texts[cell] = gain.value.value, _text(gain)
        else:
            texts[cell] += f"<br>Gaussian {_text(gain)}"
    return transfer_figure(names, gains, texts)


def _text(gain: PairedDifference) -> str:
    value = gain.value
    bounds = f" [{value.low:+.3f}, {value.high:+.3f}]" if np.isfinite(value.low) else ""
    return f"{value.value:+.3f}{bounds}"


def _of_gaussians(draws: Sequence[str]) -> str:
    if GAUSSIAN in draws:
        return " Lower line of a cell: the start is drawn from a Gaussian over the posteriors of all seeds."
    return f" A Gaussian over several posteriors needs a study of at least {LEAST_SEEDS_OF_A_GAUSSIAN} seeds."
