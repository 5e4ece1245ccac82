"""How the groups of a sweep compare, each at the learning rate that suits it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.quantities import Quantity, quantity
from core.analysis.rates import ChosenRate, Trial, choose_rate, differences, losses_at_others_choice
from core.analysis.seeds import over_seeds
from core.jobs.outcomes import runs_table
from core.jobs.sweep import Standing, loss_of, trials

CHOSEN_ON = {
    "other seeds": "The rate was chosen on other seeds than those compared.",
    "each seed's others": "For each seed the rate was chosen on all other seeds.",
    "the same seed": "The rate was chosen on the very seed that is compared, which favours lucky runs; add seeds.",
    "given": "One rate was tried.",
}
"""How the rate at which a group is compared was chosen, and what pages say about it."""


@dataclass(frozen=True)
class RatedGroup:
    """Runs that differ in learning rate and seed alone, at their best rate; the fields are keys of `sweep --json`.

    Attributes:
        names: the settings that tell it from other groups.
        prior: kind of its prior.
        rate: the best one, by the mean validation loss at the end.
        n_seeds: seeds that the rate was chosen on.
        at_edge: see `core.analysis.rates.ChosenRate`.
        left_out: see there.
        search_loss: mean loss at that rate over those seeds.
        search: every run that the rate was chosen from.
        chosen_on: how it was chosen, a key of `CHOSEN_ON`.
        loss: mean over the compared runs with its interval over seeds.
        losses: of the compared runs, by seed.
        rates: at which they ran, by seed.
        runs: their ids.
        target: loss that steps are counted to.
        steps_to_target: by seed; None where it was not reached.
        steps_to_target_median: None where at least half of the runs did not reach it.
    """

    names: Mapping[str, Any]
    prior: str
    rate: float
    n_seeds: int
    at_edge: bool
    left_out: tuple[float, ...]
    search_loss: float
    search: tuple[Trial, ...]
    chosen_on: str
    loss: Quantity
    losses: Mapping[int, float]
    rates: Mapping[int, float]
    runs: tuple[str, ...]
    target: float
    steps_to_target: Mapping[int, int | None]
    steps_to_target_median: float | None

    def like(self, other: "RatedGroup") -> bool:
        """Return whether two differ in one thing, and not in their data, on which losses are not comparable."""
        differing = [name for name in self.names if self.names[name] != other.names.get(name)]
        return len(differing) == 1 and differing != ["data"]


@dataclass(frozen=True)
class GroupDifference:
    """The loss of one group minus that of another, paired by seed.

    Attributes:
        first: names of the first group.
        second: names of the second.
        difference: mean with its interval and p.
        n_seeds: that both ran on.
    """

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    difference: Quantity
    n_seeds: int


@dataclass(frozen=True)
class BestRates:
    """The groups of a sweep that have a rate, and those differences between them that can be told."""

    groups: tuple[RatedGroup, ...]
    differences: tuple[GroupDifference, ...]


@dataclass(frozen=True)
class _Compared:
    """The runs that a group is compared by, one per seed, and how its rate was chosen among the trials."""

    names: Mapping[str, Any]
    prior: str
    chosen: ChosenRate
    chosen_on: str
    runs: Sequence[Standing]
    trials: Sequence[Trial]


def best_rates(found: Sequence[Standing], target: float | None = None) -> BestRates:
    """Return how the groups of a sweep compare, each at its own best rate.

    The rate is chosen by the mean validation loss at the end, on other seeds than those that are compared if there are
    any. Groups are compared in pairs that differ in one thing; groups none of whose rates came to a loss on every seed
    are left out.

    Args:
        found: how the runs stand.
        target: see `runs_table`, here of the compared runs alone.
    """
    mine: dict[str, list[Standing]] = {}
    for one in found:
        mine.setdefault(one.cell.group, []).append(one)
    compared = [what for own in mine.values() if (what := _compared(own)) and what.runs]
    runs = [one for what in compared for one in what.runs]
    table = runs_table(runs, target) if runs else pd.DataFrame()
    by_run = {row["run"]: row for row in table.to_dict("records")}
    groups = [_group(what, [by_run[one.job.id] for one in what.runs if one.job]) for what in compared]
    losses = {str(i): dict(group.losses) for i, group in enumerate(groups)}
    pairs = [(str(i), str(k)) for i, k in combinations(range(len(groups)), 2) if groups[i].like(groups[k])]
    told = [
        GroupDifference(
            groups[int(pair.first)].names, groups[int(pair.second)].names, quantity(pair.value, p=pair.p), pair.n
        )
        for pair in differences(losses, pairs)
    ]
    return BestRates(tuple(groups), tuple(told))


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


def _group(what: _Compared, rows: Sequence[Mapping[str, Any]]) -> RatedGroup:
    reached = [row["steps_to_target"] for row in rows]
    steps = [float("inf") if step is None or np.isnan(step) else float(step) for step in reached]
    middle = float(np.median(steps)) if steps else float("inf")
    return RatedGroup(
        names=what.names,
        prior=what.prior,
        rate=what.chosen.rate,
        n_seeds=what.chosen.n_seeds,
        at_edge=what.chosen.at_edge,
        left_out=what.chosen.left_out,
        search_loss=what.chosen.loss,
        search=tuple(what.trials),
        chosen_on=what.chosen_on,
        loss=quantity(over_seeds([row["loss"] for row in rows])),
        losses={row["seed"]: row["loss"] for row in rows},
        rates={row["seed"]: row["learning_rate"] for row in rows},
        runs=tuple(row["run"] for row in rows),
        target=rows[0]["target"],
        steps_to_target={
            row["seed"]: None if np.isinf(step) else int(step) for row, step in zip(rows, steps, strict=True)
        },
        steps_to_target_median=middle if np.isfinite(middle) else None,
    )
