"""The job that adds seeds to a claim until it is decided or its budget ends."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace

from core.analysis.verdict import UNDECIDED, Verdict
from core.engine.tasks import Task
from core.errors import BadRequest
from core.progress import Progress
from core.specs import DecideSpec
from core.store import JobFolder, Store
from core.studies.bench import Bench
from core.studies.claims import CLAIMS, Claim
from core.studies.claims.base import SEED
from core.studies.claims.judgement import finite
from core.studies.figure import keep
from core.studies.items import VERSION, InterimAnalysis
from core.studies.jobs import nested

KIND = "decide"


def decide_claim(
    spec: DecideSpec, job: JobFolder, store: Store, progress: Progress, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """Judge a claim, add a seed, and judge again, until it is decided or the budget ends.

    Each further analysis of the same claim is allowed less error, so that adding seeds does not
    bring a verdict by luck (see `Judged.after`). When the job starts again, it reads the runs it
    has made and repeats every analysis.

    Returns:
        version, caption and numbers of the last analysis, `looks` (an `InterimAnalysis` each),
        seconds.

    Raises:
        BadRequest: no such claim, or one that does not depend on seeds.
        Failed: a job it needs has failed.
        Cancelled: by the progress; the runs made so far are kept.
    """
    claim, perform = claim_of(spec), nested(job, store, progress)
    began, analyses = clock(), list[InterimAnalysis]()
    n_seeds = spec.study.n_seeds
    while True:
        started = clock()
        study = spec.study.model_copy(update={"n_seeds": n_seeds})
        number = len(analyses) + 1
        found = claim.judge(Bench(study, store, perform))
        found = found.charged((1 - found.level) / (number * (number + 1)), number)
        head, took = found.headline.interval, clock() - started
        bounds = finite(head.value), finite(head.low), finite(head.high)
        analyses.append(InterimAnalysis(n_seeds, found.verdict, *bounds, round(took, 1)))
        job.log(f"C{claim.number} with {n_seeds} seeds: {found.verdict}")
        reason = _reason(spec, found.verdict, n_seeds, clock() - began + took)
        if reason:
            break
        n_seeds += 1
    told = replace(found, extra={**found.extra, "stopped": reason})
    kept = keep(claim.reproduced(told, study), job.path)
    seconds = round(clock() - began, 1)
    return {"version": VERSION, **kept, "looks": [asdict(one) for one in analyses], "seconds": seconds}


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


def _reason(spec: DecideSpec, verdict: Verdict, n_seeds: int, seconds: float) -> str:
    """Return why no further seed is added; empty where one is."""
    if verdict != UNDECIDED:
        return f"decided with {n_seeds} seeds"
    if n_seeds >= spec.most_seeds:
        return f"undecided with {n_seeds} seeds, the most that the request allows"
    if seconds > 60 * spec.minutes:
        return f"undecided with {n_seeds} seeds; the budget of {spec.minutes:g} minutes has no room for another"
    return ""


def _context(spec: DecideSpec) -> tuple[str, ...]:
    claim_of(spec)
    return ()


DECIDE = Task(KIND, "d", DecideSpec, decide_claim, "study", keeps=True, version=VERSION, context=_context)
