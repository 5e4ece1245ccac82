"""The job that adds seeds to a claim until it is decided or its budget ends."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from core.analysis.verdict import UNDECIDED, Verdict
from core.engine.tasks import Task
from core.errors import BadRequest
from core.jobs.nested import nested
from core.progress import Progress
from core.specs import DecideSpec
from core.store import JobFolder, Store
from core.studies.analyses import Analysis, analyses_of, charged, planned, with_facts
from core.studies.bench import Bench
from core.studies.claims import CLAIMS, Claim
from core.studies.claims.base import SEED
from core.studies.claims.judgement import finite
from core.studies.figure import keep
from core.studies.items import VERSION, InterimAnalysis

KIND = "decide"


def decide_claim(
    spec: DecideSpec, job: JobFolder, store: Store, progress: Progress, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """Judge a claim at planned numbers of seeds until it is decided or the budget ends.

    Each analysis may make the error that the spending function allows it (see
    `core.studies.analyses`), so that adding seeds does not bring a verdict by luck. Analyses that
    the store has are charged and not repeated. When the job starts again, it reads the runs it has
    made and repeats its own analyses.

    Returns:
        version, caption and numbers of the last analysis, `looks` (an `InterimAnalysis` each),
        seconds.

    Raises:
        BadRequest: no such claim, one that does not depend on seeds, or one that was analysed with
            as many seeds as the request allows.
        Failed: a job it needs has failed.
        Cancelled: by the progress; the runs made so far are kept.
    """
    claim, perform = claim_of(spec), nested(job, store, progress)
    began, looks = clock(), list[InterimAnalysis]()
    earlier = analyses_of(claim, spec.study, store)
    n_seeds = _first(spec, claim, earlier)
    while True:
        started, study = clock(), spec.study.with_seeds(n_seeds)
        taken = [*earlier, *(Analysis(one.n_seeds, one.spent) for one in looks)]
        found, spent = charged(claim.judge(Bench(study, store, perform)), n_seeds, taken, spec.most_seeds)
        head, took = found.headline.interval, clock() - started
        bounds = finite(head.value), finite(head.low), finite(head.high)
        looks.append(InterimAnalysis(n_seeds, found.verdict, *bounds, round(took, 1), spent))
        job.log(f"C{claim.number} with {n_seeds} seeds: {found.verdict}")
        further = planned(n_seeds, spec.most_seeds)
        reason = _reason(spec, found.verdict, n_seeds, further, clock() - began + _needed(looks, further))
        if reason:
            break
        n_seeds = further[0]
    kept = keep(claim.reproduced(with_facts(found, spent=spent, stopped=reason), study), job.path)
    seconds = round(clock() - began, 1)
    return {"version": VERSION, **kept, "looks": [asdict(one) for one in looks], "seconds": seconds}


def claim_of(spec: DecideSpec) -> Claim:
    """Return the claim that a request names.

    Raises:
        BadRequest: no such claim, or one that does not depend on seeds.
    """
    claim = CLAIMS.get(spec.claim)
    if claim is None:
        raise BadRequest(f"There is no claim {spec.claim}; there are {', '.join(map(str, CLAIMS))}.")
    if claim.unit != SEED:
        raise BadRequest(
            f"C{claim.number} rests on documents, so further seeds cannot decide it; give the study more texts."
        )
    return claim


def _first(spec: DecideSpec, claim: Claim, earlier: Sequence[Analysis]) -> int:
    """Return the seeds of the first analysis that was not taken yet."""
    if not earlier:
        return claim.seeds(spec.study)
    n_seeds = earlier[-1].n_seeds
    if further := planned(n_seeds, spec.most_seeds):
        return further[0]
    raise BadRequest(
        f"C{claim.number} was analysed with {n_seeds} seeds already, and {spec.most_seeds} are the most allowed; allow "
        "more."
    )


def _needed(looks: Sequence[InterimAnalysis], further: Sequence[int]) -> float:
    """Return the seconds that the next analysis needs, judging by the last: as much for each new seed."""
    if not further:
        return 0.0
    last, before = looks[-1], looks[-2].n_seeds if len(looks) > 1 else 0
    return (last.seconds or 0.0) * (further[0] - last.n_seeds) / (last.n_seeds - before)


def _reason(spec: DecideSpec, verdict: Verdict, n_seeds: int, further: Sequence[int], seconds: float) -> str:
    """Return why no further seeds are added; empty where they are."""
    if verdict != UNDECIDED:
        return f"decided with {n_seeds} seeds"
    if not further:
        return f"undecided with {n_seeds} seeds, the most that the request allows"
    if seconds > 60 * spec.minutes:
        return (
            f"undecided with {n_seeds} seeds; the budget of {spec.minutes:g} minutes has no room for the next "
            f"analysis, with {further[0]}"
        )
    return ""


def _context(spec: DecideSpec) -> tuple[str, ...]:
    claim_of(spec)
    return ()


DECIDE = Task(KIND, "d", DecideSpec, decide_claim, "study", keeps=True, version=VERSION, context=_context)
