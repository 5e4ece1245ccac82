"""A process that is killed at a random moment: done again, the operation gives the numbers of an undisturbed one."""

import itertools
import json
import multiprocessing
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.store import Store, damaged_folders
from core.store.maintenance import leftovers, verify_all
from tests.faults.operations import CACHE, OPERATIONS, Place, main
from tests.faults.tally import generator, try_all

FULL = 25
"""Kills of each operation in a full run: 200 of all."""
ON_WHAT_IS_THERE = ("measure", "bundle", "import")
"""Operations on a run that was made before."""
_SECONDS = 120
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["core.engine.runner", "core.tuning.run", "tests.faults.operations"])


@pytest.fixture(scope="module", autouse=True)
def _forkserver() -> None:
    """Start the process that others are forked from, which imports everything once."""
    process = _processes.Process(target=int)
    process.start()
    process.join()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_kills(operation: str, filled: Place, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    whole = _fresh(operation, filled, tmp_path / "undisturbed")
    began = time.monotonic()
    expected = _do(operation, whole, tmp_path / "expected.json")
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
        place = _fresh(operation, filled, folder)
        process = _start(operation, place, folder / "killed.json")
        process.join(moment)
        process.kill()
        process.join()
        if process.exitcode == -signal.SIGKILL:
            break
        moment /= 2  # it was faster than the undisturbed one
    stores = [Store(path) for path in folder.iterdir() if (path / "artifacts").is_dir()]
    unknown = [path for store in stores for path in _unknown(store)]
    found = _do(operation, place, folder / "again.json")
    problems = [problem for store in stores for _, problem in verify_all(store) if problem]
    shutil.rmtree(folder)
    if unknown or problems:
        return f"left behind: {unknown[:3]} {problems[:3]}"
    return "" if found == expected else f"other numbers: {str(found)[:300]}"


def _unknown(store: Store) -> list[str]:
    """Return what lies in a cache folder and `cache verify` does not know."""
    known = {entry.folder for entry in leftovers(store)} | {folder.job.path for folder in damaged_folders(store)}
    problems = [folder.reason for folder in damaged_folders(store)]
    return [str(path) for path in (store.root / "tmp").iterdir() if path not in known] + problems


def _fresh(operation: str, filled: Place, root: Path) -> Place:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    if operation in ON_WHAT_IS_THERE:
        shutil.copytree(filled.root / CACHE, root / CACHE)
        if operation == "measure":
            shutil.rmtree(root / CACHE / "jobs")
            (root / CACHE / "jobs").mkdir()
    return Place(filled.data, root)


def _start(operation: str, place: Place, answer: Path) -> Any:
    process = _processes.Process(target=main, args=(operation, place, answer))
    process.start()
    return process


def _do(operation: str, place: Place, answer: Path) -> Any:
    process = _start(operation, place, answer)
    process.join(_SECONDS)
    if process.exitcode != 0:
        process.kill()
        return f"exit code {process.exitcode}"
    return json.loads(answer.read_text())
