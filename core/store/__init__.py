"""The cache folder: content-addressed artifacts and job folders."""

from core.store.artifacts import Artifact, Store
from core.store.jobs import JobFolder
from core.store.listing import create_job, damaged_folders, find_job, job_at, jobs_named, list_jobs, list_succeeded
from core.store.status import Status

__all__ = [
    "Artifact",
    "JobFolder",
    "Status",
    "Store",
    "create_job",
    "damaged_folders",
    "find_job",
    "job_at",
    "jobs_named",
    "list_jobs",
    "list_succeeded",
]
