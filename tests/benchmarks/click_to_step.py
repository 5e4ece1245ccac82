"""Seconds from the click on *Start tuning* to a run's first step, in headless Chromium.

The store and its model are those of `page_times`: two blocks, and a vocabulary of SmolLM2's size. The first run starts
the engine, whose worker imports and loads the model; each further run has another seed and finds the worker warm.
`step` is when the first step has been done, `seen` when the page shows it.

    python -m tests.benchmarks.click_to_step --json
"""

import logging
import os
import platform
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from core.engine import client
from core.store import Store, list_jobs
from tests.benchmarks.page_times import fill_store, options_of
from tests.benchmarks.sides import tell
from tests.served import ROOT, served

PATIENCE = 120_000
STEPS = 400
SHOWN = "() => /Step [1-9][0-9]* of/.test(document.body.innerText)"


def start_run(page: Page, url: str, store: Store, asked: dict[str, str]) -> dict[str, float]:
    """Start a run, return the seconds to its first step and to the sight of it, and cancel it."""
    known = {job.id for job in list_jobs(store, "tune")}
    page.goto(f"{url}/tune?{urlencode(asked)}")
    button = page.get_by_role("button", name="Start tuning")
    button.wait_for(timeout=PATIENCE)
    page.get_by_text("Cite this view").wait_for(timeout=PATIENCE)
    began = time.perf_counter()
    button.click()
    while True:
        new = [job for job in list_jobs(store, "tune") if job.id not in known]
        if new and new[0].status().done:
            break
        if new and new[0].status().ended:
            raise SystemExit(f"{new[0].id} ended without a step: {new[0].status().error}")
        if time.perf_counter() - began > PATIENCE / 1000:
            raise SystemExit(f"No step within {PATIENCE / 1000:.0f} s.")
        time.sleep(0.01)
    stepped = time.perf_counter() - began
    page.wait_for_function(SHOWN, timeout=PATIENCE)
    seen = time.perf_counter() - began
    client.cancel(new[0], store)
    client.wait(new[0])
    return {"step": stepped, "seen": seen}


def measure(n_vocabulary: int, repeats: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="click-to-step-")))
        cases, store = fill_store(folder, n_vocabulary), Store(folder / "cache")
        asked = {name: value for name, value in cases["activations"].items() if name not in ("page", "rows", "site")}
        asked |= {"prior": '{"kind":"gaussian"}', "steps": str(STEPS), "evaluate_every": str(STEPS)}
        stack.callback(client.stop_engine, store)
        url = stack.enter_context(served(ROOT / "app.py", store.root, folder / "server.log"))
        player = stack.enter_context(sync_playwright())
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        stack.callback(browser.close)
        page = browser.new_page()
        first, *warm = [start_run(page, url, store, asked | {"seed": str(seed)}) for seed in range(repeats + 1)]
    return {
        "cases": [
            {"engine": "asleep", **first},
            {"engine": "warm", **{name: median(one[name] for one in warm) for name in first}},
        ],
        "measured_on": {
            "n_vocabulary": n_vocabulary,
            "repeats": repeats,
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
    }


def main() -> None:
    """Print the document, or a line per figure."""
    options = options_of(__doc__)
    options.add_argument("--repeats", type=int, default=3, help="timed runs on the warm engine")
    asked = options.parse_args()
    logging.disable(logging.WARNING)
    line = "engine {engine}: first step after {step:.2f} s, seen after {seen:.2f} s"
    tell(measure(asked.vocabulary, asked.repeats), asked.json, line)


if __name__ == "__main__":
    main()
