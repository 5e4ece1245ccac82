"""The job that makes an item of a study: it has other jobs done, one after the other, and keeps what they come to."""

import time
from typing import Any

from core.engine import client
from core.engine.tasks import Task
from core.errors import BadRequest, Cancelled, Failed
from core.progress import Progress
from core.specs import Spec, StudyItemSpec
from core.store import JobFolder, Store
from core.studies.bench import Bench, Perform
from core.studies.figure import keep
from core.studies.items import KIND, VERSION, find_maker

_LOOK_SECONDS = 0.5


def make_item(spec: StudyItemSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    """Make an item, and the jobs it needs that are not done yet.

    Returns:
        version, caption, numbers, seconds.

    Raises:
        UnknownName: no such item.
        BadRequest, Failed: as a job it needs ended.
        Cancelled: by the progress; the job in progress is cancelled too.
    """
    began = time.monotonic()
    found = find_maker(spec.item).make(Bench(spec.study, store, nested(job, store, progress)))
    return {"version": VERSION, **keep(found, job.path), "seconds": round(time.monotonic() - began, 1)}


def nested(job: JobFolder, store: Store, progress: Progress) -> Perform:
    """Return a way to have jobs done for a job, whose progress they show."""

    def perform(kind: str, spec: Spec) -> JobFolder:
        inner = client.submit(kind, spec, store)
        job.log(f"asked for {inner.id}")
        try:
            while not (status := client.wait(inner, timeout=_LOOK_SECONDS)).ended:
                progress(status.done, status.total, f"{inner.id}: {status.message or status.state}")
        except Cancelled:
            client.cancel(inner, store)
            raise
        if status.state == "succeeded":
            return inner
        reason = f"{inner.id} was {status.state}" + (f": {status.error}" if status.error else "; ask for it again.")
        raise (BadRequest if status.exit_code == BadRequest.exit_code else Failed)(reason)

    return perform


def _context(spec: StudyItemSpec) -> tuple[str, ...]:
    find_maker(spec.item)
    return (VERSION,)


STUDY = Task(KIND, "s", StudyItemSpec, make_item, "study", keeps=True, context=_context)
