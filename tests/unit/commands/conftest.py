"""The command line with jobs done in this very process, by the same runner that a worker uses."""

import json
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from core.engine import client
from core.errors import Signalled
from core.specs import TuningSpec
from core.store import JobFolder, Store, create_job


@pytest.fixture
def inline(store: Store, at_once) -> Store:
    """Do jobs at once instead of giving them to an engine."""
    return store


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submit runs to no engine, and press Ctrl+C as soon as one is waited for."""

    def submit(kind: str, spec: TuningSpec, store: Store, again: bool = False) -> JobFolder:
        return create_job(store, kind, spec.as_json(), f"t-{spec.seed}")

    def wait(job: JobFolder, on_status: Any) -> None:
        raise Signalled(signal.SIGINT)

    monkeypatch.setattr(client, "submit", submit)
    monkeypatch.setattr(client, "ensure_engine", lambda _: None)
    monkeypatch.setattr(client, "wait", wait)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `python -m core` with arguments: (exit code, stdout, stderr)."""
    from core.cli import main

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["core", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def ask(call: Callable[..., tuple[int, str, str]]) -> Callable[..., dict[str, Any]]:
    """Return a function that runs a verb with --json and returns the one document it printed."""

    def run(*arguments: str) -> dict[str, Any]:
        code, out, err = call(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return run
