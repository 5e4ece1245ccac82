"""Learning rates: which is best for a prior, and how priors compare at their best rates.

A rate chosen on the runs that are compared favours the prior with more luck. So it is chosen on
other seeds: on seeds of its own or, for each seed in turn, on all other seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.modality import holm
from core.analysis.seeds import over_seeds


@dataclass(frozen=True)
class Trial:
    """One run in a search for the best learning rate.

    Attributes:
        rate: learning rate.
        seed: of the run.
        loss: final validation loss; None if there is none.
    """

    rate: float
    seed: int
    loss: float | None


@dataclass(frozen=True)
class ChosenRate:
    """The rate with the lowest mean loss.

    Attributes:
        rate: the lower one of a tie.
        loss: mean over the seeds.
        n_seeds: number of those seeds.
        at_edge: whether it is the lowest or highest of several rates, so that a better one may lie
            beyond.
        left_out: rates at which some run has no loss; they are never chosen.
    """

    rate: float
    loss: float
    n_seeds: int
    at_edge: bool
    left_out: tuple[float, ...]


@dataclass(frozen=True)
class PairedDifference:
    """The difference in final loss of two groups of runs, over their common seeds.

    Attributes:
        first: name of one group.
        second: name of the other.
        value: mean of first minus second over the seeds, with its 95 % t interval.
        n: number of common seeds.
        p: two-sided, of a paired t test, Holm-corrected over the pairs; None if undefined.
    """

    first: str
    second: str
    value: Interval
    n: int
    p: float | None


def choose_rate(trials: Sequence[Trial]) -> ChosenRate | None:
    """Return the best of the rates at which every run has a loss; None if there is none."""
    seeds = {trial.seed for trial in trials}
    tried = sorted({trial.rate for trial in trials})
    losses = {rate: {t.seed: t.loss for t in trials if t.rate == rate and t.loss is not None} for rate in tried}
    whole = {rate: float(np.mean(list(found.values()))) for rate, found in losses.items() if set(found) == seeds}
    if not whole:
        return None
    best = min(whole, key=lambda rate: (whole[rate], rate))
    left_out = tuple(rate for rate in tried if rate not in whole)
    return ChosenRate(best, whole[best], len(seeds), len(tried) > 1 and best in (tried[0], tried[-1]), left_out)


def losses_at_others_choice(trials: Sequence[Trial]) -> dict[int, tuple[float, float]]:
    """Return for each seed the rate chosen on all other seeds, and the loss of this seed at that rate.

    Seeds without a loss at that rate are left out; a single seed gives nothing.
    """
    found: dict[int, tuple[float, float]] = {}
    for seed in sorted({trial.seed for trial in trials}):
        chosen = choose_rate([trial for trial in trials if trial.seed != seed])
        loss = next((t.loss for t in trials if chosen and t.seed == seed and t.rate == chosen.rate), None)
        if chosen and loss is not None:
            found[seed] = (chosen.rate, loss)
    return found


def differences(losses: Mapping[str, Mapping[int, float]], pairs: Iterable[tuple[str, str]]) -> list[PairedDifference]:
    """Return the difference of each pair of names that share a seed, from losses by name and seed.

    Losses are paired by seed: runs with one seed see examples in the same order.
    """
    found = []
    for first, second in pairs:
        common = sorted(set(losses[first]) & set(losses[second]))
        if common:
            paired = np.array([losses[first][seed] - losses[second][seed] for seed in common])
            found.append((first, second, paired))
    p = [_paired_p(paired) for _, _, paired in found]
    known = [value for value in p if value is not None]
    corrected = iter(holm(np.array(known)) if known else [])
    return [
        PairedDifference(
            first, second, over_seeds(paired), len(paired), None if raw is None else float(next(corrected))
        )
        for (first, second, paired), raw in zip(found, p, strict=True)
    ]


def _paired_p(paired: np.ndarray) -> float | None:
    """Return p for a mean of zero; None for a single difference, or if all are equal."""
    if len(paired) < 2 or not np.ptp(paired):
        return None
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(paired, 0.0).pvalue)  # pyright: ignore[reportAttributeAccessIssue]
