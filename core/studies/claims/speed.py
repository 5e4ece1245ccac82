"""C7: runs from diverged priors learn more slowly."""

import math
from collections.abc import Sequence

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds
from core.analysis.steps_to_target import Reached, steps_to_target
from core.analysis.verdict import Bounds
from core.store import JobFolder
from core.store.endings import CONVERGED, ending_of
from core.studies.arms import ABSOLUTE
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.converged import Runs, runs_of
from core.studies.claims.outcomes import MARGIN, WHY_MARGIN, minus

SHARE = 0.9
"""Share of what a reference run gains between its first and its best evaluation."""
SOFT = ("xavier", "gaussian", "exclusion")
DEEP = ("deep-xavier", "deep-gaussian", "deep-exclusion")
"""The reference, and the diverged priors."""
_MEAN = "mean validation loss over the run, minus that of the reference with the same seed, nats per label token"
_RELATIVE = "the same at a rate in units of the prior sample (the control)"
_STEPS = "steps to the target loss, minus those of the reference with the same seed"


def judge(bench: Bench) -> Judged:
    """Judge C7 among the soft arms, and among the deep ones at the paper's rate."""
    soft, relative = runs_of(bench, SOFT), runs_of(bench, DEEP)
    absolute = tuple(f"{name}{ABSOLUTE}" for name in DEEP)
    deep = runs_of(bench, absolute)
    judged = {"a": (soft, SOFT), "b": (deep, absolute)}
    parts = [part for sentence, (runs, names) in judged.items() for part in _slower(runs, names, _MEAN, sentence)]
    beside = _slower(relative, DEEP, _RELATIVE, "b", decides=False)
    beside += [part for sentence, (runs, names) in judged.items() for part in _later(runs, names, sentence)]
    slower = sum(part.interval.value >= MARGIN for part in parts)
    return Judged(
        [*parts, *beside],
        f"{slower} of {len(parts)} diverged priors have a mean loss over the run that is at least {MARGIN:g} nats "
        "above the reference's.",
        runs=[*soft.every, *deep.every, *relative.every],
        extra={"margin": MARGIN},
        blocked={sentence: _too_short(runs, names) for sentence, (runs, names) in judged.items()},
    )


def window_of(runs: Sequence[JobFolder]) -> int:
    """Return the steps over which losses are averaged: those of the longest of these runs."""
    return max(curve(run)[0][-1] for run in runs)


def mean_loss(run: JobFolder, window: int) -> float:
    """Return the mean validation loss over the first steps of a run, by straight lines between evaluations.

    A run that ended earlier counts with its last loss from there on.
    """
    steps, losses = curve(run)
    inside = [step for step in steps if step < window]
    ends = np.array([*inside, window], np.float64)
    at = np.interp(ends, steps, losses)
    return float((np.diff(ends) * (at[1:] + at[:-1]) / 2).sum() / window)


def curve(run: JobFolder) -> tuple[list[int], list[float]]:
    """Return the steps of a run's evaluations in rising order, and the validation loss at each."""
    found = {int(event["step"]): float(event["validation"]["loss"]) for event in run.events(event="evaluation")}
    return sorted(found), [found[step] for step in sorted(found)]


def _slower(runs: Runs, names: Sequence[str], quantity: str, sentence: str, decides: bool = True) -> list[Part]:
    reference, *diverged = names
    window = window_of(list(runs.found[reference].values()))
    parts = []
    for name in diverged:
        seeds = sorted(set(runs.found[name]) & set(runs.found[reference]))
        extra = [
            mean_loss(one, window) - mean_loss(other, window)
            for one, other in zip(runs.at(name, seeds), runs.at(reference, seeds), strict=True)
        ]
        interval, n = over_seeds(extra), len(seeds)
        null = Interval(0.0, 0.0, 0.0)
        title = minus(runs, name, reference)
        parts.append(
            Part(title, quantity, interval, Bounds(low=MARGIN), null, None, n, decides, max(n - 1, 1), sentence)
        )
    return parts


def _later(runs: Runs, names: Sequence[str], sentence: str) -> list[Part]:
    reference, *diverged = names
    own = list(runs.found[reference].values())
    target = reference_target(own)
    parts = []
    for name in diverged:
        seeds = sorted(set(runs.found[name]) & set(runs.found[reference]))
        one, other = ([_reached(run, target) for run in runs.at(arm, seeds)] for arm in (name, reference))
        title, n, null = minus(runs, name, reference), len(seeds), Interval(0.0, 0.0, 0.0)
        interval = extra_steps(one, other)
        parts.append(Part(title, _STEPS, interval, Bounds(low=0.0), null, None, n, False, max(n - 1, 1), sentence))
    return parts


def _too_short(runs: Runs, names: Sequence[str]) -> str:
    """Return why runs cannot be compared: some ended before the window without having converged."""
    window = window_of(list(runs.found[names[0]].values()))
    short = [run for run in runs.every if curve(run)[0][-1] < window and ending_of(run) != CONVERGED]
    if not short:
        return ""
    return f"{len(short)} of {len(runs.every)} runs ended before the reference's longest run, at step {window}"


def reference_target(runs: Sequence[JobFolder]) -> float:
    """Return a loss that every reference run reaches, at which each has had most of its gain.

    If the target were a loss that all runs reach, the slowest run would set it and would always
    need all its steps.
    """
    losses = [curve(run)[1] for run in runs]
    return max(loss[0] - SHARE * (loss[0] - min(loss)) for loss in losses)


def extra_steps(found: Sequence[Reached], known: Sequence[Reached]) -> Interval:
    """Return how many more steps runs took than the reference, seed by seed, with an interval.

    The loss is known only at evaluations, and a run may never reach the target. Its time therefore
    lies between two evaluations, or after the run's end. The lower bound takes the least difference
    that is possible for each seed, the upper bound the largest; there is no upper bound where a run
    never reached the target.
    """
    first, second = (np.array([_between(each) for each in group], np.float64) for group in (found, known))
    least, most = first[:, 0] - second[:, 1], first[:, 1] - second[:, 0]
    low = over_seeds(least).low if np.isfinite(least).all() else -math.inf
    high = over_seeds(most).high if np.isfinite(most).all() else math.inf
    if len(found) < 2:
        low = high = math.nan
    shown = np.array([_shown(each) for each in found]) - np.array([_shown(each) for each in known])
    return Interval(float(shown.mean()), low, high)


def _between(reached: Reached) -> tuple[float, float]:
    """Return the two steps between which a run reached the target."""
    after = 0.0 if reached.after is None else float(reached.after)
    return after, math.inf if reached.step is None else float(reached.step)


def _shown(reached: Reached) -> float:
    """Return the step that represents a run: where it reached the target, or its last one."""
    return float(reached.step if reached.step is not None else reached.after or 0)


def _reached(run: JobFolder, target: float) -> Reached:
    return steps_to_target(*curve(run), target)


CLAIMS = (
    Claim(
        number=7,
        title="Diverged priors take longer",
        quote=(
            "“In Gaussian Fitted and all other “diverged” initializations it takes more time to converge to the same "
            "validation loss level.”"
        ),
        section="4.4",
        sentences={
            "a": "Diverged priors of soft prompts take longer",
            "b": "Diverged priors of deep prompts take longer at the paper's rate",
        },
        statistic=(
            "Mean validation loss over the run minus that of the Xavier run with the same seed, where all run for as "
            "many steps as the longest Xavier run; a run that converged earlier counts with its last loss. At the "
            "paper's absolute rates: 5e-3 for soft prompts, 1e-3 for deep ones. Shown beside: steps to the loss at "
            f"which every Xavier run has had {SHARE:.0%} of its gain, and deep prompts at a rate in units of the prior "
            "sample."
        ),
        why=(
            "Whoever is slower has the higher loss on the way, at whatever level one looks. Steps to one level depend "
            "on the level, and are unknown for runs that never reach it. A rate in the vectors' own units favours "
            "short vectors, and diverged priors are long: where the effect is gone at a relative rate, this is why. "
            f"{WHY_MARGIN}"
        ),
        null="As fast as the reference: 0.",
        unit=SEED,
        rule=(
            f"Each sentence holds if for every diverged prior (fitted Gaussian and exclusion) the 95 % interval lies "
            f"above {MARGIN:g} nats, and fails if for one of them the interval, widened for their number, lies below. "
            "Undecided otherwise, and where a run ends before the window without having converged."
        ),
        judge=judge,
        figures=("table-quality",),
        arms=(*SOFT, *DEEP, *(f"{name}{ABSOLUTE}" for name in DEEP)),
    ),
)
