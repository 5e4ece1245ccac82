"""Claims about the loss after tuning.

C6: the same quality from every prior. C10: prepend-and-cut equals the extended sequence. C11:
regions between domains work.
"""

from core.analysis.seeds import tost
from core.analysis.verdict import Bounds
from core.studies.arms import BETWEEN, CUT, DEEP, INSIDE, SOFT
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged
from core.studies.claims.common_step import same_quality_at_common_step
from core.studies.claims.converged import baseline_losses, runs_of
from core.studies.claims.outcomes import (
    CONVERGED_RULE,
    DIFFERENCE,
    MARGIN,
    TOST_LEVEL,
    TOST_NULL,
    WHY_MARGIN,
    gain_part,
    minus,
    quality_part,
    same_quality,
    same_quality_at_best_rates,
)

RATES = (("isotropic", "isotropic-slow"), ("gaussian", "gaussian-slow"), ("exclusion",), ("xavier", "xavier-slow"))
"""The soft arms of each prior by rate."""
KEPT = "gaussian"
LEAST_SEEDS_BETWEEN = 8


def judge_priors(bench: Bench) -> Judged:
    """Judge C6 among the soft arms and among the deep ones."""
    soft, deep = runs_of(bench, [name for names in RATES for name in names]), runs_of(bench, DEEP)
    parts = [*same_quality(soft, SOFT, "a"), *same_quality(deep, DEEP, "b")]
    at_best = same_quality_at_best_rates(soft, RATES, "a")
    as_long = [*same_quality_at_common_step(soft, SOFT, "a"), *same_quality_at_common_step(deep, DEEP, "b")]
    deciding = [part for part in parts if part.decides]
    same = sum(abs(part.interval.value) <= MARGIN for part in deciding)
    widest = max(deciding, key=lambda part: abs(part.interval.value))
    within, alike = (sum(abs(part.interval.value) <= MARGIN for part in beside) for beside in (at_best, as_long))
    return Judged(
        [*parts, *at_best, *as_long],
        f"{same} of {len(deciding)} mean differences are within {MARGIN:g} nats; the largest is {widest.name} with "
        f"{widest.interval.value:+.3f}. With each soft prior at the better of its rates, {within} of {len(at_best)} "
        f"are; after as many steps of both runs, {alike} of {len(as_long)}.",
        level=TOST_LEVEL,
        runs=[*soft.every, *deep.every],
        extra={"margin": MARGIN},
        blocked={"a": soft.lacks(*SOFT), "b": deep.lacks(*DEEP)},
    )


def judge_forms(bench: Bench) -> Judged:
    """Judge C10 on soft prompts from the same prior, kept and cut."""
    names = (CUT, KEPT)
    runs = runs_of(bench, names)
    parts = same_quality(runs, names)
    found = parts[0].interval
    return Judged(
        parts,
        f"Cut minus kept is {found.value:+.3f} nats on average over {parts[0].n} seeds.",
        level=TOST_LEVEL,
        runs=runs.every,
        extra={"margin": MARGIN},
        blocked={"": runs.lacks()},
    )


def judge_between(bench: Bench) -> Judged:
    """Judge C11: not worse than the prior inside the task's region, better than no prompt."""
    runs = runs_of(bench, (BETWEEN, INSIDE), LEAST_SEEDS_BETWEEN)
    seeds = runs.seeds(BETWEEN, INSIDE)
    losses, other = runs.losses(BETWEEN, seeds), runs.losses(INSIDE, seeds)
    worse = quality_part(minus(runs, BETWEEN, INSIDE), tost(losses, other, MARGIN, True), Bounds(high=MARGIN))
    untuned = baseline_losses(runs.at(BETWEEN, seeds), "no_prompt")
    gain = gain_part(runs.titles[BETWEEN], untuned - losses, TOST_LEVEL)
    own = gain_part(runs.titles[INSIDE], untuned - other, TOST_LEVEL, decides=False)
    return Judged(
        [worse, gain, own],
        f"From between the domains the final loss differs by {worse.interval.value:+.3f} nats from that of the prior "
        f"fitted on the task's own activations, and is {gain.interval.value:.3f} nats below the loss without a prompt.",
        level=TOST_LEVEL,
        runs=runs.every,
        extra={"margin": MARGIN},
        blocked={"": runs.lacks()},
    )


CLAIMS = (
    Claim(
        number=6,
        title="Quality is the same from every prior",
        quote=(
            "“We find that in all our experiments methods match the same final quality of Prompt-Tuning / Deep "
            "Prompt-Tuning as in the original initializations.”"
        ),
        section="4.4",
        sentences={"a": "Soft prompts reach the same loss from every prior", "b": "Deep prompts do"},
        statistic=(
            f"{DIFFERENCE.capitalize()}, at the end of converged runs with the same seed, for every two soft priors "
            "and every two deep ones. Mean over seeds. Shown beside: soft priors at the better of their rates, and the "
            "two runs of a pair up to the step where the shorter one ended."
        ),
        why=(
            "“The same” is a claim of equivalence. A difference that is not significant proves nothing, and few seeds "
            f"never find a significant one. {WHY_MARGIN} The loss is the finest measure; F1 and accuracy follow it. "
            "Before runs converge the difference is one of speed, which is C7. Chance decides whether a plateau is "
            "found sooner or later, and a run that goes on ends lower: the comparison after as many steps shows how "
            "much of a difference comes from that."
        ),
        null=TOST_NULL,
        unit=SEED,
        rule=(
            f"Each sentence holds if the 90 % interval of every pair lies within ±{MARGIN:g} nats, and fails if that "
            "of a pair, widened for the number of pairs, lies outside. The residual variance of the layout of seeds "
            "and priors is pooled if Brown and Forsythe's test finds no difference between priors (p above 0.1); "
            f"otherwise each pair has its own. Both are shown. {CONVERGED_RULE}"
        ),
        judge=judge_priors,
        figures=("table-quality",),
        arms=(*(name for names in RATES for name in names), *DEEP),
    ),
    Claim(
        number=10,
        title="Prepend-and-cut equals the extended sequence",
        quote=(
            "“It differs from the original setup of Prompt-Tuning, as there the sequence length is extended with 20 "
            "embeddings for each layer of the model. However, our experiments show no difference between these setups "
            "in terms of model performance when only token embeddings are trained.”"
        ),
        section="3.2",
        statistic=(
            f"{DIFFERENCE.capitalize()}, between prompts at the token embeddings that are cut after the first block "
            "and prompts that stay in the sequence, from the same prior, seed by seed."
        ),
        why=f"Equivalence, as in C6, of soft prompts alone, which is what the sentence is about. {WHY_MARGIN}",
        null=TOST_NULL,
        unit=SEED,
        rule=(
            f"Holds if the 90 % interval lies within ±{MARGIN:g} nats, fails if it lies outside, undecided otherwise. "
            f"{CONVERGED_RULE}"
        ),
        judge=judge_forms,
        figures=("table-quality",),
        arms=(CUT, KEPT),
    ),
    Claim(
        number=11,
        title="Regions between domains work",
        quote=(
            "“We provide weak evidence, using Deep Prompt-Tuning, that pre-trained model can find useful intermediate "
            "activations between domain clusters.”"
        ),
        section="4.5",
        statistic=(
            "Final validation loss from the interpolated prior (arithmetic and texts) minus that from the Gaussian "
            "fitted on the arithmetic's own activations; and what the interpolated one gains over no prompt. By seed."
        ),
        why=(
            "“Works” has two halves: it helps at all, and starting between the clusters costs nothing against starting "
            f"inside the task's own. The second is a test of not being worse. {WHY_MARGIN}"
        ),
        null="No gain; and a loss that is higher by the margin.",
        unit=SEED,
        rule=(
            f"Holds if the 90 % interval of the difference lies below {MARGIN:g} nats and that of the gain above 0. "
            "Fails if one of them, widened for their number, lies outside. Undecided otherwise, and with fewer than "
            f"{LEAST_SEEDS_BETWEEN} converged seeds."
        ),
        judge=judge_between,
        figures=("figure-12", "table-quality"),
        arms=(BETWEEN, INSIDE),
    ),
)
