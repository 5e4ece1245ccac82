"""What claims read of tuning runs: final losses, loss curves, and differences by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.rates import Trial, losses_at_others_choice
from core.analysis.seeds import Equivalence, tost
from core.analysis.verdict import Bounds
from core.specs.base import canonical_json
from core.store import JobFolder, list_jobs
from core.studies.arms import arms
from core.studies.bench import Bench
from core.studies.claims.base import Part

MARGIN = 0.05
"""Nats per label token. Losses that differ by less give perplexities within about 5 %."""
TOST_LEVEL = 0.9
"""Two one-sided tests at 0.05 compare the 90 % interval with the margin."""
GAIN = "validation loss without a prompt minus that with it, nats per label token"
DIFFERENCE = "difference of the validation loss, nats per label token"
AT_BEST_RATES = "the same, each prior at the rate chosen by its other seeds"


def final_losses(runs: Sequence[JobFolder]) -> NDArray[np.float64]:
    """Return the validation loss at the end of each run, (n_runs,)."""
    return np.array([(run.result() or {})["validation"]["loss"] for run in runs], np.float64)


def untuned_losses(runs: Sequence[JobFolder]) -> NDArray[np.float64]:
    """Return the validation loss of each run's model without any prompt, (n_runs,)."""
    return np.array([(run.result() or {})["baseline"]["no_prompt"]["loss"] for run in runs], np.float64)


def curve(run: JobFolder) -> tuple[list[int], list[float]]:
    """Return the steps of a run's evaluations in rising order, and the validation loss at each."""
    found = {int(event["step"]): float(event["validation"]["loss"]) for event in run.events(event="evaluation")}
    return sorted(found), [found[step] for step in sorted(found)]


def title(bench: Bench, arm: str) -> str:
    """Return the title of an arm."""
    return arms(bench.spec)[arm].title


def minus(bench: Bench, one: str, other: str) -> str:
    """Return the difference of two arms in words."""
    return f"{title(bench, one)} − {title(bench, other)}"


def same_quality(bench: Bench, names: Sequence[str]) -> tuple[list[Part], list[JobFolder]]:
    """Test every two arms for the same final loss within the margin; return the parts and all runs.

    Seeds are paired: the same seed gives the same examples in the same order.
    """
    runs = {name: bench.runs(name) for name in names}
    losses = {name: final_losses(found) for name, found in runs.items()}
    parts = [
        quality_part(minus(bench, one, other), tost(losses[one], losses[other], MARGIN, True))
        for one, other in combinations(names, 2)
    ]
    return parts, [run for found in runs.values() for run in found]


def same_quality_at_best_rates(bench: Bench, names: Sequence[str]) -> list[Part]:
    """Compare arms at the best rate of each, as far as the store has runs at several rates.

    A sweep over rates makes such runs. Each seed is compared at the rate that the arm's other seeds
    choose, so that the choice does not profit from luck. These parts decide nothing, because the
    rule does not say which rates to try.
    """
    trials = _trials(bench, names)
    several = [name for name in names if len({trial.rate for trial in trials[name]}) > 1]
    losses = {name: losses_at_others_choice(trials[name]) for name in several}
    parts = []
    for one, other in combinations(several, 2):
        seeds = sorted(set(losses[one]) & set(losses[other]))
        if len(seeds) > 1:
            first, second = ([losses[name][seed][1] for seed in seeds] for name in (one, other))
            part = quality_part(minus(bench, one, other), tost(first, second, MARGIN, paired=True))
            parts.append(replace(part, quantity=AT_BEST_RATES, decides=False))
    return parts


def _trials(bench: Bench, names: Sequence[str]) -> dict[str, list[Trial]]:
    """Return for each arm the runs in the store that differ from it only in rate and seed."""
    known = {_but_rate_and_seed(arms(bench.spec)[name].specs[0].as_json()): name for name in names}
    found: dict[str, list[Trial]] = {name: [] for name in names}
    for job in list_jobs(bench.store, "tune"):
        name = known.get(_but_rate_and_seed(job.spec))
        if name and job.status().state == "succeeded":
            loss = float(final_losses([job])[0])
            found[name].append(Trial(float(job.spec["learning_rate"]), int(job.spec["seed"]), loss))
    return found


def _but_rate_and_seed(spec: Mapping[str, Any]) -> str:
    return canonical_json({name: value for name, value in spec.items() if name not in ("learning_rate", "seed")})


def quality_part(name: str, found: Equivalence, bounds: Bounds | None = None) -> Part:
    """Return a tested difference of losses as a part, by default with the margin as its bounds."""
    margin = Bounds(-found.margin, found.margin)
    n = min(found.n)
    return Part(name, DIFFERENCE, found.difference, bounds or margin, None, found.p, n, freedom=max(n - 1, 1))
