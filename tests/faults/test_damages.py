"""Files of a cache folder that are flipped, cut or deleted: said and made again, never another number."""

import itertools
import os
import random
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import PriorscopeError
from core.store import damaged_folders, list_jobs
from core.store.maintenance import cache_entries, verify_all
from tests.faults.operations import CACHE, Place, capture, cloud_numbers, measure, run_numbers, soft
from tests.faults.tally import generator, try_all

HARMS = ("flip", "cut", "delete", "empty")
FULL = 40
"""Damages of each harm in a full run: 160 of all."""
READS = {"soft": soft, "measure": measure, "capture": capture}


@pytest.mark.parametrize("harm", HARMS)
def test_damages(harm: str, filled: Place, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    expected = {name: read(filled) for name, read in READS.items()}
    try_all(request, "damages", harm, _cases(harm, filled, tmp_path, expected), FULL)


def _cases(harm: str, filled: Place, folder: Path, expected: Any) -> Iterator[tuple[str, Callable[[], str]]]:
    rng = generator(harm)
    root = filled.root / CACHE
    files = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix != ".lock" and path.parts[0] not in ("engine", "damaged", "tmp")]
    for name in itertools.chain.from_iterable(rng.sample(files, len(files)) for _ in itertools.count()):
        yield str(name), lambda name=name: _damaged(harm, name, filled, folder, expected, rng)


def _damaged(harm: str, name: Path, filled: Place, folder: Path, expected: Any, rng: random.Random) -> str:
    """Damage a file, read everything, make everything again, and return what is wrong."""
    shutil.copytree(filled.root / CACHE, folder / CACHE)
    place = Place(filled.data, folder)
    spoil(folder / CACHE / name, harm, rng)
    try:
        wrong = _read(place, expected) or _make_again(place, expected)
        verify_all(place.store)  # finds what nobody has read
        return wrong or _make_again(place, expected) or _left(place)
    except Exception as error:  # noqa: BLE001 - anything but a message is what is looked for
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error)[:200]} ({where.filename}:{where.lineno})"
    finally:
        shutil.rmtree(folder / CACHE)


def spoil(path: Path, harm: str, rng: random.Random) -> None:
    """Damage a file."""
    raw = bytearray(path.read_bytes())
    if harm == "flip" and raw:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(raw)
    elif harm == "cut":
        os.truncate(path, len(raw) - rng.randint(1, len(raw)) if raw else 0)
    elif harm == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


def _read(place: Place, expected: Any) -> str:
    """Read what is there: each number is the right one, or an error says that it is damaged."""
    store = place.store
    cache_entries(store)
    damaged_folders(store)
    for job in list_jobs(store):
        job.status()
        job.log_tail()
    runs = [job for job in list_jobs(store, "tune") if job.status().state == "succeeded"]
    reads = [("soft", lambda job=job: run_numbers(job)) for job in runs] + [("capture", lambda: cloud_numbers(place))]
    for name, read in reads:
        try:
            numbers = read()
        except PriorscopeError:
            continue
        if numbers is not None and numbers != expected[name]:
            return f"another number of {name}"
    return ""


def _make_again(place: Place, expected: Any) -> str:
    """Ask for everything again and compare it."""
    for name, read in READS.items():
        for attempt in (1, 2):
            try:
                numbers = read(place)
            except PriorscopeError:
                if attempt == 2:
                    raise
                continue  # it was found damaged while it was read, and is made again when asked once more
            if numbers != expected[name]:
                return f"another number of {name} when made again"
            break
    return ""


def _left(place: Place) -> str:
    problems = [problem for _, problem in verify_all(place.store) if problem]
    return f"still damaged: {problems[:2]}" if problems else ""
