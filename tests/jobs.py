"""Jobs done here and now, by the runner that a worker uses."""

from typing import Any

from core.engine import client
from core.engine.runner import run_job
from core.jobs.measure import Measures, find_measures, measure_spec
from core.specs import Spec
from core.store import JobFolder, Store
from core.store.status import RESUMABLE


def attempt(kind: str, spec: Spec, store: Store, again: bool = False) -> JobFolder:
    """Do a job in this process and return its folder, however it ends."""
    job = client.prepare(kind, spec, store, again)
    if job.status().state == "damaged":
        job.set_aside()
        job.update(state="queued")
    job.change(RESUMABLE, state="queued")
    run_job(job)
    return job


def done(kind: str, spec: Spec, store: Store) -> JobFolder:
    """Do a job in this process, which must succeed, and return its folder."""
    job = attempt(kind, spec, store)
    assert job.status().state == "succeeded", job.status().error
    return job


def measured(run: JobFolder, store: Store, **asked: Any) -> Measures:
    """Return what is measured of a run, by a job that is done here if need be."""
    spec = measure_spec(run, **asked)
    if find_measures(spec, store) is None:
        done("measure", spec, store)
    found = find_measures(spec, store)
    assert found is not None
    return found
