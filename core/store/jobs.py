"""Job folders: what was requested, how far the job is, and its result.

A tuning run has the same shape on disk as any other job; runs are in `runs/`, the others in `jobs/`.
The job writes, all others read.
"""

import shutil
import time
import uuid
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import BadRequest, Busy, DamagedArtifact
from core.specs.base import JsonObject
from core.store.files import disk_errors, write_json
from core.store.job_messages import JobMessages
from core.store.read_only import require_writable
from core.store.record_files import read_events, read_request, read_result, read_status, write_digested
from core.store.records import Request
from core.store.seal import CHECKSUMS, Seal, damaged_files, read_seal, require_sealed, require_sizes, write_seal
from core.store.status import State, Status

LOCK_SECONDS = 30.0
"""Nobody holds a status for longer than a write takes."""


class JobFolder(JobMessages):
    """One job's folder, which exists (see `create_job`, `find_job`). Cheap to make; reads the disk only when asked."""

    @property
    def id(self) -> str:
        """Return the job's name."""
        return self.path.name

    @property
    def kind(self) -> str:
        """Return what sort of job it is: 'tune', 'capture', 'projection', 'model' …"""
        return self.request.kind

    @property
    def spec(self) -> JsonObject:
        """Return the request, as JSON data."""
        return self.request.spec

    @property
    def request(self) -> Request:
        """Return `spec.json`.

        Raises:
            FileNotFoundError: the job was deleted.
            DamagedArtifact: the request cannot be read; the job can only be deleted.
        """
        try:
            return read_request(self.path / "spec.json")
        except DamagedArtifact as error:
            raise DamagedArtifact(
                f"{self.id} is damaged: {error}; delete it with `python -m core runs delete {self.id}`."
            ) from None

    def readable(self) -> bool:
        """Return whether the request can be read."""
        try:
            _ = self.request
        except (DamagedArtifact, FileNotFoundError):
            return False
        return True

    def status(self) -> Status:
        """Return the status, with a lost job shown as interrupted, and an ended one whose files are not as damaged.

        No large file is read for this; `file` does that before its content is used.
        """
        status = self.stored_status().judged(time.time())
        if not status.ended or status.state == "damaged":
            return status
        try:
            seal = read_seal(self.path, status)
            if seal:
                require_sizes(self.path, seal)
            if status.state == "succeeded":
                self._read_result(seal)
        except DamagedArtifact as error:
            return self._damaged(status, error)
        return status

    def stored_status(self) -> Status:
        """Return the status as it was last written; one that cannot be read counts as damaged, so that it can go."""
        try:
            return read_status(self.path / "status.json")
        except (DamagedArtifact, FileNotFoundError) as error:
            missing = isinstance(error, FileNotFoundError)
            created = self.path.stat().st_mtime if self.path.exists() else 0.0
            reason = DamagedArtifact("status.json is missing") if missing else error
            return self._damaged(Status(created=created), reason)

    def file(self, name: str) -> Path:
        """Return the path of a file, after checking that it is as it was when the job ended.

        Raises:
            DamagedArtifact: it is not; the job is marked as damaged, so that it is made again when
                asked for.
        """
        status = self.stored_status()
        try:
            seal = read_seal(self.path, status)
            if seal:
                require_sealed(self.path, name, seal)
        except DamagedArtifact as error:
            raise self.give_up_on(error) from None
        return self.path / name

    def verify(self) -> str:
        """Read every file and return what is wrong; empty if nothing is. A damaged job is marked as such."""
        status = self.status()
        if status.state == "damaged":
            return status.error
        try:
            seal = read_seal(self.path, status)
        except DamagedArtifact as error:
            return str(self.give_up_on(error))
        wrong = damaged_files(self.path, seal) if seal else {}
        return str(self.give_up_on(DamagedArtifact("; ".join(wrong.values())))) if wrong else ""

    def seal(self) -> str:
        """Write the checksums of all files and return the checksum of that list, for the status."""
        with disk_errors(self.path):
            return write_seal(self.path)

    def set_aside(self) -> list[str]:
        """Move files that are not what they were to `damaged/`, before the job is done again.

        Returns:
            their names; all but the request and the log, where it cannot be told which are whole.
        """
        status = self.status()
        damaged = status.state == "damaged"
        try:
            seal = read_seal(self.path, replace(status, state="damaged"))
            gone = list(damaged_files(self.path, seal)) if seal else []
        except DamagedArtifact:
            damaged, gone = True, []
        if damaged and not gone:
            kept = ("spec.json", "status.json", "log.txt")
            gone = [path.name for path in self.path.iterdir() if path.name[0] != "." and path.name not in kept]
        if damaged:  # first, so that a process killed here leaves nothing that looks whole
            self.update(state="damaged", error=status.error)
        aside = self.path.parents[1] / "damaged" / f"{self.id}-{time.time_ns()}"
        for name in gone:
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                (self.path / name).replace(aside / name)
        if status.seal:
            self.update(seal="")
            (self.path / CHECKSUMS).unlink(missing_ok=True)
        return gone

    def give_up_on(self, error: DamagedArtifact) -> DamagedArtifact:
        """Mark the job as damaged, where that can be written, and return what to say."""
        status = self.stored_status()
        damaged = self._damaged(status, error)
        with suppress(OSError, Busy):
            self.change((status.state,), state=damaged.state, error=damaged.error, exit_code=damaged.exit_code)
        return DamagedArtifact(damaged.error)

    def _damaged(self, status: Status, error: DamagedArtifact) -> Status:
        remedy = f"`python -m core runs resume {self.id}` makes it again, `runs delete` removes it."
        return replace(status, state="damaged", error=f"{self.id} is damaged: {error}; {remedy}", exit_code=1)

    def _read_result(self, seal: Seal | None) -> JsonObject:
        try:
            if seal:
                require_sealed(self.path, "result.json", seal)
            return read_result(self.path / "result.json", self.kind)
        except FileNotFoundError:
            raise DamagedArtifact("result.json is missing") from None

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
                write_digested(self.path / "status.json", asdict(status))
        return status

    @contextmanager
    def held(self, timeout: float = 0.0) -> Generator[None]:
        """Hold the job itself, so that no second process runs it; the system lets go when the process dies.

        Raises:
            Busy: another process holds it.
        """
        with self._locked("job", timeout):
            yield

    @contextmanager
    def _locked(self, what: str, timeout: float) -> Generator[None]:
        try:
            with FileLock(self.path / f".{what}.lock", timeout=timeout):
                yield
        except Timeout:
            raise Busy(
                f"Another process has held the {what} of {self.id} for over {timeout:g} s; "
                "wait for it or end that process."
            ) from None

    def events(self, **equal: Any) -> Iterator[JsonObject]:
        """Yield the events whose fields equal those given.

        A half-written last line is left for next time; one in the middle, from a process that was
        killed, is skipped.

        Raises:
            DamagedArtifact: a line that no job writes, or a file that is not what it was when the
                job ended.
        """
        path = self.file("events.jsonl")
        try:
            for event in read_events(path, self.kind):
                if all(event.get(name) == value for name, value in equal.items()):
                    yield event
        except FileNotFoundError:
            return
        except DamagedArtifact as error:
            raise self.give_up_on(error) from None

    def result(self) -> JsonObject | None:
        """Return `result.json`, or None if there is none yet.

        Raises:
            DamagedArtifact: the job has succeeded, and its result is lost or not what it was.
        """
        status = self.stored_status()
        if status.state != "succeeded" and not (self.path / "result.json").exists():
            return None
        try:
            return self._read_result(read_seal(self.path, status))
        except DamagedArtifact as error:
            raise self.give_up_on(error) from None

    def write_result(self, result: Mapping[str, object]) -> None:
        """Write `result.json` atomically."""
        with disk_errors(self.path):
            write_json(self.path / "result.json", result)

    def delete(self) -> None:
        """Remove the folder; one that cannot be read goes whatever its state.

        Raises:
            BadRequest: while the job is queued or running, or where the program is read-only.
        """
        require_writable("Deleting a job")
        state = self.status().state
        if state in ("queued", "running") and self.readable():
            raise BadRequest(f"{self.id} is {state}; cancel it before deleting it.")
        try:
            with self.held():
                aside = self.path.with_name(f".{self.id}.{uuid.uuid4().hex[:8]}")
                self.path.replace(aside)
                shutil.rmtree(aside)
        except Busy:
            raise BadRequest(f"The process of {self.id} is still stopping; try again in a moment.") from None
