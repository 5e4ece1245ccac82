"""Job folders: what a job was asked, how far it is, and what it gave.

A tuning run and any other job have the same shape on disk; runs live in `runs/`, the rest in `jobs/`.
The job writes, everybody else reads.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from core.errors import BadRequest, UnknownName
from core.store.artifacts import Store, disk_errors, write_json

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled", "interrupted")
HEARTBEAT_SECONDS = 30.0
"""A running job that has not been heard of for this long, and whose process is gone, counts as interrupted."""


@dataclass(frozen=True)
class Status:
    """How a job stands. Times are seconds since the epoch; 0.0 means not yet."""

    state: State = "queued"
    created: float = 0.0
    started: float = 0.0
    finished: float = 0.0
    heartbeat: float = 0.0
    done: int = 0
    total: int = 0
    message: str = ""
    error: str = ""
    process: int = 0
    attempts: int = 0

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen by itself."""
        return self.state in ENDED

    @property
    def fraction(self) -> float:
        """Return progress from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Return an estimate from the pace so far, or None while there is no pace."""
        if self.state != "running" or not 0 < self.done < self.total:
            return None
        return (now - self.started) / self.done * (self.total - self.done)


class JobFolder:
    """One job's folder. Cheap to make; reads the disk only when asked."""

    def __init__(self, path: Path) -> None:
        """Point at a folder that exists (see `create_job`, `find_job`)."""
        self.path = Path(path)

    @property
    def id(self) -> str:
        """Return the job's name."""
        return self.path.name

    @property
    def kind(self) -> str:
        """Return what sort of job it is: 'tune', 'capture', 'projection', 'model' …"""
        return self.request["kind"]

    @property
    def spec(self) -> dict[str, Any]:
        """Return what was asked for, as JSON data."""
        return self.request["spec"]

    @property
    def request(self) -> dict[str, Any]:
        """Return `spec.json`: kind, spec and time."""
        return json.loads((self.path / "spec.json").read_text())

    def status(self) -> Status:
        """Return the status, with a lost job shown as interrupted."""
        data = json.loads((self.path / "status.json").read_text())
        known = {field.name for field in fields(Status)}
        status = Status(**{name: value for name, value in data.items() if name in known})
        if status.state == "running" and _lost(status):
            return replace(status, state="interrupted", error=status.error or "The job's process is gone; resume it.")
        return status

    def update(self, **changes: Any) -> Status:
        """Change the status atomically; always sets the heartbeat."""
        data = json.loads((self.path / "status.json").read_text())
        status = replace(Status(**data), heartbeat=time.time(), **changes)
        with disk_errors(self.path):
            write_json(self.path / "status.json", asdict(status))
        return status

    def append(self, **event: Any) -> None:
        """Add one line to `events.jsonl`."""
        line = json.dumps({"time": time.time(), **event}, ensure_ascii=False)
        with disk_errors(self.path), (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self, **equal: Any) -> Iterator[dict[str, Any]]:
        """Yield the events whose fields equal those given; a half-written last line is left for next time."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            for line in file:
                if not line.endswith("\n"):
                    return
                event = json.loads(line)
                if all(event.get(name) == value for name, value in equal.items()):
                    yield event

    def log(self, text: str) -> None:
        """Add to `log.txt`, with the time."""
        with disk_errors(self.path), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S ") + text.rstrip() + "\n")

    def log_tail(self, n_lines: int = 20) -> str:
        """Return the end of `log.txt`."""
        path = self.path / "log.txt"
        return "\n".join(path.read_text(encoding="utf-8").splitlines()[-n_lines:]) if path.exists() else ""

    def request_cancel(self) -> None:
        """Raise the flag that the job looks at each step."""
        (self.path / "cancel").touch()

    def clear_cancel(self) -> None:
        """Lower the flag, before a job is resumed."""
        (self.path / "cancel").unlink(missing_ok=True)

    def cancel_requested(self) -> bool:
        """Return whether somebody asked the job to stop."""
        return (self.path / "cancel").exists()

    def result(self) -> dict[str, Any] | None:
        """Return `result.json`, or None if there is none yet."""
        path = self.path / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Write `result.json` atomically."""
        with disk_errors(self.path):
            write_json(self.path / "result.json", result)

    def delete(self) -> None:
        """Remove the folder.

        Raises:
            BadRequest: while the job is queued or running.
        """
        state = self.status().state
        if state in ("queued", "running"):
            raise BadRequest(f"{self.id} is {state}; cancel it before deleting it.")
        shutil.rmtree(self.path)


def create_job(store: Store, kind: str, spec: dict[str, Any], job_id: str) -> JobFolder:
    """Make the folder of a job that is about to be queued; an existing one is returned as it is."""
    path = store.root / _place(kind) / job_id
    if not (path / "status.json").exists():
        with disk_errors(store.root):
            path.mkdir(parents=True, exist_ok=True)
            write_json(path / "spec.json", {"kind": kind, "spec": spec, "created": time.time()})
            write_json(path / "status.json", asdict(Status(created=time.time())))
    return JobFolder(path)


def find_job(store: Store, job_id: str) -> JobFolder:
    """Return a job by its id, or by the unambiguous beginning of one.

    Raises:
        UnknownName: no job, or several, begin so.
    """
    jobs = {job.id: job for job in list_jobs(store)}
    matches = [name for name in jobs if name.startswith(job_id)] if job_id else []
    if job_id in jobs:
        return jobs[job_id]
    if len(matches) == 1:
        return jobs[matches[0]]
    raise UnknownName("run or job", job_id, matches or jobs, "`python -m core runs list` shows them.")


def list_jobs(store: Store, kind: str | None = None) -> list[JobFolder]:
    """Return all jobs (of one kind), the newest first."""
    places = [_place(kind)] if kind else ["runs", "jobs"]
    found = [JobFolder(path.parent) for place in places for path in (store.root / place).glob("*/status.json")]
    if kind:
        found = [job for job in found if job.kind == kind]
    return sorted(found, key=lambda job: job.request["created"], reverse=True)


def _place(kind: str) -> str:
    return "runs" if kind == "tune" else "jobs"


def _lost(status: Status) -> bool:
    if time.time() - status.heartbeat < HEARTBEAT_SECONDS:
        return False
    try:
        os.kill(status.process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return status.process == 0
