"""The command line with jobs done in this very process, by the same runner that a worker uses."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from core.engine import client
from core.engine.runner import run_job
from core.store import Store, create_job


@pytest.fixture
def inline(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Do jobs at once instead of giving them to an engine."""

    def submit(kind, spec, store, again=False):
        job_id = f"{kind}-{spec.fingerprint()[:8]}" + ("-2" if again else "")
        job = create_job(store, kind, spec.as_json(), job_id)
        run_job(job)
        return job

    monkeypatch.setattr(client, "submit", submit)
    return store


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
