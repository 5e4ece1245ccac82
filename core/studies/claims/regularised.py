"""C16: regularisers move the posterior at no cost."""

from core.analysis.intervals import Interval
from core.analysis.seeds import over_seeds, tost
from core.analysis.verdict import Bounds
from core.studies.arms import DOSES, PLAIN, REGULARISED, WEIGHTS, dose_arm
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.converged import Runs, runs_of
from core.studies.claims.outcomes import CONVERGED_RULE, MARGIN, WHY_MARGIN, quality_part, unknown
from core.studies.claims.possible import one_meets_all
from core.studies.doses import dose_of, title_of

LEAST = 0.1
"""A tenth of the regulariser's own quantity."""
SENTENCES = dict(zip("abcde", WEIGHTS, strict=True))
_MOVED = "decrease of the regulariser's own quantity, as a share of the plain prompt's"


def judge(bench: Bench) -> Judged:
    """Judge C16: every dose of every regulariser against the plain arm, seed by seed."""
    runs = runs_of(bench, (PLAIN, *REGULARISED))
    parts, working = list[Part](), 0
    for sentence, regulariser in SENTENCES.items():
        pairs = [_of_dose(bench, runs, regulariser, dose, sentence) for dose in DOSES]
        parts += [part for place in (0, 1) for part in (pair[place] for pair in pairs)]
        working += any(moved.interval.value >= LEAST and worse.interval.value <= MARGIN for moved, worse in pairs)
    return Judged(
        parts,
        f"{working} of {len(WEIGHTS)} regularisers have a weight that decreases their own quantity by at least "
        f"{LEAST:.0%} on average while the loss rises by at most {MARGIN:g} nats.",
        one_meets_all,
        runs.every,
        extra={"margin": MARGIN},
        one_is_enough=True,
        blocked=dict.fromkeys(SENTENCES, runs.lacks(PLAIN)),
    )


def _of_dose(bench: Bench, runs: Runs, regulariser: str, dose: float, sentence: str) -> tuple[Part, Part]:
    """Return how far a dose moves its quantity, and what it costs."""
    arm = dose_arm(regulariser, dose)
    seeds = runs.seeds(arm, PLAIN)
    mine, plain = runs.at(arm, seeds), runs.at(PLAIN, seeds)
    moved = over_seeds(dose_of(bench, regulariser, mine, plain).moved)
    name, n, null = runs.titles[arm], len(seeds), Interval(0.0, 0.0, 0.0)
    part = Part(name, _MOVED, moved, Bounds(low=LEAST), null, None, n, True, max(n - 1, 1), sentence)
    worse = tost(runs.losses(arm, seeds), runs.losses(PLAIN, seeds), MARGIN, True, 0.025)
    cost = quality_part(name, worse, Bounds(high=MARGIN), sentence)
    return (unknown(part), unknown(cost)) if runs.lacks(arm) else (part, cost)


CLAIMS = (
    Claim(
        number=16,
        title="Regularisers move the posterior at no cost",
        quote="“Further on, we investigate the influence of regularization techniques on the posterior conjunction.”",
        section="3.5",
        sentences={
            sentence: f"A weight of “{title_of(regulariser)}” moves the posterior at no cost"
            for sentence, regulariser in SENTENCES.items()
        },
        statistic=(
            "For each regulariser at three weights, by seed, against the same prompt without it: the decrease of the "
            "regulariser's own quantity at the posterior, as a share of its mean without it; and the difference of the "
            "final loss. The log density has no zero of its own and is counted from the prior sample's."
        ),
        why=(
            "The paper announces the investigation and reports none. A regulariser is of use if it moves what it is "
            f"meant to move and costs nothing. A tenth is a change that one sees. {WHY_MARGIN}"
        ),
        null="A regulariser without effect: 0.",
        unit=SEED,
        rule=(
            f"Each sentence holds if at one of {len(DOSES)} weights the 95 % interval of the decrease lies above "
            f"{LEAST:g} and that of the difference below {MARGIN:g} nats, both widened for the number of weights. It "
            f"fails if at every weight one of the two lies outside. {CONVERGED_RULE} A weight too few of whose runs "
            "converged decides nothing."
        ),
        judge=judge,
        figures=("doses", "table-regularisation"),
        arms=(PLAIN, *REGULARISED),
    ),
)
