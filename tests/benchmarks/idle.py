"""What app and engine cost while nobody asks for anything: processor seconds per minute, and memory.

The engine has done one job. The app serves one page that is open in Chromium; `--without-browser` leaves app and
browser out.

    python -m tests.benchmarks.idle --json
"""

import argparse
import os
import platform
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from core.engine import client
from core.specs import ModelSpec
from core.store import Store
from tests.benchmarks.sides import tell
from tests.benchmarks.worker_memory import write_model
from tests.served import ROOT, served

BROWSER = "/usr/bin/chromium"


def spent(process: psutil.Process) -> float:
    """Return the processor seconds that a process has had."""
    times = process.cpu_times()
    return times.user + times.system


def measure(seconds: float, with_app: bool) -> dict[str, Any]:
    """Return the benchmark's document."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = Store(folder / "cache")
        stack.callback(client.stop_engine, store)
        job = client.submit("vocabulary", ModelSpec(name=str(write_model(folder / "model")), device="cpu"), store)
        if client.wait(job).state != "succeeded":
            raise SystemExit(f"{job.id}: {job.status().error}")
        state = client.engine_state(store)
        assert state.engine is not None
        parts = {"engine": state.engine.process, "worker": state.workers[0].process}
        if with_app:
            known = set(psutil.Process().children())
            url = stack.enter_context(served(ROOT / "app.py", store.root, folder / "app.txt"))
            (app,) = set(psutil.Process().children()) - known
            parts["app"] = app.pid
            player = stack.enter_context(sync_playwright())
            browser = player.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            stack.callback(browser.close)
            page = browser.new_page()
            page.goto(f"{url}/system")
            page.get_by_role("heading").first.wait_for(timeout=120_000)
            page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=120_000)
        processes = {name: psutil.Process(number) for name, number in parts.items()}
        before = {name: spent(process) for name, process in processes.items()}
        time.sleep(seconds)
        per_minute = {name: 60 / seconds * (spent(one) - before[name]) for name, one in processes.items()}
        held = {name: one.memory_full_info().uss for name, one in processes.items()}
    return {
        "cases": [
            {"part": name, "processor_seconds": per_minute[name], "megabytes": held[name] / 1e6} for name in parts
        ],
        "measured_on": {"machine": platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def main() -> None:
    """Print the document, or a line per figure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--seconds", type=float, default=120, help="of idling")
    options.add_argument("--without-browser", action="store_true", help="measure the engine alone")
    asked = options.parse_args()
    line = "{part}: {processor_seconds:.2f} processor seconds per minute, {megabytes:.0f} MB"
    tell(measure(asked.seconds, not asked.without_browser), asked.json, line)


if __name__ == "__main__":
    main()
