"""The local engine: a Dask scheduler and its worker processes, in a process of their own on this machine only.

`python -m core.engine.server --cache FOLDER` runs until it has been idle for
`PRIORSCOPE_IDLE_MINUTES` (30).
"""

import argparse
import asyncio
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from core.engine.hanging import Watch, minutes_set
from core.engine.keys import make_keys, security
from core.engine.local import (
    ENGINE_FILE,
    LOCAL,
    LOCK_FILE,
    LOG_FILE,
    EngineInfo,
    code_version,
    read_info,
    unfinished,
    write_info,
)
from core.engine.memory import CACHES
from core.engine.tasks import LANES
from core.errors import Busy, PriorscopeError
from core.store import Store

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
IDLE_MINUTES = "PRIORSCOPE_IDLE_MINUTES"
BEAT_SECONDS = 5.0
LOOK_SECONDS = 15.0
"""Between two looks at whether a job hangs: it reads the status of every job."""
_LOG_BYTES = 1_000_000
DASK = {
    # A language model takes what memory it takes; Dask would pause or kill the worker for it.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    # The job folder counts the deaths (`runner.MAX_ATTEMPTS`), and tells the guilty from the merely queued.
    "distributed.scheduler.allowed-failures": 1000,
    # A step may hold the interpreter for minutes.
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.work-stealing": False,
    "distributed.admin.tick.limit": "1h",
    "distributed.worker.profile.enabled": False,
    # Dask would give each worker one thread for arithmetic; torch knows better. A variable that is set already stands.
    "distributed.nanny.pre-spawn-environ": CACHES,
    "distributed.worker.preload": ["core.engine.closed"],
}
LOG_LEVEL = ("DASK_LOGGING__DISTRIBUTED", "warning")
"""Dask sets up its loggers when it is imported, in the worker processes too: only the environment
reaches all."""


def idle_minutes() -> float:
    """Return after how many minutes without jobs the engine closes.

    Raises:
        BadRequest: the variable is not a positive number.
    """
    return minutes_set(IDLE_MINUTES, 30)


def device_environments() -> list[dict[str, str]]:
    """Return the environment of each worker process: one a CUDA device, or a single one."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        devices = [name.strip() for name in visible.split(",") if name.strip()]
    else:
        tool = shutil.which("nvidia-smi")
        listed = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False) if tool else None
        devices = [str(i) for i in range(len(listed.stdout.splitlines()))] if listed and not listed.returncode else []
    return [{"CUDA_VISIBLE_DEVICES": device} for device in devices] if len(devices) > 1 else [{}]


async def serve(store: Store) -> None:
    """Run the engine of a cache folder until it is idle or told to stop."""
    os.environ.setdefault(*LOG_LEVEL)
    import dask.config
    from distributed import Client, Nanny, Scheduler

    dask.config.set(DASK)
    minutes, watch = idle_minutes(), Watch()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    make_keys(store.root / "engine")
    shared = security(store.root / "engine")
    # Looking whether an engine answers opens a connection and says nothing: no reason for a line in the log.
    logging.getLogger("distributed.comm.tcp").setLevel(logging.ERROR)
    anywhere = {
        "host": HOST,
        "protocol": "tls",
        "security": shared,
        "dashboard": False,
        "dashboard_address": f"{HOST}:0",
    }
    async with AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(Scheduler(port=0, **anywhere))
        scheduler.http_server.stop()
        nannies = [
            await stack.enter_async_context(
                Nanny(
                    scheduler.address,
                    nthreads=len(LANES),
                    resources=dict.fromkeys(LANES, 1),
                    memory_limit="0",
                    env=environment,
                    local_directory=str(store.root / "engine"),
                    **anywhere,
                )
            )
            for environment in device_environments()
        ]
        async with Client(scheduler.address, security=shared, asynchronous=True, set_as_default=False) as client:
            futures = _take_up(client, store)
            scheduler.idle_timeout, scheduler.idle_since = 60 * minutes, time.time()  # not before the workers are up
            info = EngineInfo(
                address=scheduler.address,
                keys=str(store.root / "engine"),
                process=os.getpid(),
                host=socket.gethostname(),
                started=time.time(),
                code=code_version(),
                idle_minutes=minutes,
            )
            beat = asyncio.create_task(_beat(store, info, nannies, watch))
            waits = [asyncio.create_task(stopped.wait()), asyncio.create_task(scheduler.finished())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            beat.cancel()
            _withdraw(store)
            for future in futures:
                future.release()
        if stopped.is_set():
            await end_workers(nannies)
            _interrupt(store)
        for wait in waits:
            wait.cancel()
    logger.warning("engine closed: %s", "told to stop" if stopped.is_set() else f"idle for {minutes:g} minutes")


def _take_up(client, store: Store) -> list:
    """Queue again what an earlier engine left."""
    from core.engine.queue import enqueue

    futures = []
    for job in unfinished(store):
        if job.cancel_requested():
            job.update(state="cancelled", finished=time.time())
            continue
        logger.warning("%s is taken up again", job.id)
        try:
            futures.append(enqueue(client, job, LOCAL))
        except PriorscopeError as error:
            job.update(state="failed", error=str(error), exit_code=error.exit_code, finished=time.time())
    return futures


async def _beat(store: Store, info: EngineInfo, nannies: list, watch: Watch) -> None:
    looked = time.monotonic()
    while True:
        workers = tuple(nanny.pid for nanny in nannies if nanny.pid)
        write_info(store, replace(info, workers=workers, heartbeat=time.time()))
        if time.monotonic() - looked > LOOK_SECONDS:
            try:
                await asyncio.to_thread(_look, watch, store, workers)
            except (OSError, PriorscopeError) as error:
                logger.warning("no look at whether a job hangs (%s)", error)
            looked = time.monotonic()
        await asyncio.sleep(BEAT_SECONDS)


def _look(watch: Watch, store: Store, workers: tuple[int, ...]) -> None:
    watch.look(unfinished(store), workers)


def _withdraw(store: Store) -> None:
    (store.root / "engine" / ENGINE_FILE).unlink(missing_ok=True)


async def end_workers(nannies: list) -> None:
    """End the workers, by SIGKILL if need be; one that takes long to give its memory back is not waited for."""
    ends = await asyncio.gather(*(nanny.close(timeout=0.5) for nanny in nannies), return_exceptions=True)
    for error in ends:
        if isinstance(error, BaseException):
            logger.warning("a worker was slow to end: %s: %s", type(error).__name__, error)


def _interrupt(store: Store) -> None:
    for job in unfinished(store):
        job.change(
            ("running",),
            state="interrupted",
            error="The engine was stopped; the next one continues this job.",
            finished=time.time(),
        )


def run(store: Store) -> None:
    """Run the only engine of a cache folder.

    Raises:
        Busy: there is one already.
    """
    lock = FileLock(store.root / "engine" / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        info = read_info(store)
        holder = f"process {info.process} on {info.host}" if info else "a process that is just starting"
        raise Busy(
            f"The cache folder {store.root} already has an engine: {holder}; use that one, end it, "
            "or set PRIORSCOPE_CACHE to another folder."
        ) from None
    with lock:
        asyncio.run(serve(store))


def main() -> None:
    """Run an engine from the command line."""
    parser = argparse.ArgumentParser(prog="python -m core.engine.server", description="The engine of a cache folder.")
    parser.add_argument("--cache", type=Path, required=True, help="the cache folder")
    parser.add_argument("--detach", action="store_true", help="go to the background, print the process number")
    options = parser.parse_args()
    store = Store(options.cache)
    if options.detach:
        _detach(store.root / "engine" / LOG_FILE)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    try:
        run(store)
    except PriorscopeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


def _detach(log: Path) -> None:
    """Leave the parent's session, so that closing a terminal or an app does not end the engine."""
    process = os.fork()
    if process:
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()
        os._exit(0)
    os.setsid()
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        with suppress(OSError):
            log.replace(log.with_suffix(".old.txt"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    lines = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for handle, target in ((nothing, 0), (lines, 1), (lines, 2)):
        os.dup2(handle, target)


if __name__ == "__main__":
    main()
