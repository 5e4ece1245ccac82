"""C7: diverged priors need more steps to reach the same validation loss."""

import math
from collections.abc import Sequence

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds
from core.analysis.steps_to_target import Reached, steps_to_target
from core.analysis.verdict import Bounds
from core.store import JobFolder
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.outcomes import curve, minus

SHARE = 0.9
"""Share of what a reference run gains between its first and its best evaluation."""
SOFT_REFERENCE, SOFT = "xavier", ("gaussian", "exclusion")
DEEP_REFERENCE, DEEP = "deep-xavier", ("deep-gaussian", "deep-exclusion")
_QUANTITY = "steps to the target loss, minus those of the reference with the same seed"


def judge(bench: Bench) -> Judged:
    """Judge C7 among the soft arms and among the deep ones."""
    parts, runs, missed = [], [], 0
    for reference, names in ((SOFT_REFERENCE, SOFT), (DEEP_REFERENCE, DEEP)):
        own = bench.runs(reference)
        runs += own
        target = reference_target(own)
        known = [_reached(run, target) for run in own]
        for name in names:
            mine = bench.runs(name)
            runs += mine
            found = [_reached(run, target) for run in mine]
            missed += sum(each.step is None for each in found)
            parts.append(
                Part(
                    minus(bench, name, reference),
                    _QUANTITY,
                    extra_steps(found, known),
                    Bounds(low=0.0),
                    Interval(0.0, 0.0, 0.0),
                    None,
                    len(mine),
                    freedom=max(len(mine) - 1, 1),
                )
            )
    slower = sum(part.interval.value > 0 for part in parts)
    return Judged(
        parts,
        f"{slower} of {len(parts)} diverged priors need more steps on average than the reference to reach the loss at "
        f"which the reference has {SHARE:.0%} of its gain; {missed} of their runs never reach it and count with at "
        "least the steps they had.",
        runs=runs,
        extra={"runs_that_missed": missed},
    )


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
        statistic=(
            "Steps until the validation loss first reaches a target, minus those of the Xavier run of the same seed. "
            f"Target: the loss at which every Xavier run has had {SHARE:.0%} of its gain. Mean over seeds."
        ),
        why=(
            "The sentence is about steps to a loss. The target comes from the reference alone, so that no prior sets "
            "its own. Evaluations are some steps apart and runs end, so a time is only known to lie in an interval, or "
            "after the run's end; the bounds allow for the worst case."
        ),
        null="As many steps as the reference: 0.",
        unit=SEED,
        rule=(
            "Holds if for every diverged prior (fitted Gaussian and exclusion, soft and deep) the lower bound of the "
            "95 % interval is at least 0. Fails if for one of them the interval, widened for their number, lies below. "
            "Undecided otherwise."
        ),
        judge=judge,
        figures=("table-speed",),
        arms=(SOFT_REFERENCE, *SOFT, DEEP_REFERENCE, *DEEP),
    ),
)
