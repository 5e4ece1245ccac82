"""The loss along straight lines between posteriors: of different priors, and of seeds of one prior."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from core.figures.readings import LossLine, lines_figure
from core.jobs.readings import Line, find_line, line_spec
from core.store import JobFolder
from core.studies.arms import DEEP, SOFT, arms
from core.studies.bench import Bench
from core.studies.figure import Reproduced


@dataclass(frozen=True)
class StudyLines:
    """Lines between the posteriors of several arms.

    Attributes:
        between: by the two arms and their common seed.
        within: by the arm and its two seeds.
    """

    between: Mapping[tuple[str, str, int], Line]
    within: Mapping[tuple[str, int, int], Line]

    def excess(self, seeds: Sequence[int], pair: tuple[str, str] | None = None) -> float:
        """Return the mean barrier between priors minus that between seeds of one prior, of these seeds alone.

        Args:
            seeds: that count.
            pair: of arms; None stands for all pairs.
        """
        between = [
            line.barrier for (a, b, seed), line in self.between.items() if seed in seeds and pair in (None, (a, b))
        ]
        within = [line.barrier for (_, one, other), line in self.within.items() if {one, other} <= set(seeds)]
        return float(np.mean(between) - np.mean(within)) if between and within else float("nan")


def study_lines(bench: Bench, runs: Mapping[str, Mapping[int, JobFolder]], seeds: Sequence[int]) -> StudyLines:
    """Return the lines between every two arms, seed by seed, and between neighbouring seeds of each arm.

    Args:
        bench: makes those that are missing.
        runs: by arm and seed.
        seeds: that count, in a ring: each is a neighbour of the next, and the last of the first.
    """

    def line(first: JobFolder, second: JobFolder) -> Line:
        return bench.made(find_line, "line", line_spec(first, second))

    return StudyLines(
        {(a, b, seed): line(runs[a][seed], runs[b][seed]) for a, b in combinations(runs, 2) for seed in seeds},
        {(name, s, t): line(runs[name][s], runs[name][t]) for name in runs for s, t in neighbours(seeds)},
    )


def neighbours(seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of seeds that stand beside each other in a ring, each once, the smaller seed first."""
    ring = zip(seeds, [*seeds[1:], *seeds[:1]], strict=True)
    return sorted({(min(pair), max(pair)) for pair in ring if pair[0] != pair[1]})


def lines(bench: Bench) -> Reproduced:
    """Make the picture of losses along lines, for soft prompts and for deep ones.

    Source: the paper finds prompts of like quality in different parts of the space; whether these
        are connected is not asked there.
    """
    panels, rows = {}, []
    for kind, names in (("Soft prompts", SOFT), ("Deep prompts", DEEP)):
        runs = {name: {int(run.spec["seed"]): run for run in bench.runs(name)} for name in names}
        found = study_lines(bench, runs, sorted(next(iter(runs.values()))))
        groups = {"two priors, one seed": found.between.values(), "two seeds, one prior": found.within.values()}
        panels[kind] = [_mean(name, list(group)) for name, group in groups.items() if group]
        titles = {name: arms(bench.spec)[name].title for name in names}
        ends = {(f"{titles[a]}, seed {s}", f"{titles[b]}, seed {s}"): line for (a, b, s), line in found.between.items()}
        ends |= {(f"{titles[a]}, seed {s}", f"{titles[a]}, seed {t}"): one for (a, s, t), one in found.within.items()}
        rows += [
            {"prompts": kind, "first": first, "second": second, "barrier": line.barrier}
            for (first, second), line in ends.items()
        ]
    return Reproduced(
        picture=lines_figure(panels),
        points=pd.DataFrame(rows),
        numbers={"model": bench.spec.model.label, "table": rows},
        caption=(
            "Validation loss of the prompts on the straight line between two posteriors, mean over lines. The barrier "
            "of a line is its highest loss minus that of its higher end."
        ),
    )


def _mean(name: str, found: Sequence[Line]) -> LossLine:
    losses = np.mean([line.losses for line in found], axis=0)
    return LossLine(f"{name} ({len(found)} lines)", list(found[0].shares), losses.tolist())
