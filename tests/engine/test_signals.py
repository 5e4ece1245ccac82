"""Ctrl-C and SIGTERM, whenever they come: one line, the usual exit code, and a job that stands as the line says."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.engine import client
from core.store import JobFolder, Store, list_jobs
from tests.engine.conftest import until

ROOT = Path(__file__).resolve().parents[2]
NOTHING = "error: stopped by {}; no job of this command is in progress."


def start(store: Store, name: str, monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    """Start a command that follows a job of ten minutes."""
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(store.root))
    spec = json.dumps({"name": name, "steps": 6000, "pause": 0.1})
    command = [sys.executable, "-m", "core", "make", "toy", spec, "--json"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(store: Store, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[subprocess.Popen[str], JobFolder]:
    """Start a command and return it with its job, once that has made a step."""
    command = start(store, name, monkeypatch)
    job = until(lambda: [job for job in list_jobs(store, "toy") if job.spec["name"] == name], "a job")[0]
    until(lambda: job.status().done >= 1, "a step")
    return command, job


def last_line(command: subprocess.Popen[str], number: signal.Signals) -> str:
    """Return what a command says that got a signal, which is the only line of an error."""
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (128 + number, "")
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert line == err.splitlines()[-1]
    return line


def test_ctrl_c_cancels_the_job(engine_store: Store, monkeypatch):
    command, job = begun(engine_store, "ctrl-c", monkeypatch)
    command.send_signal(signal.SIGINT)
    assert last_line(command, signal.SIGINT) == (
        f"error: stopped by SIGINT; {job.id} was cancelled: `python -m core runs resume {job.id}` continues it."
    )
    assert client.wait(job, timeout=60).state == "cancelled"


def test_sigterm_leaves_the_job_to_the_engine(engine_store: Store, monkeypatch):
    command, job = begun(engine_store, "sigterm", monkeypatch)
    command.send_signal(signal.SIGTERM)
    assert last_line(command, signal.SIGTERM) == (
        f"error: stopped by SIGTERM; {job.id} keeps running: `python -m core runs show {job.id}` shows how far it is."
    )
    done = job.status().done
    assert until(lambda: job.status().done > done, "a further step")
    client.cancel(job, engine_store)
    assert client.wait(job, timeout=60).state == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_is_one_line(engine_store: Store, monkeypatch, number):
    """At eight moments between the first import and the first steps, as chance has it with this seed."""
    client.ensure_engine(engine_store)
    moments = random.Random(number)
    for turn in range(8):
        name = f"{number.name} {turn}"
        command = start(engine_store, name, monkeypatch)
        time.sleep(moments.uniform(0.15, 2.5))
        command.send_signal(number)
        line = last_line(command, number)
        jobs = [job for job in list_jobs(engine_store, "toy") if job.spec["name"] == name]
        if line == NOTHING.format(number.name):
            assert not [job for job in jobs if not job.status().ended]
            continue
        (job,) = jobs
        assert re.match(f"error: stopped by {number.name}; {job.id} (was cancelled|keeps running)", line)
        if number == signal.SIGTERM:
            client.cancel(job, engine_store)
        assert client.wait(job, timeout=60).state == "cancelled"
