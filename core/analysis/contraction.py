"""How much of the distance between priors training leaves between their posteriors.

0: training forgets the prior; 1: posteriors are as far apart as the prior samples were. Vectors of
one run are not independent, so only vectors of different runs are compared with each other.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial.distance import cdist

from core.array_types import Floats

Group = Mapping[int, Floats]
"""The prompts of a prior's runs, (n_prompt, d) each, by seed."""
Key = tuple[str, int]
"""A prior and a seed."""


class RunDistances:
    """Mean distances between the vectors of runs, from which energy distances of any seeds follow."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        """Measure the distances between every two runs."""
        keys = [(name, seed) for name, runs in groups.items() for seed in runs]
        stacked = np.concatenate([groups[name][seed] for name, seed in keys]).astype(np.float64)
        ends = np.cumsum([0, *(len(groups[name][seed]) for name, seed in keys)])
        distances = cdist(stacked, stacked)
        sums = np.add.reduceat(np.add.reduceat(distances, ends[:-1], axis=0), ends[:-1], axis=1)
        sizes = np.diff(ends)
        self._means = sums / np.outer(sizes, sizes)
        self._place = {key: place for place, key in enumerate(keys)}

    def energy(self, first: Sequence[Key], second: Sequence[Key]) -> float:
        """Return the energy distance between two groups of runs, by an unbiased U-statistic over runs.

        Only runs with different seeds are compared, so that neither vectors of one run nor runs on
        the same examples count as independent. Chance can make it negative. NaN where a group has
        no two seeds.
        """
        return 2 * self._mean(first, second) - self._mean(first, first) - self._mean(second, second)

    def _mean(self, first: Sequence[Key], second: Sequence[Key]) -> float:
        pairs = [(self._place[one], self._place[other]) for one in first for other in second if one[1] != other[1]]
        if not pairs:
            return float("nan")
        rows, columns = np.array(pairs).T
        return float(self._means[rows, columns].mean())


def distance(energy: float) -> float:
    """Return the root of an energy distance; 0 where chance made it negative."""
    return float(np.sqrt(energy)) if np.isnan(energy) else float(np.sqrt(max(energy, 0.0)))


def contraction(
    before: RunDistances, after: RunDistances, pairs: Sequence[tuple[str, str]], seeds: Sequence[int]
) -> float:
    """Return the mean over pairs of priors of what is left of their distance.

    Args:
        before: of the prior samples.
        after: of the posteriors.
        pairs: of priors.
        seeds: of the runs that count; at least two.
    """
    found = []
    for first, second in pairs:
        one, other = ([(name, seed) for seed in seeds] for name in (first, second))
        apart = distance(before.energy(one, other))
        found.append(distance(after.energy(one, other)) / apart if apart > 0 else float("nan"))
    return float(np.mean(found)) if found else float("nan")


def of_one_prior(
    before: RunDistances, after: RunDistances, pairs: Sequence[tuple[str, str]], seeds: Sequence[int]
) -> float:
    """Return the same number for two halves of the seeds of one prior, as if they were two priors.

    It is what a prior that training has forgotten comes to by chance. Mean over the priors; the
    distance between prior samples is the mean over the pairs.

    Args:
        before: of the prior samples.
        after: of the posteriors.
        pairs: of priors.
        seeds: of the runs that count; NaN with fewer than four.
    """
    halves = list(seeds[::2]), list(seeds[1::2])
    names = dict.fromkeys(name for pair in pairs for name in pair)
    apart = [distance(before.energy([(a, s) for s in seeds], [(b, s) for s in seeds])) for a, b in pairs]
    own = [distance(after.energy([(name, s) for s in halves[0]], [(name, s) for s in halves[1]])) for name in names]
    return float(np.mean(own) / np.mean(apart)) if apart else float("nan")
