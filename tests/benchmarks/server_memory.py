"""What the app's server holds after many reruns and with many sessions, and what each page sends to the browser.

The store is that of `page_times`. Memory is that of the server's process alone (unique set size), in megabytes:

- after so many reruns of one session, which moves the slider of Priors;
- with so many sessions open, one after the other, each on a page of its own;
- without sessions, once all have gone and Streamlit has let go of them, which takes it two minutes.

`pages` are the kilobytes that a first visit receives, compressed as they are sent: `files` by HTTP (none is in the
browser's cache), `messages` by the websocket.

    python -m tests.benchmarks.server_memory --json
"""

import base64
import logging
import os
import platform
import shutil
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.page_times import fill_store, options_of
from tests.benchmarks.prior_moves import IDLE
from tests.benchmarks.sides import tell
from tests.served import ROOT, served

PATIENCE = 120_000
LET_GO_SECONDS = 150
"""Streamlit keeps a session whose browser has gone for two minutes, in case it comes back."""
EVERY = 20
"""Reruns between two looks at the memory."""


class Server:
    """The app's process, as memory sees it."""

    def __init__(self, process: int) -> None:
        """Look at a process from now on."""
        self._process = psutil.Process(process)

    def megabytes(self) -> int:
        """Return what the process alone holds."""
        return round(self._process.memory_full_info().uss / 1e6)


def address(url: str, page: dict[str, str]) -> str:
    """Return the address of a page."""
    path = "" if page["page"] == "overview" else page["page"]
    return f"{url}/{path}?{urlencode({name: value for name, value in page.items() if name != 'page'})}"


def wait_for_page(page: Page) -> None:
    """Wait until a page has been drawn to its foot and its script has ended."""
    page.get_by_text("Cite this view").wait_for(timeout=PATIENCE)
    page.wait_for_selector(IDLE, timeout=PATIENCE)


def rerun_often(page: Page, server: Server, n_reruns: int) -> dict[int, int]:
    """Move the first slider to and fro and return reruns → megabytes."""
    held = {0: server.megabytes()}
    for turn in range(1, n_reruns + 1):
        slider = page.get_by_role("slider").first
        before = slider.get_attribute("aria-valuetext") or slider.get_attribute("aria-valuenow")
        slider.focus()
        page.keyboard.press("ArrowRight" if turn // 4 % 2 else "ArrowLeft")
        page.wait_for_timeout(300)  # Streamlit sends a slider's place a fifth of a second after the key
        page.wait_for_selector(IDLE, timeout=PATIENCE)
        after = slider.get_attribute("aria-valuetext") or slider.get_attribute("aria-valuenow")
        if before == after:
            raise SystemExit(f"The slider did not move from {before!r}, so there was no rerun {turn}.")
        if turn % EVERY == 0:
            held[turn] = server.megabytes()
    return held


def open_sessions(browser: Browser, pages: list[str], server: Server, n_sessions: int) -> dict[int, int]:
    """Open sessions one after the other, each on a page of its own, and return sessions → megabytes; close them."""
    held, contexts = {}, []
    for turn in range(1, n_sessions + 1):
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(pages[turn % len(pages)])
        wait_for_page(page)
        held[turn] = server.megabytes()
    for context in contexts:
        context.close()
    return held


def received(browser: Browser, url: str) -> dict[str, float]:
    """Return the kilobytes that a first visit of an address receives."""
    context = browser.new_context()
    page, n_bytes = context.new_page(), Counter[str]()

    def of_message(event: dict[str, Any]) -> None:
        frame = event["response"]
        binary = frame["opcode"] == 2
        n_bytes["messages"] += len(base64.b64decode(frame["payloadData"])) if binary else len(frame["payloadData"])

    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.webSocketFrameReceived", of_message)
    network.on("Network.loadingFinished", lambda event: n_bytes.update(files=int(event["encodedDataLength"])))
    page.goto(url)
    wait_for_page(page)
    context.close()
    return {name: round(n_bytes[name] / 1000) for name in ("files", "messages")}


def measure(n_vocabulary: int, n_reruns: int, n_sessions: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="server-memory-")))
        cases = fill_store(folder, n_vocabulary)
        known = set(psutil.Process().children())
        url = stack.enter_context(served(ROOT / "app.py", folder / "cache", folder / "server.log"))
        (app,) = set(psutil.Process().children()) - known
        server = Server(app.pid)
        player = stack.enter_context(sync_playwright())
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        stack.callback(browser.close)
        addresses = {name: address(url, page) for name, page in cases.items()}
        pages = [{"page": name, **received(browser, one)} for name, one in addresses.items()]
        moved = browser.new_context().new_page()
        moved.goto(addresses["priors"])
        wait_for_page(moved)
        rerun_often(moved, server, EVERY)  # what is kept on the first moves is kept once
        reruns = rerun_often(moved, server, n_reruns)
        moved.context.close()
        sessions = open_sessions(browser, list(addresses.values()), server, n_sessions)
        time.sleep(LET_GO_SECONDS)
        left = server.megabytes()
    return {
        "benchmark": "server_memory",
        "cases": [
            *({"when": f"reruns of one session: {n}", "megabytes": held} for n, held in reruns.items()),
            *({"when": f"sessions: {n}", "megabytes": held} for n, held in sessions.items()),
            {"when": "sessions: none, after all have gone", "megabytes": left},
        ],
        "pages": pages,
        "measured_on": {
            "n_vocabulary": n_vocabulary,
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
    }


def main() -> None:
    """Measure and print."""
    options = options_of(__doc__)
    options.add_argument("--reruns", type=int, default=100, help="measured reruns")
    options.add_argument("--sessions", type=int, default=10, help="open at once")
    asked = options.parse_args()
    logging.disable(logging.WARNING)
    tell(measure(asked.vocabulary, asked.reruns, asked.sessions), asked.json, "{when}: {megabytes} MB")


if __name__ == "__main__":
    main()
