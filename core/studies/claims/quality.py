"""Claims about the loss after tuning.

C6: the same quality from every prior. C10: prepend-and-cut equals the extended sequence. C11:
regions between domains work.
"""

import math

from core.analysis.seeds import over_seeds, tost
from core.analysis.verdict import Bounds
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.outcomes import (
    DIFFERENCE,
    GAIN,
    MARGIN,
    TOST_LEVEL,
    final_losses,
    minus,
    quality_part,
    same_quality,
    same_quality_at_best_rates,
    title,
    untuned_losses,
)

SOFT = ("isotropic", "gaussian", "exclusion", "xavier")
DEEP = ("deep-gaussian", "deep-xavier", "deep-exclusion")
BETWEEN, INSIDE = "deep-math-interpolation", "deep-math-gaussian"
_WHY_MARGIN = (
    f"The margin is {MARGIN:g} nats per label token: it keeps perplexities within about 5 % of each other, a "
    "difference for which nobody would choose one prior over another."
)
_TOST_NULL = "Means that differ by the margin: two one-sided tests (TOST) at 0.05 each must reject that."


def judge_priors(bench: Bench) -> Judged:
    """Judge C6 among the soft arms and among the deep ones."""
    soft, soft_runs = same_quality(bench, SOFT)
    deep, deep_runs = same_quality(bench, DEEP)
    parts = [*soft, *deep]
    same = sum(abs(part.interval.value) <= MARGIN for part in parts)
    at_best = same_quality_at_best_rates(bench, SOFT)
    widest = max(parts, key=lambda part: abs(part.interval.value))
    rates = (
        f"Pairs also shown with each prior at its own best rate: {len(at_best)}."
        if at_best
        else "All priors have the same learning rate, as in the paper. A sweep over rates with the study's settings "
        "adds the comparison with each prior at its own best rate."
    )
    return Judged(
        [*parts, *at_best],
        f"{same} of {len(parts)} mean differences are within {MARGIN:g} nats; the largest is {widest.name} with "
        f"{widest.interval.value:+.3f}. {rates}",
        level=TOST_LEVEL,
        runs=[*soft_runs, *deep_runs],
        extra={"margin": MARGIN},
    )


def judge_forms(bench: Bench) -> Judged:
    """Judge C10 on the same prior, cut and kept."""
    parts, runs = same_quality(bench, ("form-cut", "form-kept"))
    found = parts[0].interval
    return Judged(
        parts,
        f"Cut minus kept is {found.value:+.3f} nats on average over {parts[0].n} seeds.",
        level=TOST_LEVEL,
        runs=runs,
        extra={"margin": MARGIN},
    )


def judge_between(bench: Bench) -> Judged:
    """Judge C11: not worse than the prior inside the task's region, better than no prompt."""
    between, inside = bench.runs(BETWEEN), bench.runs(INSIDE)
    losses, other = final_losses(between), final_losses(inside)
    worse = quality_part(minus(bench, BETWEEN, INSIDE), tost(losses, other, MARGIN, True), Bounds(high=MARGIN))
    gains = untuned_losses(between) - losses
    gain = over_seeds(gains, TOST_LEVEL)
    free = max(len(gains) - 1, 1)
    helps = Part(title(bench, BETWEEN), GAIN, gain, Bounds(low=0.0), n=len(gains), freedom=free)
    own = over_seeds(untuned_losses(inside) - other, TOST_LEVEL)
    shown = Part(title(bench, INSIDE), GAIN, own, Bounds(low=0.0), n=len(other), decides=False)
    return Judged(
        [worse, helps, shown],
        f"From between the domains the final loss differs by {worse.interval.value:+.3f} nats from that of the prior "
        f"fitted on the task's own activations, and is {gain.value:.3f} nats below the loss without a prompt.",
        level=TOST_LEVEL,
        runs=[*between, *inside],
        extra={"margin": MARGIN, "bound_is_one_sided": math.isinf(worse.bounds.low)},
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
        statistic=(
            f"{DIFFERENCE.capitalize()}, at the end of runs with the same seed, for every two soft priors and every "
            "two deep ones. Mean over seeds."
        ),
        why=(
            "“The same” is a claim of equivalence. A difference that is not significant proves nothing, and few seeds "
            f"never find a significant one. {_WHY_MARGIN} The loss is the finest measure; F1 and accuracy follow it."
        ),
        null=_TOST_NULL,
        unit=SEED,
        rule=(
            f"Holds if the 90 % interval of every pair lies within ±{MARGIN:g} nats. Fails if that of a pair, widened "
            "for the number of pairs, lies outside. Undecided otherwise."
        ),
        judge=judge_priors,
        figures=("table-quality",),
        arms=(*SOFT, *DEEP),
    ),
    Claim(
        number=10,
        title="Prepend-and-cut equals the extended sequence",
        quote=(
            "“It differs from the original setup of Prompt-Tuning, as there the sequence length is extended with 20 "
            "embeddings for each layer of the model. However, our experiments show no difference between these setups "
            "in terms of model performance.”"
        ),
        section="3.2",
        statistic=(
            f"{DIFFERENCE.capitalize()}, between deep prompts that are cut after each prompted block and deep prompts "
            "that stay in the sequence, from the same prior, seed by seed."
        ),
        why=f"Equivalence, as in C6. {_WHY_MARGIN} The paper's sentence is about prompts at the token embeddings "
        "only; here they are at all prompted blocks.",
        null=_TOST_NULL,
        unit=SEED,
        rule=(
            f"Holds if the 90 % interval lies within ±{MARGIN:g} nats, fails if it lies outside, undecided otherwise."
        ),
        judge=judge_forms,
        figures=("table-quality",),
        arms=("form-cut", "form-kept"),
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
            f"inside the task's own. The second is a test of not being worse. {_WHY_MARGIN}"
        ),
        null="No gain; and a loss that is higher by the margin.",
        unit=SEED,
        rule=(
            f"Holds if the 90 % interval of the difference lies below {MARGIN:g} nats and that of the gain above 0. "
            "Fails if one of them, widened for their number, lies outside. Undecided otherwise."
        ),
        judge=judge_between,
        figures=("figure-12", "table-quality"),
        arms=(BETWEEN, INSIDE),
    ),
)
