"""The job that adds seeds to a claim until it is decided, or its budget ends."""

import time
from collections.abc import Callable
from math import isfinite
from typing import Any

from core.analysis.verdict import UNDECIDED
from core.engine.tasks import Task
from core.errors import BadRequest
from core.progress import Progress
from core.specs import DecideSpec
from core.store import JobFolder, Store
from core.studies.bench import Bench
from core.studies.claims import CLAIMS, Claim
from core.studies.claims.base import SEED
from core.studies.figure import keep
from core.studies.items import VERSION
from core.studies.jobs import nested

KIND = "decide"


def decide_claim(
    spec: DecideSpec, job: JobFolder, store: Store, progress: Progress, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Judge a claim, add a seed, judge again: until it is decided, or the next seed would not end in the budget.

    Each further look at the same claim is allowed less error, so that adding seeds until a verdict comes does not bring
    it by luck (see `Judged.after`). Begun again, the job reads the runs it has made and looks as often.

    Returns:
        version, caption, numbers of the last look, `looks` (n_seeds, verdict, value, low, high, seconds of each), why
        it stopped, seconds.

    Raises:
        BadRequest: no such claim, or one that seeds do not matter to.
        Failed: as a job it needs ended.
        Cancelled: by the progress; the runs made so far are kept.
    """
    claim, perform = claim_of(spec), nested(job, store, progress)
    began, looks = clock(), []
    n_seeds = spec.study.n_seeds
    while True:
        looked = clock()
        study = spec.study.model_copy(update={"n_seeds": n_seeds})
        found = claim.judge(Bench(study, store, perform)).after(len(looks) + 1)
        head, took = found.headline.interval, clock() - looked
        looks.append(
            {
                "n_seeds": n_seeds,
                "verdict": found.verdict,
                "value": head.value,
                "low": head.low,
                "high": head.high,
                "seconds": round(took, 1),
            }
        )
        job.log(f"C{claim.number} with {n_seeds} seeds: {found.verdict}")
        reason = _reason(spec, found.verdict, n_seeds, clock() - began + took)
        if reason:
            break
        n_seeds += 1
    kept = keep(claim.told(found, study), job.path)
    kept["numbers"]["judgement"]["stopped"] = reason
    seconds = round(clock() - began, 1)
    return {"version": VERSION, **kept, "looks": [_known(look) for look in looks], "seconds": seconds}


def claim_of(spec: DecideSpec) -> Claim:
    """Return the claim that is meant.

    Raises:
        BadRequest: no such claim, or one that seeds do not matter to.
    """
    claim = CLAIMS.get(spec.claim)
    if claim is None:
        raise BadRequest(f"There is no claim {spec.claim}; there are {', '.join(map(str, CLAIMS))}.")
    if claim.unit != SEED:
        raise BadRequest(
            f"C{claim.number} rests on documents, and further seeds say nothing of it; give the study more texts."
        )
    return claim


def _reason(spec: DecideSpec, verdict: str, n_seeds: int, seconds: float) -> str:
    """Return why no seed is added, or nothing if one is."""
    if verdict != UNDECIDED:
        return f"decided with {n_seeds} seeds"
    if n_seeds >= spec.most_seeds:
        return f"undecided with {n_seeds} seeds, the most that were asked for"
    if seconds > 60 * spec.minutes:
        return f"undecided with {n_seeds} seeds when the budget of {spec.minutes:g} minutes had no room for another"
    return ""


def _known(look: dict[str, Any]) -> dict[str, Any]:
    """Return a look JSON-able: bounds that are not finite are None."""
    return {name: None if isinstance(value, float) and not isfinite(value) else value for name, value in look.items()}


def _context(spec: DecideSpec) -> tuple[str, ...]:
    claim_of(spec)
    return (VERSION,)


DECIDE = Task(KIND, "d", DecideSpec, decide_claim, "study", keeps=True, context=_context)
