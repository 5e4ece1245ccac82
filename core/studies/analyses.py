"""Analyses of a claim with more and more seeds: which are planned, and how much error each may make.

The analysis that a study was planned with makes the error of its intervals. All further ones
together may make the same error once more, by a spending function. How much is spent is stored with
each judgement, and is charged as well where a study is simply made again with more seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.analysis.spending import nominal_error, spent_error
from core.specs import StudySpec
from core.store import Store, list_jobs
from core.studies.bench import Bench
from core.studies.claims import RULES_VERSION, Claim
from core.studies.claims.base import SEED, Judged
from core.studies.figure import Reproduced

PLANNED = (3, 6, 12, 24, 48)
"""Seeds at which a claim is judged while it is undecided."""
USED_UP = "the error that further analyses may make is used up"


@dataclass(frozen=True)
class Analysis:
    """An analysis that was taken.

    Attributes:
        n_seeds: of each arm.
        spent: error that the analyses after the first had used up by then.
    """

    n_seeds: int
    spent: float


def planned(n_seeds: int, most: int) -> list[int]:
    """Return the numbers of seeds of the analyses after one with so many, up to the most."""
    return [*(n for n in PLANNED if n_seeds < n < most), *([most] if most > n_seeds else [])]


def analyses_of(claim: Claim, study: StudySpec, store: Store) -> list[Analysis]:
    """Return the analyses of a claim on a study that the store has, whatever their number of seeds."""
    found = dict[int, float]()
    for job in list_jobs(store):
        if job.kind not in ("study", "decide") or job.status().state != "succeeded":
            continue
        result = job.result() or {}
        judgement = result.get("numbers", {}).get("judgement", {})
        same = judgement.get("number") == claim.number and judgement.get("rule_version") == RULES_VERSION
        if not same or StudySpec.parse(job.spec["study"]).without_seeds != study.without_seeds:
            continue
        for one in result.get("looks") or [judgement]:
            n, spent = int(one["n_seeds"]), float(one.get("spent", 0.0))
            found[n] = max(spent, found.get(n, 0.0))
    return [Analysis(n, found[n]) for n in sorted(found)]


def charged(found: Judged, n_seeds: int, earlier: Sequence[Analysis], horizon: int) -> tuple[Judged, float]:
    """Return a verdict with the intervals that its place among several analyses allows, and the error spent.

    Args:
        found: the verdict as if it were the only one.
        n_seeds: of this analysis.
        earlier: analyses before it, with fewer seeds; the first is the study's own.
        horizon: seeds of the last analysis that is planned.
    """
    if not earlier:
        return found, 0.0
    further, whole = earlier[1:], 1 - found.level
    before = further[-1].spent if further else 0.0
    spent = max(before, spent_error(n_seeds / horizon, whole))
    error = nominal_error([*(one.n_seeds for one in further), n_seeds], [*(one.spent for one in further), spent])
    n_analyses = len(earlier) + 1
    if error == 0:
        return replace(found, blocked=dict.fromkeys(found.sentences, USED_UP), n_analyses=n_analyses), spent
    return found.charged(error, n_analyses), spent


def make_claim(claim: Claim, bench: Bench) -> Reproduced:
    """Judge a claim on a study; analyses that were taken with fewer seeds are charged."""
    found = claim.judge(bench)
    taken = analyses_of(claim, bench.spec, bench.store) if claim.unit == SEED else []
    n_seeds = claim.seeds(bench.spec)
    earlier = [one for one in taken if one.n_seeds < n_seeds]
    judged, spent = charged(found, n_seeds, earlier, max(n_seeds, *PLANNED))
    return claim.reproduced(with_facts(judged, spent=spent), bench.spec)


def with_facts(found: Judged, **facts: Any) -> Judged:
    """Return a verdict with further facts."""
    extra: Mapping[str, object] = {**found.extra, **facts}
    return replace(found, extra=extra)
