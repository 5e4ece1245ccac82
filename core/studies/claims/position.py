"""Claims about where posteriors lie.

C5: the prior decides it. C8: posteriors need not meet the activations. C9: the learning rate
decides how far they move.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from core.analysis.intervals import Interval
from core.analysis.retained import prior_retained
from core.analysis.seeds import over_seeds
from core.analysis.verdict import FAILS, HOLDS, UNDECIDED, Bounds, Stated, Verdict, decide_all, widen
from core.jobs.measure import Measures
from core.store import JobFolder
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.outcomes import GAIN, final_losses, title, untuned_losses

SOFT = ("isotropic", "gaussian", "exclusion", "xavier")
DEEP = ("deep-gaussian", "deep-xavier", "deep-exclusion")
APART = ("isotropic", "gaussian", "deep-gaussian", "deep-xavier")
FAST, SLOW = "isotropic", "isotropic-slow"
MOST = 0.5
"""Share of runs or of vectors."""
TWICE = 2.0
_TOLD = "leave-one-run-out accuracy of telling the prior from the posterior"
_SUPPORTED = "share of posterior vectors with neighbours among the activations (held-out tokens: 0.95)"
_INSIDE = "share of posterior vectors in the activations' 95 % ellipsoid (held-out tokens: 0.95)"
_RATIO = "distance travelled at 5e-3 over that at 5e-4"
_ANGLE = "angle travelled at 5e-3 minus that at 5e-4, degrees"


def judge_retained(bench: Bench) -> Judged:
    """Judge C5 among the soft arms, and among the deep ones at their last prompted block."""
    parts, runs, words = [], [], []
    for kind, names, index in (("soft", SOFT, 0), ("deep", DEEP, -1)):
        found = {name: bench.measured(name) for name in names}
        runs += [run for name in names for run in bench.runs(name)]
        part = retained(f"{kind} prompts, {len(names)} priors", found, index, bench.spec.seed)
        parts.append(part)
        chance = part.null.value if part.null else np.nan
        words.append(f"{part.interval.value:.0%} of {part.n} {kind} runs (chance {chance:.0%})")
    return Judged(parts, f"The posterior reveals the prior of {' and '.join(words)}.", runs=runs)


def retained(name: str, found: Mapping[str, Sequence[Measures]], index: int, seed: int) -> Part:
    """Return how often the prior is told from the posterior, with Clopper and Pearson's interval.

    Args:
        name: of the part.
        found: measures of each prior's runs.
        index: which of a run's sites.
        seed: for the permutations.
    """
    features = [each.summary["sites"][index]["features"] for runs in found.values() for each in runs]
    priors = [prior for prior, runs in found.items() for _ in runs]
    result = prior_retained(np.array(features), priors, np.random.default_rng(seed))
    if result.accuracy is None or result.chance is None:
        return Part(name, _TOLD, Interval(np.nan, np.nan, np.nan), Bounds(low=MOST), n=len(priors))
    n = sum(result.n_runs.values())
    interval = binomtest(round(result.accuracy * n), n).proportion_ci(0.95, "exact")
    null = Interval(result.chance, result.chance, result.chance)
    return Part(
        name, _TOLD, Interval(result.accuracy, interval.low, interval.high), Bounds(low=MOST), null, result.p, n
    )


def judge_apart(bench: Bench) -> Judged:
    """Judge C8: is there a prior whose prompt helps while its vectors lie off the activations?"""
    parts: list[Part] = []
    runs: list[JobFolder] = []
    for name in APART:
        mine = bench.runs(name)
        runs += mine
        measured = bench.measured(name)
        gain = Part(
            title(bench, name),
            GAIN,
            over_seeds(untuned_losses(mine) - final_losses(mine)),
            Bounds(low=0.0),
            n=len(mine),
            freedom=max(len(mine) - 1, 1),
        )
        off = _share(bench, name, measured, "supported", _SUPPORTED)
        parts += [off, gain, _share(bench, name, measured, "inside", _INSIDE, decides=False)]
    ordered = sorted(parts, key=lambda part: (_SUPPORTED, GAIN, _INSIDE).index(part.quantity))
    shares = [part for part in parts if part.quantity == _SUPPORTED]
    words = ", ".join(f"{part.name} {part.interval.value:.0%}" for part in shares)
    return Judged(
        ordered,
        f"Share of trained vectors with neighbours among the activations: {words}.",
        off_and_useful,
        runs,
        one_is_enough=True,
    )


def off_and_useful(parts: Sequence[Part], level: float) -> Verdict:
    """Return whether for some prior most vectors lie off the activations while the prompt helps.

    One prior is enough for the claim, so the intervals are widened for the number of priors.
    """
    priors = [[part for part in parts if part.name == name] for name in dict.fromkeys(part.name for part in parts)]
    wide = [
        decide_all([Stated(widen(part.interval, len(priors), level, part.freedom), part.bounds) for part in both])
        for both in priors
    ]
    if HOLDS in wide:
        return HOLDS
    alone = [decide_all([part.stated for part in both], level) for both in priors]
    return FAILS if alone and all(found == FAILS for found in alone) else UNDECIDED


def judge_rate(bench: Bench) -> Judged:
    """Judge C9: seed by seed, the same prior sample at two rates."""
    fast, slow = bench.measured(FAST), bench.measured(SLOW)
    logs = np.log(_travelled(fast, "distance")) - np.log(_travelled(slow, "distance"))
    log = over_seeds(logs)
    ratio = Interval(*(float(np.exp(value)) for value in (log.value, log.low, log.high)))
    turned = over_seeds(_travelled(fast, "angle") - _travelled(slow, "angle"))
    n, free = len(logs), max(len(logs) - 1, 1)
    parts = [
        Part("soft, isotropic", _RATIO, ratio, Bounds(low=TWICE), Interval(1.0, 1.0, 1.0), n=n, freedom=free),
        Part("soft, isotropic", _ANGLE, turned, Bounds(low=0.0), Interval(0.0, 0.0, 0.0), n=n, freedom=free),
    ]
    return Judged(
        parts,
        f"At the higher rate vectors move {ratio.value:.1f} times as far ({np.mean(_travelled(fast, 'distance')):.2f} "
        f"against {np.mean(_travelled(slow, 'distance')):.2f}) and turn by {np.mean(_travelled(fast, 'angle')):.0f}° "
        f"against {np.mean(_travelled(slow, 'angle')):.0f}°. A step of AdamW is about as long as the rate, so a ratio "
        "of about ten is the most that can be expected.",
        runs=[*bench.runs(FAST), *bench.runs(SLOW)],
    )


def _share(
    bench: Bench, arm: str, measured: Sequence[Measures], score: str, quantity: str, decides: bool = True
) -> Part:
    """Return the share of vectors in the cloud of the run's data at its last site, over seeds."""
    values, n_prompt = [], 1
    for each in measured:
        site = each.summary["sites"][-1]
        values.append(site["place"][each.summary["data"]][score]["value"])
        n_prompt = each.summary["n_prompt"]
    interval = over_seeds(values, least_error=1 / (2 * n_prompt))
    clipped = Interval(interval.value, max(0.0, interval.low), min(1.0, interval.high))
    interval = interval if len(values) < 2 else clipped
    null = Interval(0.95, 0.95, 0.95)
    free = max(len(values) - 1, 1)
    return Part(
        title(bench, arm), quantity, interval, Bounds(high=MOST), null, n=len(values), decides=decides, freedom=free
    )


def _travelled(measured: Sequence[Measures], name: str) -> np.ndarray:
    """Return the mean over vectors of what each run moved at its first site, (n_seeds,)."""
    return np.array([each.summary["sites"][0]["displacement"][name]["value"] for each in measured], np.float64)


CLAIMS = (
    Claim(
        number=5,
        title="Priors decide where posteriors lie",
        quote="“Priors strongly affect the position of the trained embeddings.”",
        section="1",
        statistic=(
            "Leave-one-run-out accuracy of telling the prior by the nearest class mean of simple features of the "
            "posterior (norms, trace, effective rank, cosines): for soft prompts, and for deep ones at the last block."
        ),
        why=(
            "If the posterior of an unseen run reveals its prior, then the prior decided where the posterior lies. "
            "Whole runs are classified, because the vectors of one run are not independent."
        ),
        null="Priors shuffled over runs.",
        unit=SEED,
        rule=(
            f"Holds if the 95 % interval (Clopper and Pearson, over runs) lies above {MOST:g} for soft and for deep "
            "prompts: most runs are classified correctly. Fails if one of them, widened, lies below. Undecided "
            "otherwise, and with fewer than two seeds."
        ),
        judge=judge_retained,
        figures=("figure-6", "figure-8", "figure-10", "figure-11"),
        arms=(*SOFT, *DEEP),
    ),
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
            "is as near as that of 95 % of held-out tokens, and what the prompt gains over none. Mean over seeds."
        ),
        why=(
            "“Do not intersect” is a statement about support in the full space: two axes can show an overlap that is "
            "not there. The sentence says that this is possible, so one prior is enough if its prompt also helps."
        ),
        null="Tokens of held-out documents: 0.95 of them have such neighbours. A gain of 0: the prompt does nothing.",
        unit=SEED,
        rule=(
            f"Holds if for one of {len(APART)} priors the 95 % interval of the share, widened for their number, lies "
            f"below {MOST:g} and that of the gain above 0. Fails if for every prior one of the two lies outside. "
            "Undecided otherwise. The standard deviation over seeds counts as at least half a vector."
        ),
        judge=judge_apart,
        figures=("figure-10", "figure-11"),
        arms=APART,
    ),
    Claim(
        number=9,
        title="The learning rate decides how far prompts go",
        quote=(
            "“Depending on the initialization strategy (prior) and learning rate, the trained prompt embeddings may "
            "exhibit significant divergence from the original embedding space.”"
        ),
        section="4.2",
        statistic=(
            "Distance from prior sample to posterior at a rate of 5e-3 over that at 5e-4, and the difference of the "
            "angles: isotropic prior, the same sample, seed by seed."
        ),
        why=(
            "Figures 6 and 7 differ only in the rate. Both length and angle count, because a norm layer removes the "
            "length. Ratios are averaged as logarithms."
        ),
        null="No effect: a ratio of 1 and a difference of 0.",
        unit=SEED,
        rule=(
            f"Holds if the 95 % interval of the ratio lies above {TWICE:g} (of at most about 10) and that of the angle "
            "above 0. Fails if one of them, widened, lies below. Undecided otherwise."
        ),
        judge=judge_rate,
        figures=("figure-6", "figure-7"),
        arms=(FAST, SLOW),
    ),
)
