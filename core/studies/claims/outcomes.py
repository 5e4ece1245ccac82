"""What claims read of tuning runs: differences of final losses, loss curves, and controls."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.rates import Trial, losses_at_others_choice
from core.analysis.seeds import Equivalence, over_seeds, tost
from core.analysis.two_way import two_way
from core.analysis.verdict import Bounds
from core.array_types import Floats
from core.studies.claims.converged import Runs
from core.studies.claims.part import Part

MARGIN = 0.05
"""Nats per label token. Losses that differ by less give perplexities within about 5 %."""
WHY_MARGIN = (
    f"The margin is {MARGIN:g} nats per label token: it keeps perplexities within about 5 % of each other, a "
    "difference for which nobody would choose one prior over another."
)
TOST_LEVEL = 0.9
"""Two one-sided tests at 0.05 compare the 90 % interval with the margin."""
TOST_NULL = "Means that differ by the margin: two one-sided tests (TOST) at 0.05 each must reject that."
CONVERGED_RULE = (
    "Only converged runs count; with fewer than two in an arm, or fewer than 80 % of an arm, it stays undecided."
)
ZERO_STEPS, RANDOM_LABELS = "zero steps", "random labels"
GAIN = "validation loss without a prompt minus that with it, nats per label token"
DIFFERENCE = "difference of the validation loss, nats per label token"
POOLED, UNPOOLED = "the same, residual variance of all priors", "the same, each pair's own variance"
AT_BEST_RATES = "the same, each prior at the rate chosen by its other seeds"
EQUAL_P = 0.1
"""Above it, Brown and Forsythe's test finds nothing against one residual variance for all priors."""


def minus(runs: Runs, one: str, other: str) -> str:
    """Return the difference of two arms in words."""
    return f"{runs.titles[one]} − {runs.titles[other]}"


def quality_part(name: str, found: Equivalence, bounds: Bounds | None = None, sentence: str = "") -> Part:
    """Return a tested difference of losses as a part, by default with the margin as its bounds."""
    margin, n = Bounds(-found.margin, found.margin), min(found.n)
    given = bounds or margin
    return Part(name, DIFFERENCE, found.difference, given, None, found.p, n, freedom=max(n - 1, 1), sentence=sentence)


def gain_part(name: str, gains: Floats, level: float, sentence: str = "", decides: bool = True) -> Part:
    """Return what a prompt gains over none, seed by seed, as a part."""
    interval, n = over_seeds(gains, level), len(gains)
    null = Interval(0.0, 0.0, 0.0)
    return Part(name, GAIN, interval, Bounds(low=0.0), null, None, n, decides, max(n - 1, 1), sentence)


def same_quality(runs: Runs, names: Sequence[str], sentence: str = "") -> list[Part]:
    """Test every two arms for the same final loss within the margin.

    Seeds are paired: the same seed gives the same examples in the same order. Of three arms or
    more, the residual variance is estimated from all of them if it is alike in all, and both
    intervals are shown.
    """
    seeds = runs.seeds(*names)
    losses = {name: runs.losses(name, seeds) for name in names}
    layout = two_way(list(losses.values()))
    pooled = layout.p_equal > EQUAL_P
    deciding, beside = list[Part](), list[Part]()
    for (i, one), (k, other) in combinations(enumerate(names), 2):
        name, bounds, n = minus(runs, one, other), Bounds(-MARGIN, MARGIN), len(seeds)
        free, together = max(n - 1, 1), max(layout.freedom, 1)
        paired = tost(losses[one], losses[other], MARGIN, paired=True)
        own = Part(name, DIFFERENCE, paired.difference, bounds, None, paired.p, n, True, free, sentence)
        joint = layout.difference(i, k, TOST_LEVEL)
        shared = Part(name, DIFFERENCE, joint, bounds, None, None, n, True, together, sentence)
        deciding.append(shared if pooled else own)
        if len(names) > 2:
            other_way, quantity = (own, UNPOOLED) if pooled else (shared, POOLED)
            beside.append(_beside(other_way, quantity))
    return [*deciding, *beside]


def same_quality_at_best_rates(runs: Runs, rates: Sequence[Sequence[str]], sentence: str = "") -> list[Part]:
    """Compare priors at the better of their rates, chosen for each seed by the other seeds.

    Args:
        runs: of all arms.
        rates: the arms of each prior, one per rate, the first of which names it.
        sentence: of the parts, which decide nothing.
    """
    chosen = {names[0]: losses_at_others_choice(_trials(runs, names)) for names in rates}
    parts = []
    for one, other in combinations(chosen, 2):
        seeds = sorted(set(chosen[one]) & set(chosen[other]))
        if len(seeds) > 1:
            first, second = ([chosen[name][seed][1] for seed in seeds] for name in (one, other))
            part = quality_part(minus(runs, one, other), tost(first, second, MARGIN, paired=True), None, sentence)
            parts.append(_beside(part, AT_BEST_RATES))
    return parts


def _trials(runs: Runs, names: Sequence[str]) -> list[Trial]:
    """Return the runs of a prior's arms as trials of their rates, on the seeds that count at all of them.

    A rate is only chosen if it has a loss on every seed, so one run that does not count would rule
    it out.
    """
    found, seeds = list[Trial](), runs.seeds(*names)
    for name in names:
        rates = [float(run.spec["learning_rate"]) for run in runs.at(name, seeds)]
        found += [Trial(*one) for one in zip(rates, seeds, runs.losses(name, seeds).tolist(), strict=True)]
    return found


def _beside(part: Part, quantity: str) -> Part:
    """Return a part that is shown for comparison only."""
    return replace(part, quantity=quantity, decides=False)


def unknown(part: Part) -> Part:
    """Return a part whose number is shown but not known well enough to decide anything."""
    return replace(part, interval=Interval(part.interval.value, np.nan, np.nan))
