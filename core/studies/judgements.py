"""Which claims were judged on which studies, as the Findings page reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.specs import DecideSpec, Spec, StudyItemSpec, StudySpec
from core.store import JobFolder, Store, list_jobs
from core.studies.claims import CLAIMS
from core.studies.claims.judgement import Judgement
from core.studies.decide import KIND as DECIDE
from core.studies.figure import Reproduced, recall
from core.studies.items import KIND as STUDY
from core.studies.items import VERSION, InterimAnalysis, Result, read_result
from core.studies.shipped import finished_studies

_CLAIM_OF = {claim.item: number for number, claim in CLAIMS.items()}


@dataclass(frozen=True)
class JudgedClaim:
    """A claim that a job judged on a study.

    Attributes:
        study: the study.
        claim: its number.
        job: that judged it.
        result: of the job.
    """

    study: StudySpec
    claim: int
    job: JobFolder
    result: Result

    @property
    def judgement(self) -> Judgement:
        """Return what was found."""
        return Judgement.model_validate(self.result.numbers["judgement"])

    @property
    def asked(self) -> tuple[str, Spec]:
        """Return kind and spec of the job that makes it again."""
        spec = DecideSpec if self.job.kind == DECIDE else StudyItemSpec
        return self.job.kind, spec.parse(self.job.spec)

    @property
    def analyses(self) -> tuple[InterimAnalysis, ...]:
        """Return the analyses that led to the verdict, where seeds were added."""
        return self.result.looks

    @property
    def reproduced(self) -> Reproduced:
        """Return picture, table, numbers and caption."""
        return recall(self.job, self.result.caption, self.result.numbers)


def judgements(store: Store) -> list[JudgedClaim]:
    """Return every claim that was judged, newest first, then those of the studies that came with the program."""
    found = []
    finished = [job for study in finished_studies(VERSION) for job in study.items]
    for job in [*list_jobs(store), *finished]:
        claim = _claim(job)
        result = read_result(job) if claim else None
        if claim and result:
            found.append(JudgedClaim(StudySpec.parse(job.spec["study"]), claim, job, result))
    return found


def best(found: Sequence[JudgedClaim], study: StudySpec, claim: int) -> JudgedClaim | None:
    """Return the judgement of a claim with the most seeds, whatever the study's number of seeds."""
    wanted = study.without_seeds
    mine = [one for one in found if one.claim == claim and one.study.without_seeds == wanted]
    return max(mine, key=lambda one: (one.judgement.n_seeds, one.job.kind == DECIDE), default=None)


def _claim(job: JobFolder) -> int | None:
    if job.kind == DECIDE:
        return int(job.spec["claim"])
    return _CLAIM_OF.get(job.spec["item"]) if job.kind == STUDY else None
