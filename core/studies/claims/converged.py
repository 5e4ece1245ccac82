"""The runs of several arms, seed by seed, and which of them count: those that converged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.array_types import Float64s
from core.store import JobFolder
from core.store.endings import CONVERGED, ending_of
from core.studies.arms import arms
from core.studies.bench import Bench

LEAST_SHARE = 0.8
"""Of an arm's runs that must have converged."""
LEAST_SEEDS = 2
NOT_CONVERGED = "not converged"


@dataclass(frozen=True)
class Runs:
    """The runs of several arms.

    Attributes:
        found: by arm and seed.
        titles: of the arms.
        least: fewest converged seeds of an arm.
    """

    found: Mapping[str, Mapping[int, JobFolder]]
    titles: Mapping[str, str]
    least: int = LEAST_SEEDS

    @property
    def every(self) -> list[JobFolder]:
        """Return all runs, those that do not count included."""
        return [run for runs in self.found.values() for run in runs.values()]

    def counted(self, arm: str) -> dict[int, JobFolder]:
        """Return the runs of an arm that converged, by seed."""
        return {seed: run for seed, run in self.found[arm].items() if ending_of(run) == CONVERGED}

    def lacks(self, *names: str) -> str:
        """Return why arms decide nothing; empty where enough of their runs converged."""
        short = [name for name in names or self.found if self._is_short(name)]
        if not short:
            return ""
        counts = [f"{self.titles[name]} {len(self.counted(name))} of {len(self.found[name])}" for name in short]
        return f"{NOT_CONVERGED}: too few runs ended because their loss no longer improved ({'; '.join(counts)})"

    def seeds(self, *names: str) -> list[int]:
        """Return the seeds that count in all these arms; where an arm decides nothing, all seeds.

        Numbers of runs that have not converged are shown, but they decide nothing.
        """
        groups = [self.found[name] if self.lacks(*names) else self.counted(name) for name in names]
        return sorted(set.intersection(*(set(group) for group in groups)))

    def at(self, arm: str, seeds: Sequence[int]) -> list[JobFolder]:
        """Return an arm's runs with these seeds."""
        return [self.found[arm][seed] for seed in seeds]

    def losses(self, arm: str, seeds: Sequence[int]) -> Float64s:
        """Return an arm's validation losses at the end, (n_seeds,)."""
        return final_losses(self.at(arm, seeds))

    def _is_short(self, arm: str) -> bool:
        n = len(self.counted(arm))
        return n < max(self.least, LEAST_SHARE * len(self.found[arm]))


def runs_of(bench: Bench, names: Sequence[str], least: int = LEAST_SEEDS) -> Runs:
    """Return the runs of arms; make those that are missing."""
    known = arms(bench.spec)
    found = {name: {int(run.spec["seed"]): run for run in bench.runs(name)} for name in names}
    return Runs(found, {name: known[name].title for name in names}, least)


def final_losses(runs: Sequence[JobFolder]) -> Float64s:
    """Return the validation loss at the end of each run, (n_runs,)."""
    return np.array([(run.result() or {})["validation"]["loss"] for run in runs], np.float64)


def baseline_losses(runs: Sequence[JobFolder], baseline: str) -> Float64s:
    """Return the validation loss of each run's 'no_prompt' or 'prior_sample', (n_runs,)."""
    return np.array([(run.result() or {})["baseline"][baseline]["loss"] for run in runs], np.float64)
