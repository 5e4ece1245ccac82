"""Job folders: what a job was asked, how far it is, and what it gave.

A tuning run and any other job have the same shape on disk; runs live in `runs/`, the rest in `jobs/`.
The job writes, everybody else reads.
"""

import json
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypedDict

from filelock import FileLock, Timeout

from core.errors import BadRequest, Busy, UnknownName
from core.specs.base import JsonObject
from core.store.artifacts import Store
from core.store.files import disk_errors, write_json
from core.store.status import State, Status

logger = logging.getLogger(__name__)

LOCK_SECONDS = 30.0
"""Nobody holds a status for longer than a write takes."""


class Request(TypedDict):
    """What `spec.json` tells of a job, and when it was asked for."""

    kind: str
    spec: JsonObject
    created: float


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
    def spec(self) -> JsonObject:
        """Return what was asked for, as JSON data."""
        return self.request["spec"]

    @property
    def request(self) -> Request:
        """Return `spec.json`."""
        return json.loads((self.path / "spec.json").read_text())

    def status(self) -> Status:
        """Return the status, with a lost job shown as interrupted."""
        return self.stored_status().judged(time.time())

    def stored_status(self) -> Status:
        """Return the status as it was last written; one that cannot be read counts as failed, so that it can go."""
        try:
            data = json.loads((self.path / "status.json").read_text())
            known = {field.name for field in fields(Status)}
            return Status(**{name: value for name, value in data.items() if name in known})
        except (ValueError, AttributeError) as error:
            reason = f"The status of {self.id} cannot be read ({error}); delete it with `python -m core runs delete`."
            return Status(state="failed", error=reason, exit_code=1)

    def update(self, **changes: Any) -> Status:
        """Change the status atomically; always sets the heartbeat."""
        return self.change(None, **changes) or self.stored_status()

    def change(self, states: Collection[State] | None, **changes: Any) -> Status | None:
        """Change the status atomically if its stored state is one of those given (None: any).

        Several processes may try at once; each sees the change of the one before.

        Returns:
            the new status, or None if the state was another.
        """
        with self._locked("status", LOCK_SECONDS):
            before = self.stored_status()
            if states is not None and before.state not in states:
                return None
            status = replace(before, **{"heartbeat": time.time(), **changes})
            with disk_errors(self.path):
                write_json(self.path / "status.json", asdict(status))
        return status

    @contextmanager
    def held(self, timeout: float = 0.0) -> Iterator[None]:
        """Hold the job itself, so that no second process runs it; the system lets go when the process dies.

        Raises:
            Busy: another process holds it.
        """
        with self._locked("job", timeout):
            yield

    @contextmanager
    def _locked(self, what: str, timeout: float) -> Iterator[None]:
        try:
            with FileLock(self.path / f".{what}.lock", timeout=timeout):
                yield
        except Timeout:
            raise Busy(
                f"Another process has held the {what} of {self.id} for over {timeout:g} s; "
                "wait for it or end that process."
            ) from None

    def append(self, **event: Any) -> None:
        """Add one line to `events.jsonl`; what a killed process left of a line before it is closed off."""
        line = json.dumps({"time": time.time(), **event}, ensure_ascii=False).encode() + b"\n"
        with disk_errors(self.path), (self.path / "events.jsonl").open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else b"\n" + line
            file.write(line)

    def events(self, **equal: Any) -> Iterator[JsonObject]:
        """Yield the events whose fields equal those given.

        A half-written last line is left for next time; one in the middle, from a process that was killed, is skipped.
        """
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if all(event.get(name) == value for name, value in equal.items()):
                    yield event

    def log(self, text: str) -> None:
        """Add to `log.txt`, with the time."""
        with disk_errors(self.path), (self.path / "log.txt").open("a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S ") + text.rstrip() + "\n")

    def log_tail(self, n_lines: int = 20) -> str:
        """Return the end of `log.txt`."""
        path = self.path / "log.txt"
        if not path.exists():
            return ""
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-n_lines:])

    def request_cancel(self) -> None:
        """Raise the flag that the job looks at each step."""
        (self.path / "cancel").touch()

    def clear_cancel(self) -> None:
        """Lower the flag, before a job is resumed."""
        (self.path / "cancel").unlink(missing_ok=True)

    def cancel_requested(self) -> bool:
        """Return whether somebody asked the job to stop."""
        return (self.path / "cancel").exists()

    def say_enough(self) -> None:
        """Raise the flag that what the job has so far is enough: one that can ends with it, and succeeds."""
        (self.path / "enough").touch()

    def clear_enough(self) -> None:
        """Lower that flag, before a job is asked for the whole."""
        (self.path / "enough").unlink(missing_ok=True)

    def enough(self) -> bool:
        """Return whether somebody said that what the job has is enough."""
        return (self.path / "enough").exists()

    def result(self) -> JsonObject | None:
        """Return `result.json`, or None if there is none yet."""
        path = self.path / "result.json"
        return json.loads(path.read_text()) if path.exists() else None

    def write_result(self, result: Mapping[str, object]) -> None:
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
        try:
            with self.held():
                aside = self.path.with_name(f".{self.id}.{uuid.uuid4().hex[:8]}")
                self.path.replace(aside)
                shutil.rmtree(aside)
        except Busy:
            raise BadRequest(f"{self.id} is still being left by its process; try again in a moment.") from None


def create_job(store: Store, kind: str, spec: JsonObject, job_id: str) -> JobFolder:
    """Make the folder of a job that is about to be queued; an existing one is returned as it is."""
    path = store.root / _place(kind) / job_id
    if not (path / "status.json").exists():
        with disk_errors(store.root):
            path.mkdir(parents=True, exist_ok=True)
            write_json(path / "spec.json", {"kind": kind, "spec": spec, "created": time.time()})
            write_json(path / "status.json", asdict(Status(created=time.time())))
    return JobFolder(path)


def job_at(store: Store, kind: str, job_id: str) -> JobFolder | None:
    """Return the job of a kind with exactly this id, or None."""
    path = store.root / _place(kind) / job_id
    return JobFolder(path) if (path / "status.json").exists() else None


def jobs_named(store: Store, kind: str, job_id: str) -> list[JobFolder]:
    """Return the job of a kind with this id and the further ones of the same spec, with -2, -3 … after it."""
    found = sorted((store.root / _place(kind)).glob(f"{job_id}*/status.json"))
    return [JobFolder(path.parent) for path in found if re.fullmatch(r"(-\d+)?", path.parent.name.removeprefix(job_id))]


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
    found = []
    for place in places:
        for path in (store.root / place).glob("[!.]*/status.json"):
            job = JobFolder(path.parent)
            try:
                request = job.request
                if kind in (None, request["kind"]):
                    found.append((request["created"], job))
            except FileNotFoundError:
                continue  # deleted since the folder was listed
            except (ValueError, KeyError) as error:
                logger.warning("%s is left out: its spec.json is damaged (%s); delete that folder.", job.path, error)
    return [job for _, job in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _place(kind: str) -> str:
    return "runs" if kind == "tune" else "jobs"
