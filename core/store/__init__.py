"""The cache folder: content-addressed artifacts and job folders."""

from core.store.artifacts import Artifact, Store
from core.store.jobs import JobFolder, create_job, find_job, job_at, jobs_named, list_jobs
from core.store.status import Status

__all__ = ["Artifact", "JobFolder", "Status", "Store", "create_job", "find_job", "job_at", "jobs_named", "list_jobs"]
