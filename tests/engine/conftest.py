"""Real engines, always shut down: one shared by the tests that leave it alive, and fresh ones for those that do not."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.engine import client, local
from core.engine.tasks import EXTRA_TASKS
from core.store import Store
from core.store.status import is_alive

TOYS = "tests.engine.toy_tasks"
DEADLINE = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", autouse=True)
def toy_tasks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(EXTRA_TASKS, TOYS)
        patch.delenv(client.SCHEDULER, raising=False)
        yield


@pytest.fixture(scope="session")
def engine_store(toy_tasks: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A cache folder whose engine is shared: workers may die in a test, the engine may not."""
    yield from _with_engine(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def own_store(toy_tasks: None, tmp_path: Path) -> Iterator[Store]:
    """A cache folder whose engine a test may do anything to."""
    yield from _with_engine(tmp_path / "cache")


def _with_engine(folder: Path) -> Iterator[Store]:
    from core.engine import queue

    store = Store(folder)
    yield store
    queue.disconnect()
    info = local.read_info(store)
    client.stop_engine(store)
    left = [process for process in (info.process, *info.workers) if is_alive(process)] if info else []
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert not left, "the engine did not stop when told to"


def until(condition: Callable[[], Any], what: str) -> Any:
    """Poll a condition until it holds, and return its value."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"not within {DEADLINE:g} s: {what}")


def kill_worker(store: Store, process: int) -> None:
    """End a worker process the hard way."""
    info = local.find_engine(store)
    assert info is not None
    assert process in [child.pid for child in psutil.Process(info.process).children()]
    os.kill(process, signal.SIGKILL)
