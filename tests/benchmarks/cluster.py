"""The same sweep on a Dask scheduler over TCP with one worker process, with two, and with two of which one is killed.

Scheduler and workers are those of `docs/cluster.md`, started as it says; the sweep is the verb. Runs are of a tiny
random model, so that what is measured is the engine. `equal` is whether the table of the disturbed sweep is that of the
undisturbed one, `ratio` the runs per second of two workers over those of one, `seconds_per_job` what a job that is
already done costs: asked for, carried to a worker, found, and told.

    python -m tests.benchmarks.cluster --json
"""

import argparse
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from core.engine import client, queue
from core.engine.tasks import LANES
from core.jobs.outcomes import TIMES, runs_table
from core.jobs.sweep import standings
from core.specs import ModelSpec, SweepSpec
from core.specs.sweep import sweep_yaml
from core.store import Store
from tests.benchmarks.sides import tell
from tests.benchmarks.worker_memory import RUN, write_model, write_texts
from tests.served import ROOT

WAIT_SECONDS = 300
EVERY = 5
"""Steps between checkpoints."""
WARM = 30
"""Jobs that are asked for to measure what one costs."""


@contextmanager
def cluster(n_workers: int, store: Store) -> Iterator[tuple[str, Sequence[subprocess.Popen]]]:
    """Start a scheduler and workers with one thread for arithmetic each, and yield the address and the workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, environment = f"tcp://127.0.0.1:{port}", {**os.environ, "PRIORSCOPE_CACHE": str(store.root)}
    lanes = ",".join(f"{lane}=1" for lane in LANES)
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nworkers", "1", "--nthreads", str(len(LANES)), "--resources", lanes]
    worker += ["--no-dashboard", "--no-nanny", "--local-directory", str(store.root)]
    with ExitStack() as stack:
        log = stack.enter_context((store.root / "cluster.txt").open("w"))

        def start(words: list[str]) -> subprocess.Popen:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                cwd=ROOT,
                env={**environment, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        start(scheduler)
        workers = [start(worker) for _ in range(n_workers)]
        _until(lambda: client.answers(address, 1), "the scheduler answers")
        dask = queue.connect(address)
        dask.wait_for_workers(n_workers, timeout=WAIT_SECONDS)
        yield address, workers
        queue.disconnect()


def sweep(file: Path, spec: SweepSpec, store: Store, n_workers: int, kill: bool = False) -> dict[str, Any]:
    """Do a sweep and return its table, its seconds after the first step, and how many runs were resumed."""
    with cluster(n_workers, store) as (address, workers):
        command = [sys.executable, "-m", "core", "sweep", str(file), "--scheduler", address]
        environment = {**os.environ, "PRIORSCOPE_CACHE": str(store.root), "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as verb:
            _until(lambda: _steps(spec, store), "the first step")
            began = time.monotonic()
            if kill:
                victim = _until(lambda: _in_the_middle(spec, store), "a run past its first checkpoint")
                next(worker for worker in workers if worker.pid == victim).send_signal(signal.SIGKILL)
        if verb.returncode:
            raise SystemExit(f"the sweep ended with {verb.returncode}: {(store.root / 'cluster.txt').read_text()}")
        took = time.monotonic() - began
    runs = standings(spec, store)
    resumed = [one.job.id for one in runs if one.job and list(one.job.events(event="resumed"))]
    return {"table": runs_table(runs).drop(columns=list(TIMES)), "seconds": took, "resumed": len(resumed)}


def warm_job(model: ModelSpec, store: Store) -> float:
    """Return the seconds that a job takes whose work is done."""
    with cluster(1, store) as (address, _):
        os.environ[client.SCHEDULER] = address
        try:
            client.wait(client.submit("vocabulary", model, store))
            began = time.monotonic()
            for _ in range(WARM):
                client.wait(client.submit("vocabulary", model, store))
            return (time.monotonic() - began) / WARM
        finally:
            del os.environ[client.SCHEDULER]


def measure(n_seeds: int, steps: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model, texts = (
            ModelSpec(name=str(write_model(folder / "model")), device="cpu"),
            write_texts(folder / "texts", 0),
        )
        base = {**RUN, "steps": steps, "checkpoint_every": EVERY, "model": model, "dataset": texts}
        spec = SweepSpec.parse({"base": base, "priors": ["isotropic"], "seeds": list(range(n_seeds))})
        file = folder / "sweep.yaml"
        file.write_text(sweep_yaml(spec))
        stores = {name: Store(folder / name) for name in ("one", "two", "killed")}
        for store in stores.values():
            store.root.mkdir(exist_ok=True)
        one = sweep(file, spec, stores["one"], 1)
        two = sweep(file, spec, stores["two"], 2)
        killed = sweep(file, spec, stores["killed"], 2, kill=True)
        pd.testing.assert_frame_equal(two["table"], one["table"])
        per_job = warm_job(model, stores["one"])
    runs = f"a sweep of {n_seeds} runs"
    cases = [
        {"what": f"{runs}, one worker", "seconds": one["seconds"]},
        {"what": f"{runs}, two workers", "seconds": two["seconds"], "ratio": one["seconds"] / two["seconds"]},
        {
            "what": f"{runs}, one of two workers killed midway",
            "seconds": killed["seconds"],
            "resumed": killed["resumed"],
            "equal": "yes" if killed["table"].equals(two["table"]) else "no",
        },
        {"what": "a job whose work is done", "seconds": per_job},
    ]
    return {
        "cases": cases,
        "measured_on": {"machine": platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def _steps(spec: SweepSpec, store: Store) -> int:
    return sum(len(list(one.job.events(event="step"))) for one in standings(spec, store) if one.job)


def _in_the_middle(spec: SweepSpec, store: Store) -> int:
    """Return the process of a run that has a checkpoint and goes on, or 0."""
    jobs = [one.job for one in standings(spec, store) if one.job]
    going = (job for job in jobs if job.status().state == "running" and len(list(job.events(event="step"))) > EVERY)
    return next((job.status().process for job in going), 0)


def _until(condition: Callable[[], int], what: str) -> int:
    """Return what a condition gives, once that is not 0."""
    until = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {WAIT_SECONDS} s: {what}")
        time.sleep(0.05)
    return found


def main() -> None:
    """Print the document, or a line per case."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--seeds", type=int, default=8, help="runs of the sweep")
    options.add_argument("--steps", type=int, default=60, help="of a run")
    asked = options.parse_args()
    tell(measure(asked.seeds, asked.steps), asked.json, "{what}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
