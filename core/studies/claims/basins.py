"""C15: a barrier of loss lies between posteriors of different priors."""

from itertools import combinations

from core.analysis.intervals import Interval
from core.analysis.leaving_out import leaving_out_each
from core.analysis.verdict import Bounds, decide
from core.studies.arms import DEEP, RANDOM, SOFT
from core.studies.bench import Bench
from core.studies.claims.base import SEED, Claim, Control, Judged, Part
from core.studies.claims.converged import Runs, runs_of
from core.studies.claims.outcomes import CONVERGED_RULE, MARGIN, RANDOM_LABELS, WHY_MARGIN
from core.studies.lines import study_lines

PAIRS = "the same, pair by pair"
_EXCESS = "barrier between priors minus that between seeds of one prior, nats per label token"


def judge(bench: Bench) -> Judged:
    """Judge C15 among the soft arms, and among the deep ones."""
    parts, beside, controls, words, every = [], list[Part](), [], [], []
    blocked = {}
    for sentence, kind, names in (("a", "soft prompts", SOFT), ("b", "deep prompts", DEEP)):
        runs, random = (runs_of(bench, [f"{name}{ending}" for name in names]) for ending in ("", RANDOM))
        every += [*runs.every, *random.every]
        part, *pairs = _excess(bench, runs, kind, sentence)
        control = _excess(bench, random, f"{kind}, random labels", sentence)[0]
        parts.append(part)
        beside += pairs
        controls.append(Control(RANDOM_LABELS, control, decide(control.interval, control.bounds)))
        blocked[sentence] = runs.lacks()
        words.append(f"{part.interval.value:+.3f} nats for {kind}")
    return Judged(
        [*parts, *beside],
        f"The barrier between priors is higher than that between seeds of one prior by {' and '.join(words)}.",
        runs=every,
        extra={"margin": MARGIN},
        controls=controls,
        blocked=blocked,
    )


def _excess(bench: Bench, runs: Runs, name: str, sentence: str) -> list[Part]:
    """Return the number that decides, and beside it that of each pair of priors."""
    seeds = runs.seeds(*runs.found)
    found, n = study_lines(bench, runs.found, seeds), len(seeds)

    def part(name: str, quantity: str, pair: tuple[str, str] | None) -> Part:
        interval = leaving_out_each(seeds, lambda some: found.excess(some, pair))
        bounds, null = Bounds(low=MARGIN), Interval(0.0, 0.0, 0.0)
        return Part(name, quantity, interval, bounds, null, None, n, pair is None, max(n - 1, 1), sentence)

    pairs = [part(f"{runs.titles[a]} and {runs.titles[b]}", PAIRS, (a, b)) for a, b in combinations(runs.found, 2)]
    return [part(name, _EXCESS, None), *pairs]


CLAIMS = (
    Claim(
        number=15,
        title="Posteriors of different priors lie in different basins",
        quote=(
            "“Prompt-Tuning shows the same quality on embeddings from different parts of activation space, including "
            "the completely new ones for the model.”"
        ),
        section="1",
        sentences={
            "a": "A barrier separates soft prompts from different priors",
            "b": "A barrier separates deep prompts from different priors",
        },
        statistic=(
            "Highest validation loss on the straight line between two posteriors (11 prompts) minus that of its higher "
            "end: the barrier. Mean over pairs of priors with the same seed, minus the mean over pairs of neighbouring "
            "seeds of one prior. Shown beside: each pair of priors."
        ),
        why=(
            "Two regions are different for the model if prompts between them are worse than both. Prompts of two seeds "
            "of one prior are separated as well, so that a barrier says something of priors only if it is higher than "
            f"theirs. {WHY_MARGIN} With one seed, the Gaussian and the exclusion prior draw vectors of the same "
            "directions (deep prompts: at the first site), so the line between their posteriors starts short; the "
            "pairs beside show what that does to the mean."
        ),
        null="Barriers between priors that are no higher than those between seeds: 0.",
        unit=SEED,
        rule=(
            f"Each sentence holds if the 95 % interval (jackknife over seeds, Student) lies above {MARGIN:g} nats, and "
            f"fails if it lies below. {CONVERGED_RULE} Judged likewise beside it: prompts that learned random labels."
        ),
        judge=judge,
        figures=("lines",),
        arms=(*SOFT, *DEEP),
        also=(
            "Besides, 11 prompts are read on each line: one per pair of priors and seed, and one per prior and seed."
        ),
        controls=tuple(f"{name}{RANDOM}" for name in (*SOFT, *DEEP)),
    ),
)
