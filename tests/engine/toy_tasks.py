"""Jobs small enough to watch: registered through PRIORSCOPE_EXTRA_TASKS as a plug-in would be."""

import ctypes
import logging
import os
import signal
import time
import warnings
from typing import Any

from core.engine import runner
from core.engine.tasks import Task, register
from core.errors import BadData
from core.progress import Progress
from core.specs import Spec
from core.store import JobFolder, Store

runner.CANCEL_SECONDS = 1.0  # nobody wants to wait a minute in a test
runner.LOOK_SECONDS = 0.2


class ToySpec(Spec, frozen=True):
    name: str = "toy"
    steps: int = 3
    pause: float = 0.0
    fault: str = ""


def count(spec: ToySpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    """Count steps, keeping the count as a checkpoint; `fault` says what goes wrong on the way."""
    checkpoint = job.path / "count.txt"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    logging.getLogger("core.toy").info("counting from %d", first)
    for step in range(first, spec.steps):
        progress(step, spec.steps, "counting")
        if step == 1:
            _fail(spec.fault, job)
        time.sleep(spec.pause)
        # The event first: a process killed between the two does a step twice, and never loses one.
        job.append(event="step", step=step)
        checkpoint.write_text(str(step + 1))
    progress(spec.steps, spec.steps, "counted")
    return {"count": spec.steps, "process": os.getpid()}


def _fail(fault: str, job: JobFolder) -> None:
    if fault == "error":
        raise ZeroDivisionError("a fault\nin two lines")
    if fault == "bad data":
        raise BadData("The toy has no data; give it some.")
    if fault == "warn":
        warnings.warn("a toy warning", UserWarning, stacklevel=1)
    if fault == "die":
        while job.status().done != 1:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "held":
        while not (job.path / "go").exists():
            time.sleep(0.02)
    if fault == "frozen":
        ctypes.PyDLL(None).sleep(3600)  # without giving the interpreter away: no other thread runs
    if fault == "deaf":
        while True:
            time.sleep(0.1)


register(Task("toy", "toy", ToySpec, count, "quick", keeps=True))
register(Task("toy-train", "toy-train", ToySpec, count, "train", keeps=True))
register(Task("toy-stored", "toy-stored", ToySpec, count, "heavy"))
register(Task("toy-study", "toy-study", ToySpec, count, "study", keeps=True))
