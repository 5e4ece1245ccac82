"""Two runs compared after as many steps: what is left of a difference that comes from when each one ended."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from core.analysis.seeds import tost
from core.store import JobFolder
from core.studies.claims.converged import Runs
from core.studies.claims.outcomes import MARGIN, minus, quality_part
from core.studies.claims.part import Part
from core.studies.claims.speed import curve

N_EVALUATIONS = 4
"""A plateau's usual patience: one evaluation alone has chance in it."""
AT_COMMON_STEP = f"the same up to the step where the shorter run ended, mean of {N_EVALUATIONS} evaluations"


def same_quality_at_common_step(runs: Runs, names: Sequence[str], sentence: str = "") -> list[Part]:
    """Compare every two arms seed by seed after as many steps as the shorter of two runs took.

    Evaluations of one run differ by chance, so a plateau is found sooner in one run than in
    another, and the run that goes on longer ends lower.

    Args:
        runs: of all arms.
        names: of the arms.
        sentence: of the parts, which decide nothing.
    """
    seeds, parts = runs.seeds(*names), []
    for one, other in combinations(names, 2):
        pairs = zip(runs.at(one, seeds), runs.at(other, seeds), strict=True)
        first, second = np.array([losses_at_common_step(*pair) for pair in pairs]).T
        part = quality_part(minus(runs, one, other), tost(first, second, MARGIN, paired=True), None, sentence)
        parts.append(replace(part, quantity=AT_COMMON_STEP, decides=False))
    return parts


def losses_at_common_step(first: JobFolder, second: JobFolder) -> tuple[float, float]:
    """Return the mean losses of two runs over the last few steps at which both were evaluated."""
    curves = [dict(zip(*curve(run), strict=True)) for run in (first, second)]
    shared = sorted(set(curves[0]) & set(curves[1]))[-N_EVALUATIONS:]
    one, other = (float(np.mean([losses[step] for step in shared])) for losses in curves)
    return one, other
