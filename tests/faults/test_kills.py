"""A process that is killed at a random moment: done again, the operation gives the numbers of an undisturbed one."""

import itertools
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store import Store
from tests.faults.operations import OPERATIONS, Place, different
from tests.faults.processes import do, fresh, left_behind, start, start_forkserver, unknown
from tests.faults.tally import generator, try_all

FULL = 25
"""Kills of each operation in a full run: 200 of all."""


@pytest.fixture(scope="module", autouse=True)
def _forkserver() -> None:
    start_forkserver()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_kills(operation: str, filled: Place, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    whole = fresh(operation, filled, tmp_path / "undisturbed")
    began = time.monotonic()
    expected = do(operation, whole, tmp_path / "expected.json")
    seconds = time.monotonic() - began
    cases = _cases(operation, filled, tmp_path, expected, seconds)
    try_all(request, "kills", operation, cases, FULL)


def _cases(
    operation: str, filled: Place, folder: Path, expected: Any, seconds: float
) -> Iterator[tuple[str, Callable[[], str]]]:
    rng = generator(operation)
    for number in itertools.count():
        moment = rng.uniform(0.05, 0.95) * seconds
        place = folder / str(number)
        yield (
            f"after {moment:.2f} s",
            lambda moment=moment, place=place: _killed(operation, filled, place, expected, moment),
        )


def _killed(operation: str, filled: Place, folder: Path, expected: Any, moment: float) -> str:
    """Kill an operation, do it again, and return what is wrong."""
    while True:
        place = fresh(operation, filled, folder)
        process = start(operation, place, folder / "killed.json")
        process.join(moment)
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            break
        moment /= 2  # it was faster than the undisturbed one
    stores = [Store(path) for path in folder.iterdir() if (path / "artifacts").is_dir()]
    strange = unknown(stores)
    found = do(operation, place, folder / "again.json")
    left = [*strange, *left_behind(stores)]
    shutil.rmtree(folder)
    if left:
        return f"left behind: {left[:3]}"
    other = different(found, expected)
    return f"other numbers {other}" if other else ""
