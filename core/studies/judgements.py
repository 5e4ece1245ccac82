"""Which claims were judged on which studies: what the Findings page reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.specs import DecideSpec, Spec, StudyItemSpec, StudySpec
from core.store import JobFolder, Store, list_jobs
from core.studies.claims import CLAIMS
from core.studies.decide import KIND as DECIDE
from core.studies.figure import Reproduced, recall
from core.studies.items import KIND as STUDY
from core.studies.items import VERSION

_CLAIM_OF = {claim.item: number for number, claim in CLAIMS.items()}


@dataclass(frozen=True)
class Judgement:
    """A claim as it was judged.

    Attributes:
        study: it was judged on.
        claim: its number.
        job: that judged it.
        result: of the job.
    """

    study: StudySpec
    claim: int
    job: JobFolder
    result: dict[str, Any]

    @property
    def numbers(self) -> dict[str, Any]:
        """Return what was found, see `core.studies.claims.base.judgement`."""
        return self.result["numbers"]["judgement"]

    @property
    def asked(self) -> tuple[str, Spec]:
        """Return kind and spec of the job, with which it can be made again."""
        spec = DecideSpec if self.job.kind == DECIDE else StudyItemSpec
        return self.job.kind, spec.parse(self.job.spec)

    @property
    def looks(self) -> list[dict[str, Any]]:
        """Return how the verdict came about, where seeds were added."""
        return self.result.get("looks", [])

    @property
    def reproduced(self) -> Reproduced:
        """Return picture, table, numbers and caption."""
        return recall(self.job.path, self.result)


def judgements(store: Store) -> list[Judgement]:
    """Return every claim that was judged, the newest first."""
    found = []
    for job in list_jobs(store):
        claim = _claim(job)
        result = job.result() if claim and job.status().state == "succeeded" else None
        if claim and result and result["version"] == VERSION:
            found.append(Judgement(StudySpec.parse(job.spec["study"]), claim, job, result))
    return found


def without_seeds(study: StudySpec) -> StudySpec:
    """Return a study whatever its number of seeds: more of them are more of the same."""
    return study.model_copy(update={"n_seeds": 1})


def best(found: Sequence[Judgement], study: StudySpec, claim: int) -> Judgement | None:
    """Return the judgement of a claim with the most seeds, on a study whatever its seeds."""
    wanted = without_seeds(study)
    mine = [one for one in found if one.claim == claim and without_seeds(one.study) == wanted]
    return max(mine, key=lambda one: (one.numbers["n_seeds"], one.job.kind == DECIDE), default=None)


def _claim(job: JobFolder) -> int | None:
    if job.kind == DECIDE:
        return int(job.spec["claim"])
    return _CLAIM_OF.get(job.spec["item"]) if job.kind == STUDY else None
