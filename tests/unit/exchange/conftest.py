"""Two measured runs and a bundle of them."""

import shutil
from pathlib import Path

import pytest

from core.exchange.bundle import export_bundle
from core.store import JobFolder, Store, find_job
from tests.jobs import measured
from tests.unit.jobs.measured import tuned, tuning


@pytest.fixture(scope="session")
def made(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a soft and a deep run, both measured, and a bundle of them, once for all tests."""
    root = tmp_path_factory.mktemp("made")
    store = Store(root / "cache")
    soft = tuned(tuning(tiny_folder, root / "sums.jsonl"), store, "t-1")
    deep = tuned(tuning(tiny_folder, root / "sums.jsonl", method="deep", prompt_sites=[1, 2]), store, "t-2")
    for run in (soft, deep):
        measured(run, store, worth=True, n_worth=2)
    export_bundle([soft, deep], root / "bundle", store)
    return root


@pytest.fixture
def runs(made: Path, store: Store) -> list[JobFolder]:
    """Return the two runs in the test's own store."""
    shutil.copytree(made / "cache", store.root, dirs_exist_ok=True)
    return [find_job(store, name) for name in ("t-1", "t-2")]


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return the bundle of both, to be spoilt."""
    return Path(shutil.copytree(made / "bundle", tmp_path / "bundle"))


@pytest.fixture
def other(tmp_path: Path) -> Store:
    return Store(tmp_path / "elsewhere")
