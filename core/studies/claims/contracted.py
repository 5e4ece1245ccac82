"""C5: posteriors of different priors stay apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from core.analysis.contraction import RunDistances, contraction, of_one_prior
from core.analysis.intervals import Interval
from core.analysis.leaving_out import leaving_out_each
from core.analysis.two_sample import energy_to_cloud
from core.analysis.verdict import Bounds, decide
from core.array_types import Floats
from core.store import JobFolder
from core.store.prompts import read_prompts
from core.studies.arms import DEEP, RANDOM, SOFT
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Control, Judged, Part
from core.studies.claims.converged import Runs, runs_of
from core.studies.claims.outcomes import CONVERGED_RULE, RANDOM_LABELS

LEAST = 0.5
"""Half of the distance between the priors is left."""
TOLD_APART = 0.05
_KEPT = "distance between the posteriors of two priors over that between their prior samples"
_PAIRS = "the same, pair by pair"

Vectors = Mapping[str, Mapping[int, Floats]]
"""By arm and seed, (n_prompt, d)."""


@dataclass(frozen=True)
class Moved:
    """Prior samples and posteriors of several arms at one site, on the seeds that count."""

    before: Vectors
    after: Vectors
    seeds: Sequence[int]


def judge(bench: Bench) -> Judged:
    """Judge C5 among the soft arms, and among the deep ones at their last prompted block."""
    parts, controls, words, every = list[Part](), list[Control](), [], list[JobFolder]()
    blocked, alike = {}, list[str]()
    for sentence, kind, names in (("a", "soft", SOFT), ("b", "deep", DEEP)):
        runs = runs_of(bench, names)
        moved = moved_of(runs, names)
        pairs, same = told_apart(moved, bench.spec.seed)
        found = _parts(runs, moved, pairs, f"{kind} prompts, {len(names)} priors", sentence)
        random = runs_of(bench, [f"{name}{RANDOM}" for name in names])
        every += [*runs.every, *random.every]
        parts += found
        alike += [f"{runs.titles[one]} and {runs.titles[other]}" for one, other in same]
        blocked[sentence] = runs.lacks(*names) or ("" if pairs else "no two prior samples can be told apart")
        controls.append(_random_labels(random, pairs, f"{kind} prompts", sentence))
        words.append(f"{found[0].interval.value:.2f} times for {kind} prompts")
    beside = f" Prior samples that cannot be told apart do not count: {'; '.join(alike)}." if alike else ""
    return Judged(
        sorted(parts, key=lambda part: part.quantity == _PAIRS),
        f"Posteriors of different priors lie {' and '.join(words)} as far apart as their prior samples.{beside}",
        runs=every,
        controls=controls,
        blocked=blocked,
    )


def moved_of(runs: Runs, names: Sequence[str]) -> Moved:
    """Return prior samples and posteriors of arms at the last prompted block; of deep prompts the directions."""
    seeds = runs.seeds(*names)
    before, after = dict[str, dict[int, NDArray]](), dict[str, dict[int, NDArray]]()
    for name in names:
        for seed, run in zip(seeds, runs.at(name, seeds), strict=True):
            prompts = read_prompts(run)
            assert prompts is not None  # noqa: S101 - the run has succeeded
            site, deep = prompts.sites[-1], run.spec["method"] == "deep"
            for kept, vectors in ((before, prompts.prior(site)), (after, prompts.posterior(site))):
                kept.setdefault(name, {})[seed] = _directions(vectors) if deep else vectors
    return Moved(before, after, seeds)


def told_apart(moved: Moved, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the pairs of priors whose samples can be told apart, and those whose cannot."""
    apart, alike = [], []
    for one, other in combinations(moved.before, 2):
        first, second = (np.concatenate(list(moved.before[name].values())) for name in (one, other))
        p = energy_to_cloud(first, second, np.random.default_rng(seed)).p
        (apart if p <= TOLD_APART else alike).append((one, other))
    return apart, alike


def _parts(runs: Runs, moved: Moved, pairs: Sequence[tuple[str, str]], name: str, sentence: str) -> list[Part]:
    before, after = RunDistances(moved.before), RunDistances(moved.after)
    seeds, n = moved.seeds, len(moved.seeds)
    null = of_one_prior(before, after, pairs, seeds)
    chance = Interval(null, null, null) if np.isfinite(null) else None

    def part(name: str, chosen: Sequence[tuple[str, str]], quantity: str, decides: bool) -> Part:
        interval = leaving_out_each(seeds, lambda some: contraction(before, after, chosen, some))
        given = chance if decides else None
        return Part(name, quantity, interval, Bounds(low=LEAST), given, None, n, decides, max(n - 1, 1), sentence)

    beside = [part(f"{runs.titles[a]} and {runs.titles[b]}", [(a, b)], _PAIRS, False) for a, b in pairs]
    return [part(name, pairs, _KEPT, True), *beside]


def _random_labels(random: Runs, pairs: Sequence[tuple[str, str]], name: str, sentence: str) -> Control:
    """Return what the rule says of runs that learned permuted answers."""
    names = list(random.found)
    moved = moved_of(random, names)
    seeds, n = moved.seeds, len(moved.seeds)
    before, after = RunDistances(moved.before), RunDistances(moved.after)
    same = [(f"{one}{RANDOM}", f"{other}{RANDOM}") for one, other in pairs]
    interval = leaving_out_each(seeds, lambda some: contraction(before, after, same, some))
    title, bounds = f"{name}, random labels", Bounds(low=LEAST)
    part = Part(title, _KEPT, interval, bounds, None, None, n, True, max(n - 1, 1), sentence)
    return Control(RANDOM_LABELS, part, decide(interval, bounds))


def _directions(vectors: Floats) -> Floats:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


CLAIMS = (
    Claim(
        number=5,
        title="Priors decide where posteriors lie",
        quote="“Priors strongly affect the position of the trained embeddings.”",
        section="1",
        sentences={
            "a": "Posteriors of soft prompts stay where their prior put them",
            "b": "Those of deep prompts do, by direction at the last prompted block",
        },
        statistic=(
            "Root of the energy distance between the posteriors of two priors, over that between their prior samples; "
            "mean over the pairs whose prior samples can be told apart (permutation test, p at most 0.05). Only "
            "vectors of runs with different seeds are compared. Deep prompts at their last block, by direction."
        ),
        why=(
            "That priors differ in their posteriors would be true of prompts that were never trained. The ratio says "
            "how much of the difference training leaves: 1 is all of it, 0 is none. Vectors of one run are not "
            "independent, and a cut prompt's length has no effect, so directions are compared there."
        ),
        null=(
            "Training forgets the prior: what two halves of the seeds of one prior come to, near 0. Without any step "
            "the ratio is 1."
        ),
        unit=SEED,
        rule=(
            f"Each sentence holds if the 95 % interval (jackknife over seeds, Student) lies above {LEAST:g}, and fails "
            f"if it lies below. {CONVERGED_RULE} So it does where no two prior samples can be "
            "told apart. The same ratio after training on random labels stands beside it."
        ),
        judge=judge,
        figures=("figure-6", "figure-8", "figure-10", "figure-11"),
        arms=(*SOFT, *DEEP),
        controls=tuple(f"{name}{RANDOM}" for name in (*SOFT, *DEEP)),
    ),
)
