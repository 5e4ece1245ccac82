"""Workers, engines and commands that are killed while a real engine does jobs: the numbers stay the right ones."""

import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.engine import client, local, queue
from core.store import Store, list_jobs
from core.store.status import is_alive
from tests.faults.operations import OPERATIONS, Place, by_engine, different
from tests.faults.processes import do, finish, fresh, left_behind, start, start_forkserver
from tests.faults.tally import generator, try_all

FULL = 30
"""Kills in a full run, beside those of processes without an engine."""
ASKED = [name for name in OPERATIONS if name not in ("bundle", "import")]
"""Operations that an engine does."""
VICTIMS = ("worker", "engine", "command")


@pytest.fixture(autouse=True)
def _forkserver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # sums of other numbers of threads are rounded otherwise
    monkeypatch.delenv(client.SCHEDULER, raising=False)
    start_forkserver()


def test_engine_kills(filled: Place, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    try_all(request, "kills", "engine", _cases(filled, tmp_path), FULL)


def _cases(filled: Place, folder: Path) -> Iterator[tuple[str, Callable[[], str]]]:
    rng, undisturbed = generator("engine"), dict[str, tuple[Any, float]]()
    turns = itertools.chain.from_iterable(rng.sample(ASKED, len(ASKED)) for _ in itertools.count())
    for number, operation in enumerate(turns):
        victim, share = rng.choice(VICTIMS), rng.uniform(0.05, 0.95)
        yield (
            f"{operation}: {victim} at {share:.2f}",
            lambda case=(operation, victim, share), place=folder / str(number): _killed(
                *case, filled, place, undisturbed
            ),
        )


def _killed(
    operation: str, victim: str, share: float, filled: Place, folder: Path, known: dict[str, tuple[Any, float]]
) -> str:
    """Kill something while an operation is done, see it through, and return what is wrong."""
    if operation not in known:
        began = time.monotonic()
        numbers = do(operation, fresh(operation, filled, folder), folder / "expected.json")
        known[operation] = numbers, time.monotonic() - began
    expected, seconds = known[operation]
    place = replace(fresh(operation, filled, folder), do=by_engine)
    answer = folder / "answer.json"
    try:
        asking = start(operation, place, answer)
        _until_work(asking, place.store)
        asking.join(share * seconds)
        _kill(victim, asking, place.store)
        if victim == "command":
            asking.join()
            asking = start(operation, place, answer)
        found = finish(asking, answer)
    finally:
        queue.disconnect()
        client.stop_engine(place.store)
    left = left_behind([place.store])
    shutil.rmtree(folder)
    other = different(found, expected)
    return f"left behind: {left[:3]}" if left else f"other numbers {other}" if other else ""


def _until_work(asking: Any, store: Store) -> None:
    """Wait until an engine has begun a job."""
    while asking.exitcode is None and not any(job.status().state == "running" for job in list_jobs(store)):
        asking.join(0.05)


def _kill(victim: str, asking: Any, store: Store) -> None:
    engine = local.read_info(store)
    if victim == "command" or engine is None:
        asking.kill()
        return
    process = engine.process if victim == "engine" else engine.workers[0]
    if is_alive(process):
        os.kill(process, signal.SIGKILL)
