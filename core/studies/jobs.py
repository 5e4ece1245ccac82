"""The job that makes an item of a study: it has other jobs done and keeps the result."""

import time

from core.engine.tasks import Task
from core.jobs.nested import nested
from core.progress import Progress
from core.specs import StudyItemSpec
from core.store import JobFolder, Store
from core.studies.bench import Bench
from core.studies.figure import keep
from core.studies.items import KIND, VERSION, find_maker


def make_item(spec: StudyItemSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, object]:
    """Make an item, with the jobs it needs that are not done yet.

    Returns:
        version, caption, numbers, seconds.

    Raises:
        UnknownName: no such item.
        BadRequest, Failed: a job it needs has failed.
        Cancelled: by the progress; the inner job is cancelled as well.
    """
    began = time.monotonic()
    found = find_maker(spec.item).make(Bench(spec.study, store, nested(job, store, progress)))
    return {"version": VERSION, **keep(found, job.path), "seconds": round(time.monotonic() - began, 1)}


def _context(spec: StudyItemSpec) -> tuple[str, ...]:
    find_maker(spec.item)
    return ()


STUDY = Task(KIND, "s", StudyItemSpec, make_item, "study", keeps=True, version=VERSION, context=_context)
