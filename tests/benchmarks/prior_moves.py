"""How long a move of a slider takes on the Priors page, in headless Chromium, on a vocabulary of SmolLM2's size.

The store is that of `page_times`. The page is open on Gaussian exclusion over the vocabulary; the slider of c is moved
by an arrow key. From the key to the points in their new places it takes

- `waiting`: until the browser sends the move; Streamlit waits for a fifth of a second whether a slider moves on
- `server`: from there until the message with the picture, the largest, is in the browser
- `browser`: from there until Plotly has drawn the points and the browser has painted them

each the median over the moves, and `picture` from the key to the end.

    python -m tests.benchmarks.prior_moves --json
"""

import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.page_times import fill_store, measured_on, options_of
from tests.served import ROOT, served

PATIENCE = 60_000
PACKAGES = ("streamlit", "plotly", "numpy", "playwright")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
LISTEN = """() => {
    window.sent = []; window.received = [];
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) { window.sent.push(performance.now()); return send.call(this, data); };
    const Native = WebSocket;
    window.WebSocket = class extends Native {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", event => window.received.push(
                [performance.now(), event.data.byteLength ?? event.data.size ?? event.data.length]));
        }
    };
}"""
WATCH = """() => {
    const places = () => (document.querySelector(".js-plotly-plot").calcdata ?? [])
        .filter(points => points[0].trace.name.endsWith("sample (200)")).map(points => points[0].x).join();
    window.pressed = null; window.painted = null; window.sent = []; window.received = [];
    const before = places();
    window.addEventListener("keydown", () => { window.pressed = performance.now(); }, {capture: true, once: true});
    const look = () => {
        const now = places();
        if (now && now !== before) requestAnimationFrame(() => { window.painted = performance.now(); });
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
TIMES = "() => ({pressed: window.pressed, painted: window.painted, sent: window.sent, received: window.received})"


def move(page: Page) -> dict[str, float]:
    """Move the slider by one step and return the milliseconds of each part."""
    thumb = page.get_by_role("slider").first
    thumb.focus()
    page.evaluate(WATCH)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => window.painted !== null", timeout=PATIENCE)
    times: Any = page.evaluate(TIMES)
    page.wait_for_timeout(300)
    page.wait_for_selector(IDLE, timeout=PATIENCE)
    sent = next(at for at in times["sent"] if at > times["pressed"])
    came, _ = max((one for one in times["received"] if sent < one[0] < times["painted"]), key=lambda one: one[1])
    return {
        "waiting": sent - times["pressed"],
        "server": came - sent,
        "browser": times["painted"] - came,
        "picture": times["painted"] - times["pressed"],
    }


def measure(address: dict[str, str], cache: Path, moves: int) -> dict[str, float]:
    """Return the milliseconds of each part, of an address of Priors on a store."""
    asked = urlencode({name: value for name, value in address.items() if name != "page"})
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        with served(ROOT / "app.py", cache, cache.parent / "server.log") as url:
            page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
            page.add_init_script(f"({LISTEN})()")
            page.goto(f"{url}/priors?{asked}")
            page.locator(".js-plotly-plot").first.wait_for(timeout=PATIENCE)
            page.get_by_text("Cite this view").wait_for(timeout=PATIENCE)
            page.wait_for_selector(IDLE, timeout=PATIENCE)
            found = []
            for turn in range(moves + 1):  # the first warms the server up
                one = move(page)
                print(f"{turn}: {one}", file=sys.stderr)
                found += [one] if turn else []
        browser.close()
    return {part: median(one[part] for one in found) for part in found[0]}


def document(n_vocabulary: int, moves: int, root: Path | None) -> dict[str, Any]:
    """Return the whole document."""
    with tempfile.TemporaryDirectory(prefix="prior-moves-") as name:
        folder = root or Path(name)
        milliseconds = measure(_address(folder, n_vocabulary), folder / "cache", moves)
    return {
        "benchmark": "prior_moves",
        "milliseconds": milliseconds,
        "measured_on": {
            "n_vocabulary": n_vocabulary,
            "moves": moves,
            **measured_on(*PACKAGES),
            "processors": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        },
    }


def _address(folder: Path, n_vocabulary: int) -> dict[str, str]:
    """Return the address of the page, on a store that is filled unless it was before."""
    kept = folder / "addresses.json"
    if not kept.exists():
        kept.write_text(json.dumps(fill_store(folder, n_vocabulary)))
    return json.loads(kept.read_text())["priors"]


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--moves", type=int, default=10, help="measured moves")
    parser.add_argument("--root", type=Path, help="an existing folder that keeps the store for the next time")
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    found = document(chosen.vocabulary, chosen.moves, chosen.root)
    print(json.dumps(found, indent=1) if chosen.json else found["milliseconds"])


if __name__ == "__main__":
    main()
