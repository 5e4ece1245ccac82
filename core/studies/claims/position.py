"""Claims about where posteriors lie.

C8: posteriors need not meet the activations. C9: some stay away from the vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds, tost
from core.analysis.verdict import Bounds
from core.jobs.measure import VOCABULARY, Measures
from core.store import JobFolder
from core.studies.arms import RANDOM, SOFT, arms
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.converged import Runs, baseline_losses, runs_of
from core.studies.claims.outcomes import MARGIN, RANDOM_LABELS, WHY_MARGIN, ZERO_STEPS, gain_part, quality_part, unknown
from core.studies.claims.possible import best_on, one_inside, one_meets_all

REFERENCE = {
    "isotropic": "xavier",
    "gaussian": "xavier",
    "exclusion": "xavier",
    "deep-gaussian": "deep-xavier",
    "deep-exclusion": "deep-xavier",
}
"""The priors of C8 and the reference of their method."""
RATES = (*SOFT, "isotropic-slow", "gaussian-slow", "xavier-slow")
"""The soft priors and rates of C9."""
LEAST_SEEDS = 5
MOST = 0.5
"""Share of vectors."""
PERCENTILE = 95.0
_SUPPORTED = "share of posterior vectors with neighbours among the activations (held-out tokens: 0.95)"
_AWAY = "percentile of the distance to the nearest vocabulary row, among those of the rows themselves"


def judge_apart(bench: Bench) -> Judged:
    """Judge C8: is there a prior whose prompt is as good as any while its vectors lie off the activations?"""
    runs = runs_of(bench, (*REFERENCE, *dict.fromkeys(REFERENCE.values())), LEAST_SEEDS)
    random = {name: bench.runs(f"{name}{RANDOM}") for name in REFERENCE}
    groups = [_of_prior(bench, runs, name) for name in REFERENCE]
    parts = [part for place in range(3) for part in (group[place] for group in groups)]
    controls = [
        best_on(ZERO_STEPS, [_share(bench, name, list(runs.found[name].values()), "prior") for name in REFERENCE]),
        best_on(RANDOM_LABELS, [_share(bench, name, mine, "value") for name, mine in random.items()]),
    ]
    words = ", ".join(f"{group[0].name} {group[0].interval.value:.0%}" for group in groups)
    lacking = [runs.lacks(name, reference) for name, reference in REFERENCE.items()]
    return Judged(
        parts,
        f"Share of trained vectors with neighbours among the activations: {words}.",
        one_meets_all,
        [*runs.every, *(run for mine in random.values() for run in mine)],
        one_is_enough=True,
        controls=controls,
        blocked={"": runs.lacks() if all(lacking) else ""},
    )


def _of_prior(bench: Bench, runs: Runs, name: str) -> tuple[Part, Part, Part]:
    """Return where a prior's vectors lie, how much worse than the reference they do, and what they gain."""
    reference = REFERENCE[name]
    seeds = runs.seeds(name, reference)
    mine = runs.at(name, seeds)
    losses, others = runs.losses(name, seeds), runs.losses(reference, seeds)
    off = _share(bench, name, mine, "value")
    worse = quality_part(off.name, tost(losses, others, MARGIN, True, 0.025), Bounds(high=MARGIN))
    gain = gain_part(off.name, baseline_losses(mine, "no_prompt") - losses, 0.95)
    found = off, worse, gain
    if runs.lacks(name, reference):
        return unknown(off), unknown(worse), unknown(gain)
    return found


def judge_away(bench: Bench) -> Judged:
    """Judge C9: is there a prior and a rate that keep a soft prompt away from the vocabulary?"""
    known = arms(bench.spec)
    runs = {name: bench.runs(name) for name in RATES}
    random = {name: bench.runs(f"{name}{RANDOM}") for name in SOFT}
    parts = [_percentiles(known[name].title, bench.measures(mine), "Euclidean distance") for name, mine in runs.items()]
    before = [
        _percentiles(known[name].title, bench.measures(mine), "Euclidean distance before")
        for name, mine in runs.items()
    ]
    learned = [
        _percentiles(known[f"{name}{RANDOM}"].title, bench.measures(mine), "Euclidean distance")
        for name, mine in random.items()
    ]
    words = ", ".join(f"{part.name} {part.interval.value:.0f}" for part in parts)
    return Judged(
        parts,
        f"Percentile of the distance to the nearest vocabulary row, by prior and rate: {words}.",
        one_inside,
        [run for group in (*runs.values(), *random.values()) for run in group],
        one_is_enough=True,
        controls=[best_on(ZERO_STEPS, before), best_on(RANDOM_LABELS, learned)],
    )


def _percentiles(name: str, measured: Sequence[Measures], column: str) -> Part:
    values, n_rows = [], 1
    for found in measured:
        vectors, nulls = found.table("vectors"), found.table("nulls")
        own = nulls.loc[(nulls["site"] == 0) & (nulls["null"] == VOCABULARY), "Euclidean distance"].to_numpy()
        distances = vectors.loc[vectors["site"] == 0, column].to_numpy()
        values.append(100 * float(np.median((own[None, :] < distances[:, None]).mean(axis=1))))
        n_rows = len(own)
    null = Interval(50.0, 50.0, 50.0)
    interval, n = _within(over_seeds(values, least_error=50 / n_rows), 100.0), len(values)
    return Part(name, _AWAY, interval, Bounds(low=PERCENTILE), null, None, n, freedom=max(n - 1, 1))


def _share(bench: Bench, arm: str, runs: Sequence[JobFolder], which: str) -> Part:
    """Return the share of supported vectors at the last site, over seeds; behind the block's norm where cut."""
    values, n_prompt = [], 1
    for found in bench.measures(runs):
        site = found.summary["sites"][-1]
        seen: Mapping[str, Any] = site.get("behind_norm", site)
        values.append(seen["place"][found.summary["data"]]["supported"][which])
        n_prompt = found.summary["n_prompt"]
    interval, n = _within(over_seeds(values, least_error=1 / (2 * n_prompt)), 1.0), len(values)
    null = Interval(0.95, 0.95, 0.95)
    title = arms(bench.spec)[arm].title
    return Part(title, _SUPPORTED, interval, Bounds(high=MOST), null, None, n, freedom=max(n - 1, 1))


def _within(interval: Interval, most: float) -> Interval:
    """Return an interval of a share or percentile, which has bounds of its own; NaN stays."""
    low, high = np.clip([interval.low, interval.high], 0.0, most)
    return Interval(interval.value, float(low), float(high))


CLAIMS = (
    Claim(
        number=8,
        title="Posteriors need not meet the activations",
        quote=(
            "“Here we can see clearly that trained embeddings do not intersect initial activations, while matching the "
            "validation quality. […] Prompt embeddings do not invariably converge into the pre-trained token embedding "
            "space.”"
        ),
        section="4.4, 5",
        statistic=(
            "For each prior: the share of trained vectors whose fifth nearest neighbour among the data's activations "
            "is as near as that of 95 % of held-out tokens (cut prompts: behind the block's own norm); the final loss "
            "minus that of the Xavier run with the same seed; and what the prompt gains over none. Mean over seeds."
        ),
        why=(
            "“Do not intersect” is a statement about support in the full space: two axes can show an overlap that is "
            "not there. A cut prompt acts only through its normalised vectors, so their support is measured there. "
            f"“While matching the validation quality” is a test of not being worse. {WHY_MARGIN} The sentence says "
            "that this is possible, so one prior is enough."
        ),
        null="Tokens of held-out documents: 0.95 of them have such neighbours. A gain of 0: the prompt does nothing.",
        unit=SEED,
        rule=(
            f"Holds if for one of {len(REFERENCE)} priors the 95 % interval of the share lies below {MOST:g}, that of "
            f"the difference below {MARGIN:g} nats and that of the gain above 0, all widened for the number of priors. "
            "Fails if for every prior one of the three lies outside. Undecided otherwise. A prior counts with at least "
            f"{LEAST_SEEDS} converged seeds, if 80 % of its runs converged. The standard deviation over seeds counts "
            "as at least half a vector. On the controls the share alone is judged."
        ),
        judge=judge_apart,
        figures=("figure-10", "figure-11"),
        arms=(*REFERENCE, *dict.fromkeys(REFERENCE.values())),
        controls=tuple(f"{name}{RANDOM}" for name in REFERENCE),
    ),
    Claim(
        number=9,
        title="Some priors and rates keep prompts away from the vocabulary",
        quote=(
            "“Depending on the initialization strategy (prior) and learning rate, the trained prompt embeddings may "
            "exhibit significant divergence from the original embedding space.”"
        ),
        section="4.2",
        statistic=(
            "For each soft prior and rate: the percentile of a trained vector's distance to its nearest vocabulary "
            "row, among the distances of the rows to their own nearest rows; median over vectors, mean over seeds."
        ),
        why=(
            "“Divergence from the embedding space” needs a measure of how far the space reaches: its own rows' "
            "distances give it. “May” says that one prior and rate is enough. That a higher rate moves a prompt "
            "farther would be true whatever is learned."
        ),
        null="A row of the vocabulary: 50.",
        unit=SEED,
        rule=(
            f"Holds if for one of {len(RATES)} combinations the 95 % interval, widened for their number, lies above "
            f"{PERCENTILE:g}; fails if every one lies below; undecided otherwise. Judged likewise: the prior samples, "
            "and prompts that learned random labels."
        ),
        judge=judge_away,
        figures=("figure-6", "figure-7", "figure-8"),
        arms=RATES,
        controls=tuple(f"{name}{RANDOM}" for name in SOFT),
    ),
)
