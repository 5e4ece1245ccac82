"""Operations in processes of their own, which may be killed, and what is left in a cache folder afterwards."""

import json
import multiprocessing
import shutil
from pathlib import Path
from typing import Any

from core.store import Store, damaged_folders
from core.store.maintenance import leftovers, verify_all
from tests.faults.operations import CACHE, Place, main

ON_WHAT_IS_THERE = ("measure", "bundle", "import")
"""Operations on a run that was made before."""
SECONDS = 300
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["core.engine.runner", "core.tuning.run", "tests.faults.operations"])


def start_forkserver() -> None:
    """Start the process that others are forked from, which imports everything once."""
    process = _processes.Process(target=int)
    process.start()
    process.join()


def fresh(operation: str, filled: Place, root: Path) -> Place:
    """Return a place where an operation has not been done yet."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    if operation in ON_WHAT_IS_THERE:
        shutil.copytree(filled.root / CACHE, root / CACHE)
        if operation == "measure":
            shutil.rmtree(root / CACHE / "jobs")
            (root / CACHE / "jobs").mkdir()
    return Place(filled.data, root)


def start(operation: str, place: Place, answer: Path) -> Any:
    """Begin an operation, which writes its numbers to a file."""
    process = _processes.Process(target=main, args=(operation, place, answer))
    process.start()
    return process


def finish(process: Any, answer: Path) -> Any:
    """Return the numbers of an operation that was begun, or in words how its process ended."""
    process.join(SECONDS)
    if process.exitcode != 0:
        process.kill()
        return f"exit code {process.exitcode}"
    return json.loads(answer.read_text())


def do(operation: str, place: Place, answer: Path) -> Any:
    """Do an operation and return its numbers, or in words how its process ended."""
    return finish(start(operation, place, answer), answer)


def left_behind(stores: list[Store]) -> list[str]:
    """Return what is damaged in cache folders, or lies there and is not known to `cache verify`."""
    problems = [str(problem) for store in stores for _, problem in verify_all(store) if problem]
    return [*unknown(stores), *problems]


def unknown(stores: list[Store]) -> list[str]:
    """Return what lies in cache folders and `cache verify` does not know."""
    found = []
    for store in stores:
        known = {entry.folder for entry in leftovers(store)} | {folder.job.path for folder in damaged_folders(store)}
        found += [str(path) for path in (store.root / "tmp").iterdir() if path not in known]
        found += [folder.reason for folder in damaged_folders(store)]
    return found
