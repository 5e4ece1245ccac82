"""How a job stands, and whether it can still be alive."""

import os
import socket
import time
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import psutil
from pydantic import ConfigDict, Field

State = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted", "damaged"]
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled", "interrupted", "damaged")
RESUMABLE: tuple[State, ...] = ("failed", "cancelled", "interrupted", "damaged")
"""States from which a job can go on; a damaged one begins again where files are lost."""
Moment = Annotated[float, Field(ge=0, lt=253_402_300_000, allow_inf_nan=False, strict=True)]
"""Seconds since the epoch, before the year 10000."""
Count = Annotated[int, Field(ge=0, le=2**53, strict=True)]
GONE_SECONDS = 30.0
"""A running job whose process is gone counts as lost after this long without a heartbeat: a killed
worker is back, and has taken the job up again, within a few seconds."""
SILENT_SECONDS = 300.0
"""A running job counts as lost after this long without a heartbeat whatever its process looks like
from here: it may be on another machine, or its process number may have been given to somebody
else."""


@dataclass(frozen=True)
class Status:
    """The status of a job.

    Times are seconds since the epoch; 0.0 means not yet.

    Attributes:
        state: its state; 'damaged' if files of an ended job are not what they were.
        created: when it was first requested.
        started: when its latest attempt began.
        finished: when it ended.
        heartbeat: when its process last wrote.
        done: units of work done.
        total: units of work in all; 0 is unknown.
        message: what it is doing, for a person.
        error: one line, if it failed.
        exit_code: what a shell would see: 0, 1 failed, 2 bad request.
        process: number of the process that runs it.
        host: machine of that process.
        engine: 'local', or the address of the Dask scheduler it was given to.
        task: name of the Dask task that may run it; another one that reaches a worker does nothing.
        attempts: how often a process has begun it since a person last asked for it.
        pace_since: when the present kind of units began, for the estimate of what is left.
        pace_from: units that were done by then.
        seal: checksum of the list of checksums that was made when the job ended (see
            `core.store.seal`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    state: State = "queued"
    created: Moment = 0.0
    started: Moment = 0.0
    finished: Moment = 0.0
    heartbeat: Moment = 0.0
    done: Count = 0
    total: Count = 0
    message: str = ""
    error: str = ""
    exit_code: Annotated[int, Field(ge=0, lt=256, strict=True)] = 0
    process: Annotated[int, Field(ge=0, lt=2**31, strict=True)] = 0
    host: str = ""
    engine: str = ""
    task: str = ""
    attempts: Count = 0
    pace_since: Moment = 0.0
    pace_from: Count = 0
    seal: str = ""

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
        since = self.pace_since or self.started
        finished = self.done - self.pace_from
        if self.state != "running" or finished <= 0 or self.done >= self.total or now <= since:
            return None
        return (now - since) / finished * (self.total - self.done)

    def judged(self, now: float) -> "Status":
        """Return this status, with a job whose process is lost shown as interrupted."""
        if self.state != "running" or not _lost(self, now):
            return self
        return replace(self, state="interrupted", error=self.error or "The job's process is gone; resume it.")


def is_alive(process: int) -> bool:
    """Return whether a process of this machine runs; one that only waits to be buried does not."""
    if process <= 0:
        return False
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def this_process() -> dict[str, int | str]:
    """Return what a status records about the process that runs a job."""
    return {"process": os.getpid(), "host": socket.gethostname()}


def _lost(status: Status, now: float | None = None) -> bool:
    # A clock that was set back leaves heartbeats in the future; those of a living process are soon right again.
    quiet = abs((time.time() if now is None else now) - status.heartbeat)
    if quiet > SILENT_SECONDS:
        return True
    return quiet > GONE_SECONDS and status.host == socket.gethostname() and not is_alive(status.process)
