"""The job that makes an item of a study: it has other jobs done and keeps the result."""

import time

from core.engine import client
from core.engine.tasks import Task
from core.errors import BadRequest, Cancelled, Failed
from core.progress import Progress
from core.specs import Spec, StudyItemSpec
from core.store import JobFolder, Store
from core.studies.bench import Bench, Perform
from core.studies.figure import keep
from core.studies.items import KIND, VERSION, find_maker

_POLL_SECONDS = 0.5


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


def nested(job: JobFolder, store: Store, progress: Progress) -> Perform:
    """Return a function that has jobs done for a job and reports progress as its own."""

    def perform(kind: str, spec: Spec) -> JobFolder:
        inner = client.submit(kind, spec, store)
        job.log(f"waiting for {inner.id}")
        try:
            while not (status := client.wait(inner, timeout=_POLL_SECONDS)).ended:
                progress(status.done, status.total, f"{inner.id}: {status.message or status.state}")
        except Cancelled:
            client.cancel(inner, store)
            raise
        if status.state == "succeeded":
            return inner
        reason = f"{inner.id} was {status.state}" + (f": {status.error}" if status.error else "; request it again.")
        raise (BadRequest if status.exit_code == BadRequest.exit_code else Failed)(reason)

    return perform


def _context(spec: StudyItemSpec) -> tuple[str, ...]:
    find_maker(spec.item)
    return ()


STUDY = Task(KIND, "s", StudyItemSpec, make_item, "study", keeps=True, version=VERSION, context=_context)
