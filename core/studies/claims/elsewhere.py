"""C14: some prior gives prompts that generalise better than the reference's."""

from collections.abc import Mapping

from core.analysis.seeds import over_seeds
from core.analysis.verdict import Bounds
from core.studies.arms import DEEP, RANDOM, SOFT
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Judged, Part
from core.studies.claims.converged import Runs, runs_of
from core.studies.claims.outcomes import MARGIN, RANDOM_LABELS, WHY_MARGIN, minus, unknown
from core.studies.claims.position import REFERENCE
from core.studies.claims.possible import best_on, one_inside
from core.studies.generalisation import foreign_datasets, losses_abroad

_DIFFERENCE = "mean loss on data sets that were not tuned on, minus the reference's, nats per label token"


def judge(bench: Bench) -> Judged:
    """Judge C14: read every prior's prompts where they were not tuned, and compare seed by seed."""
    names = (*REFERENCE, *dict.fromkeys(REFERENCE.values()))
    runs = runs_of(bench, names)
    random = runs_of(bench, [f"{name}{RANDOM}" for name in names])
    parts = [_abroad(bench, runs, name, reference) for name, reference in REFERENCE.items()]
    parts = [
        unknown(part) if runs.lacks(name, reference) else part
        for part, (name, reference) in zip(parts, REFERENCE.items(), strict=True)
    ]
    control = [_abroad(bench, random, f"{name}{RANDOM}", f"{other}{RANDOM}") for name, other in REFERENCE.items()]
    best = min(parts, key=lambda part: part.interval.value)
    lacking = [runs.lacks(name, reference) for name, reference in REFERENCE.items()]
    return Judged(
        parts,
        f"The best, {best.name}, differs by {best.interval.value:+.3f} nats on average over the data sets.",
        one_inside,
        [*runs.every, *random.every],
        extra={"margin": MARGIN, "read_on": _read_on(bench)},
        one_is_enough=True,
        controls=[best_on(RANDOM_LABELS, control)],
        blocked={"": runs.lacks() if all(lacking) else ""},
    )


def _abroad(bench: Bench, runs: Runs, name: str, reference: str) -> Part:
    seeds = runs.seeds(name, reference)
    mine, theirs = (losses_abroad(bench, arm, runs.at(arm, seeds)).mean(axis=1) for arm in (name, reference))
    n = len(seeds)
    bounds = Bounds(high=-MARGIN)
    return Part(
        minus(runs, name, reference), _DIFFERENCE, over_seeds(mine - theirs), bounds, n=n, freedom=max(n - 1, 1)
    )


def _read_on(bench: Bench) -> Mapping[str, list[str]]:
    """Return the data sets that soft and deep prompts are read on."""
    return {arm: [data.label for data in foreign_datasets(bench.spec, arm)] for arm in (SOFT[0], DEEP[0])}


CLAIMS = (
    Claim(
        number=14,
        title="Some prior generalises better to other data",
        quote=(
            "“The central hypothesis of our work is that embedding priors can guide the model toward more adaptable "
            "and generalizable embeddings, preventing collapse into task-specific clusters.”"
        ),
        section="3.4",
        statistic=(
            "Mean validation loss over the data sets that a prompt was not tuned on, without further tuning, minus "
            "that of the Xavier prompt with the same seed, for every prior."
        ),
        why=(
            "Generalisation across domains is the paper's central question; it is not measured there. Reading a prompt "
            f"where it was not tuned measures it directly. {WHY_MARGIN}"
        ),
        null="As good elsewhere as the reference: 0.",
        unit=SEED,
        rule=(
            f"Holds if for one of {len(REFERENCE)} priors the 95 % interval, widened for their number, lies below "
            f"−{MARGIN:g} nats; fails if every one lies above; undecided otherwise. A prior counts if at least two and "
            "80 % of its runs converged. Prompts that learned random labels are judged likewise."
        ),
        judge=judge,
        figures=("generalisation",),
        arms=(*REFERENCE, *dict.fromkeys(REFERENCE.values())),
        also="Besides, every prompt is read on the other data sets.",
        controls=tuple(f"{name}{RANDOM}" for name in (*SOFT, *DEEP)),
    ),
)
