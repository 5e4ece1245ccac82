"""Hand jobs to a Dask scheduler. Nothing here is imported before the first job is submitted."""

import logging
import threading
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from distributed import Client, Future, Security, fire_and_forget

from core.engine.keys import KEYS, security
from core.engine.runner import run_task
from core.engine.tasks import LANES, URGENCY, find_task
from core.errors import BadRequest, Unreachable
from core.store import JobFolder

CONNECT_SECONDS = 10.0
logger = logging.getLogger(__name__)
_clients: dict[str, Client] = {}
_guard = threading.Lock()


def connect(address: str, keys: str = "") -> Client:
    """Return this process's connection to a scheduler, made once.

    Args:
        address: of the scheduler.
        keys: folder of its certificate and key; empty: what Dask's own settings say.

    Raises:
        BadRequest: the address asks for a key, and there is none that this account can read.
        Unreachable: nobody answers there as a scheduler.
    """
    with _guard:
        known = _clients.get(address)
        if known is not None and known.status == "running":
            return known
        if known is not None:
            _close(known)
        _hush()
        shared = _security(address, keys)
        try:
            client = Client(address, timeout=CONNECT_SECONDS, security=shared, set_as_default=False, name="priorscope")
        except (OSError, TimeoutError) as error:
            raise Unreachable(
                f"No Dask scheduler answered at {address} within {CONNECT_SECONDS:g} s ({type(error).__name__}); "
                "start it, or correct or unset PRIORSCOPE_SCHEDULER."
            ) from None
        _clients[address] = client
        return client


def _security(address: str, keys: str) -> Security:
    """Return what the connection needs, with a certificate and key if the address asks for them."""
    if not address.startswith("tls://"):
        return Security()
    shared = security(Path(keys)) if keys else Security()
    if shared.get_connection_args("client")["ssl_context"] is None:
        raise BadRequest(
            f"{address} asks for a certificate and key; set {KEYS} to the folder that `python -m core.engine.keys "
            "FOLDER` wrote for its scheduler and workers, or use Dask's own TLS settings."
        )
    return shared


def disconnect(address: str = "") -> None:
    """Close this process's connection to a scheduler, if it has one; without an address, all connections."""
    with _guard:
        for known in [address] if address else list(_clients):
            if known in _clients:
                _close(_clients.pop(known))


def _close(client: Client) -> None:
    """Close a connection, even if its scheduler is gone."""
    try:
        client.close(timeout=2)
    except (OSError, ValueError) as error:
        # A connection that lost its scheduler is trying to reach it again, and closing it raises what that attempt
        # raised: OSError from Dask, ValueError from Tornado where the attempt stops in the middle of a TLS handshake.
        logger.info("a connection ended with %s: %s", type(error).__name__, error)


def enqueue(client: Client, job: JobFolder, engine: str) -> Future:
    """Give a job to a scheduler, in its lane, under a task name of its own.

    It does not wait for the result: the scheduler keeps the task even if this process ends.
    """
    task = find_task(job.kind)
    lane = task.lane_of(task.parse(job.spec))
    name = f"{job.id}-{uuid.uuid4().hex[:8]}"
    job.clear_cancel()
    job.update(state="queued", engine=engine, task=name, error="", exit_code=0, finished=0.0)
    turn = {"resources": {lane: 1}, "priority": URGENCY[lane]}
    future = client.submit(run_task, str(job.path), name, key=name, retries=2, pure=False, **turn)
    fire_and_forget(future)
    future.add_done_callback(partial(tell_failure, job, name))
    return future


def holds(client: Client, task: str) -> bool:
    """Return whether the scheduler has a task and will see it through without this process."""

    def look(dask_scheduler: Any) -> bool:
        found = dask_scheduler.tasks.get(task)
        return found is not None and any(who.client_key == "fire-and-forget" for who in found.who_wants or ())

    return bool(client.run_on_scheduler(look))


def confirm(client: Client, task: str) -> None:
    """Wait until the scheduler has a task.

    Raises:
        Unreachable: it does not say so in time.
    """
    until = time.monotonic() + CONNECT_SECONDS
    while time.monotonic() < until:
        if holds(client, task):
            return
    raise Unreachable(f"The scheduler did not accept the job within {CONNECT_SECONDS:g} s; submit it again.")


def require_lanes(client: Client, address: str) -> None:
    """Check that the workers of a cluster have the lanes that jobs ask for; with no workers yet, jobs wait for them.

    Raises:
        Unreachable: workers without lanes.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    offered = {name for worker in workers for name in worker["resources"]}
    missing = [lane for lane in LANES if lane not in offered]
    if workers and missing:
        wanted = ",".join(f"{lane}=1" for lane in LANES)
        raise Unreachable(
            f"No worker of {address} offers {', '.join(missing)}; start the workers with "
            f"`dask worker {address} --nthreads {len(LANES)} --resources {wanted}`."
        )


def _hush() -> None:
    """Keep Dask from printing tracebacks when an engine closes: here that is an ordinary event, told by the status."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def tell_failure(job: JobFolder, task: str, future: Future) -> None:
    """Record that a task failed before it could write anything itself (a worker without this program, for one)."""
    if future.status != "error" or job.stored_status().task != task:
        return
    error = future.exception(timeout=CONNECT_SECONDS)
    reason = " ".join(
        f"The worker could not begin the job ({type(error).__name__}: {error}); "
        "workers need this program and this cache folder.".split()
    )
    job.change(("queued", "running"), state="failed", error=reason, exit_code=1, finished=time.time())
