"""The engine of a cache folder on this machine: find it, start it, stop it. Free of Dask, so that pages stay quick."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from pydantic import TypeAdapter, ValidationError

from core import __version__
from core.engine.tasks import EXTRA_TASKS
from core.errors import Busy, DamagedArtifact, Failed
from core.store import JobFolder, Store, list_jobs
from core.store.allowed import FOLDERS
from core.store.files import write_json
from core.store.read_only import require_writable
from core.store.record_files import read_object
from core.store.status import is_alive

ENGINE_FILE = "engine.json"
SERVER = "core.engine.server"
LOCK_FILE = "engine.lock"
LOG_FILE = "log.txt"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
ENVIRONMENT = (EXTRA_TASKS, "CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_OFFLINE", "HF_TOKEN")
"""An engine keeps the environment it was started in. Where one of these differs, an idle one is
replaced: a person who sets a token after a gated model was refused must not talk to an engine
without it."""
LOCAL = "local"
"""What `Status.engine` says of a job that was given to the engine of its own cache folder."""


@dataclass(frozen=True)
class EngineInfo:
    """An engine one can talk to.

    Attributes:
        address: of its scheduler.
        keys: folder of its certificate and key; empty where Dask's own settings name them, or
            where it has none.
        name: 'local', or the address where `PRIORSCOPE_SCHEDULER` named it.
        process: number of the local engine's process; 0 for another's cluster.
        host: machine it runs on.
        started: seconds since the epoch.
        heartbeat: when it last wrote this.
        program: version of the program.
        code: `code_version()` when it started.
        workers: process numbers of its workers.
        idle_minutes: after how long without jobs it closes.
    """

    address: str
    keys: str = ""
    name: str = LOCAL
    process: int = 0
    host: str = ""
    started: float = 0.0
    heartbeat: float = 0.0
    program: str = __version__
    code: str = ""
    workers: tuple[int, ...] = ()
    idle_minutes: float = 0.0

    @property
    def outdated(self) -> bool:
        """Return whether it runs other code than this process."""
        return bool(self.code) and self.code != code_version()


_INFO = TypeAdapter(EngineInfo)


def code_version() -> str:
    """Return a fingerprint of the program's files as they are on the disk now, and of `ENVIRONMENT`.

    On the disk, and not as this process loaded them, for that is what an engine started now would
    run.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(package.rglob("*.py")):
        stat = path.stat()
        digest.update(f"{path.relative_to(package)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for name in ENVIRONMENT:
        digest.update(f"{name}={os.environ.get(name)}\n".encode())
    return digest.hexdigest()[:16]


def write_info(store: Store, info: EngineInfo) -> None:
    """Record the engine of a cache folder."""
    write_json(store.root / "engine" / ENGINE_FILE, asdict(info))


def read_info(store: Store) -> EngineInfo | None:
    """Return what was last recorded, whether or not that engine still lives."""
    try:
        return _INFO.validate_python(read_object(store.root / "engine" / ENGINE_FILE))
    except (OSError, ValidationError, DamagedArtifact):
        return None


def find_engine(store: Store) -> EngineInfo | None:
    """Return the local engine of a cache folder if it lives and answers."""
    info = read_info(store)
    return info if info and _process_here(store) and answers(info.address, seconds=2.0) else None


def answers(address: str, seconds: float) -> bool:
    """Return whether something listens at an address such as tcp://127.0.0.1:8786."""
    host, _, port = address.partition("://")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds):
            return True
    except (OSError, ValueError):
        return False


def unfinished(store: Store, engine: str = LOCAL) -> list[JobFolder]:
    """Return an engine's jobs that have not ended by themselves, the oldest first."""
    found = []
    for job in reversed(list_jobs(store)):
        status = job.stored_status()
        if status.state in ("queued", "running", "interrupted") and status.engine == engine:
            found.append(job)
    return found


def ensure_local(store: Store) -> EngineInfo:
    """Return the engine of a cache folder; start one if there is none, or if it is idle and runs other code.

    Raises:
        BadRequest: there is none and the program is read-only.
        Busy: the cache folder's engine is on another machine, or does not answer.
        Failed: it did not start.
    """
    found = find_engine(store)
    if found and not found.outdated:
        return found
    require_writable("Starting an engine")
    _require_own(store.root / "engine")
    with store.lock("engine-start", timeout=2 * START_SECONDS):
        found = find_engine(store)
        if found and (not found.outdated or unfinished(store)):
            return found
        stop_local(store)
        return _start(store)


def _require_own(folder: Path) -> None:
    """Refuse the engine of another account, whose folder cannot be opened."""
    if folder.exists() and folder.stat().st_uid != os.getuid() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Busy(
            f"The engine in {folder} belongs to the account {folder.owner()!r}; use that account, or set "
            "PRIORSCOPE_CACHE to a folder of your own."
        )


def stop_local(store: Store) -> bool:
    """Stop the engine of a cache folder, its workers too; jobs in progress go on with the next engine.

    Returns:
        whether there was one.
    """
    process, info = _process_here(store), read_info(store)
    if not process or info is None:
        return False
    _disconnect(info.address)
    os.kill(process, signal.SIGTERM)
    if not _gone(process, STOP_SECONDS):
        os.kill(process, signal.SIGKILL)
        _gone(process, STOP_SECONDS)
    for worker in info.workers:
        _gone(worker, STOP_SECONDS)
    (store.root / "engine" / ENGINE_FILE).unlink(missing_ok=True)
    return True


def _disconnect(address: str) -> None:
    """Close this process's connection to an engine that is about to end; Dask would try for long to reach it again."""
    queue = sys.modules.get("core.engine.queue")  # not imported for this: it brings Dask
    if queue is not None:
        queue.disconnect(address)


def _process_here(store: Store) -> int:
    """Return the process of the recorded engine if it still is that engine, else 0; its number may be another's now."""
    info = read_info(store)
    if info is None or info.host != socket.gethostname() or not is_alive(info.process):
        return 0
    try:
        command = psutil.Process(info.process).cmdline()
    except psutil.Error:
        return 0
    return info.process if SERVER in command and str(store.root) in command else 0


def _gone(process: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _start(store: Store) -> EngineInfo:
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    launched = subprocess.run(
        [sys.executable, "-m", SERVER, "--cache", str(store.root), "--detach"],
        env={**{name: value for name, value in os.environ.items() if name != FOLDERS}, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if launched.returncode:
        raise Failed(f"The engine could not be started: {_last_line(launched.stderr)}")
    process = int(launched.stdout)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        info = read_info(store)
        if info and info.process == process:
            return info
        if not is_alive(process):
            raise _why_not(store, process)
        time.sleep(_POLL_SECONDS)
    os.kill(process, signal.SIGKILL)
    raise Failed(
        f"The engine did not start within {START_SECONDS:g} s and was ended; see {store.root / 'engine' / LOG_FILE}."
    )


def _why_not(store: Store, process: int) -> Failed:
    log = store.root / "engine" / LOG_FILE
    reason = _last_line(log.read_text(encoding="utf-8", errors="replace"))
    return Failed(f"The engine (process {process}) ended at once: {reason} See {log}.")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing."
