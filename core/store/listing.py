"""Which jobs there are: made, found and listed by id. Folders that cannot be read are listed apart."""

import re
import shutil
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import DamagedArtifact, UnknownName
from core.specs.base import JsonObject
from core.store.artifacts import Store
from core.store.files import disk_errors
from core.store.jobs import JobFolder
from core.store.record_files import write_digested, write_request
from core.store.status import Status


@dataclass(frozen=True)
class DamagedFolder:
    """A job's folder whose request cannot be read; it can only be deleted.

    Attributes:
        job: the folder.
        reason: what is wrong with it, and the remedy.
        changed: when it was last changed, in seconds since the epoch.
    """

    job: JobFolder
    reason: str
    changed: float


def create_job(store: Store, kind: str, spec: JsonObject, job_id: str) -> JobFolder:
    """Make the folder of a job that is about to be queued; an existing one is returned as it is.

    One that cannot be read is set aside.
    """
    path = store.root / _place(kind) / job_id
    if job := job_at(store, kind, job_id):
        return job
    if path.exists():
        store.put_away(path, job_id, _damage(path) or f"{job_id} is damaged: status.json is missing.")
    fresh = store.root / "tmp" / uuid.uuid4().hex
    with disk_errors(store.root):
        fresh.mkdir()
        try:
            write_request(fresh / "spec.json", kind, spec, time.time())
            write_digested(fresh / "status.json", asdict(Status(created=time.time())))
            fresh.replace(path)
        except OSError:
            if job_at(store, kind, job_id) is None:  # else another process was faster
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return JobFolder(path)


def job_at(store: Store, kind: str, job_id: str) -> JobFolder | None:
    """Return the job of a kind with exactly this id, or None."""
    path = store.root / _place(kind) / job_id
    return JobFolder(path) if (path / "status.json").exists() and JobFolder(path).readable() else None


def jobs_named(store: Store, kind: str, job_id: str) -> list[JobFolder]:
    """Return the job of a kind with this id and the further ones of the same spec, with -2, -3 … after it."""
    found = sorted((store.root / _place(kind)).glob(f"{job_id}*/status.json"))
    names = [path.parent for path in found if re.fullmatch(r"(-\d+)?", path.parent.name.removeprefix(job_id))]
    return [JobFolder(path) for path in names if JobFolder(path).readable()]


def find_job(store: Store, job_id: str, damaged: bool = False) -> JobFolder:
    """Return a job by its id, or by the unambiguous beginning of one.

    Args:
        store: the cache folder.
        job_id: the id.
        damaged: whether it may be a folder that cannot be read, to be deleted.

    Raises:
        UnknownName: no job, or several, begin so.
        DamagedArtifact: its folder cannot be read.
    """
    jobs = {job.id: job for job in list_jobs(store)}
    unread = {folder.job.id: folder for folder in damaged_folders(store)}
    known = {**jobs, **{name: folder.job for name, folder in unread.items()}}
    matches = [name for name in known if name.startswith(job_id)] if job_id else []
    if job_id not in known and len(matches) != 1:
        raise UnknownName("run or job", job_id, matches or known, "`python -m core runs list` shows them.")
    name = job_id if job_id in known else matches[0]
    if name in unread and not damaged:
        raise DamagedArtifact(unread[name].reason)
    return known[name]


def list_jobs(store: Store, kind: str | None = None) -> list[JobFolder]:
    """Return all jobs (of one kind) whose request can be read, the newest first."""
    places = [_place(kind)] if kind else ["runs", "jobs"]
    found: list[tuple[float, JobFolder]] = []
    for place in places:
        for path in (store.root / place).glob("[!.]*/spec.json"):
            job = JobFolder(path.parent)
            try:
                request = job.request
            except (FileNotFoundError, DamagedArtifact):
                continue  # deleted since the folder was listed, or one of `damaged_folders`
            if kind in (None, request.kind):
                found.append((request.created, job))
    return [job for _, job in sorted(found, key=lambda pair: pair[0], reverse=True)]


def list_succeeded(store: Store, kind: str, most: int | None = None) -> list[tuple[JobFolder, JsonObject]]:
    """Return the jobs of a kind that have succeeded, the newest first, each with its result.

    Args:
        store: the cache folder.
        kind: of job.
        most: how many of the newest jobs to look at.
    """
    jobs = [job for job in list_jobs(store, kind)[:most] if job.status().state == "succeeded"]
    return [(job, job.result() or {}) for job in jobs]


def damaged_folders(store: Store) -> list[DamagedFolder]:
    """Return the folders among runs and jobs that cannot be read, by name."""
    folders = [path for place in ("runs", "jobs") for path in (store.root / place).glob("[!.]*") if path.is_dir()]
    found: list[DamagedFolder] = []
    for path in sorted(folders):
        try:
            changed, reason = path.stat().st_mtime, _damage(path)
        except FileNotFoundError:
            continue  # deleted since the folder was listed
        if reason:
            found.append(DamagedFolder(JobFolder(path), reason, changed))
    return found


def _damage(path: Path) -> str:
    """Return why a folder's request cannot be read; empty if it can."""
    try:
        _ = JobFolder(path).request
    except DamagedArtifact as error:
        return str(error)
    except FileNotFoundError:
        name = path.name
        return f"{name} is damaged: spec.json is missing; delete it with `python -m core runs delete {name}`."
    return ""


def _place(kind: str) -> str:
    return "runs" if kind == "tune" else "jobs"
