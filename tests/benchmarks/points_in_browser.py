"""100,000 points on the Activations page in headless Chromium, against the way one writes first.

The store is made in a temporary folder through the core: a random Llama of two blocks, d_model 72 and 2,000 words, on
random texts, a cloud of 100,000 tokens at its first site, and the map of their principal components. `ours` is the
Activations page. `naive` is a page of a dozen lines on the same points: numbers as text, each point with its context to
hover over, and a rerun of the whole page after a lasso. Each is opened in a fresh browser:

- `payload_bytes`: what the server sends until the map stands there (without Streamlit's own files)
- `first_paint_seconds`: from asking for the address to the points on the screen
- `frame_milliseconds`: 95th percentile of the time between frames while the map is dragged
- `lasso_seconds`: from letting go of the mouse to the number of selected tokens on the screen, and nothing running
- `after_lasso_bytes`: what the server sends after the lasso

Headless Chromium draws WebGL on the processor: a frame takes a second there that a graphics card draws at once. `ratio`
is naive over ours, each of the medians over the repeats.

    python -m tests.benchmarks.points_in_browser --json
"""

import argparse
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.page_times import measured_on, write_model
from tests.served import ROOT, served

D_MODEL, N_WORDS, TEXT_WORDS = 72, 2000, 250
PATIENCE = 180_000
DRAGS = 8
PACKAGES = ("streamlit", "plotly", "playwright")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PAINTED = """() => { const figure = document.querySelector(".js-plotly-plot");
    return figure && figure._fullLayout && figure.querySelector("canvas.gl-canvas-context") !== null; }"""
NEXT_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
RECORD_FRAMES = """() => { window.frames_at = []; const note = now => { window.frames_at.push(now);
    window.recording = requestAnimationFrame(note); }; window.recording = requestAnimationFrame(note); }"""
RECORDED_FRAMES = "() => { cancelAnimationFrame(window.recording); return window.frames_at; }"
SELECTED = re.compile(r"[\d,]+ tokens selected")
LASSO = ((0.3, 0.3), (0.6, 0.25), (0.65, 0.7), (0.35, 0.75), (0.3, 0.3))
NAIVE = """
import plotly.graph_objects as go
import streamlit as st
from core.activations.clouds import find_cloud
from core.jobs.projection import find_map
from core.figures.hover import token_hover
from core.specs import ProjectionSpec
from core.store import Store
spec = ProjectionSpec.parse({spec!r})
store = Store.default()
found = find_map(spec, store)
rows = find_cloud(spec.clouds[0], store).rows
x, y = found.map.coordinates[:, 0].tolist(), found.map.coordinates[:, 1].tolist()
ids = rows["row_id"].tolist()
figure = go.Figure(go.Scattergl(x=x, y=y, mode="markers", hovertext=token_hover(rows), customdata=ids))
figure.update_layout(dragmode="lasso", height=560)
event = st.plotly_chart(figure, key="map", on_select="rerun", config={{"displayModeBar": True}})
chosen = [point["customdata"] for point in event.selection.points]
if chosen:
    st.markdown(f"{{len(chosen):,}} tokens selected")
    st.dataframe(rows.iloc[chosen])
"""


def fill(folder: Path, n_points: int) -> tuple[dict[str, Any], str]:
    """Write the store; return what the page's address asks for, and the map's spec as JSON."""
    from core.activations.capture import capture
    from core.jobs.projection import fit_projection
    from core.progress import silent
    from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
    from core.store import Store, create_job

    store, rng = Store(folder / "cache"), np.random.default_rng(0)
    write_model(folder / "model", N_WORDS, D_MODEL)
    n_texts = n_points // (TEXT_WORDS - 1) + 2
    words = rng.zipf(1.3, (n_texts, TEXT_WORDS)) % (N_WORDS - 3)
    texts = folder / "texts.txt"
    texts.write_text("\n\n".join(" ".join(f"w{word}" for word in row) for row in words))
    model = ModelSpec(name=str(folder / "model"), device="cpu", dtype="float32")
    dataset = DatasetSpec(name="file", path=str(texts), samples=n_texts)
    cloud = CloudSpec(model=model, dataset=dataset, sites=(1,), rows=n_points)
    capture(cloud, store)
    spec = ProjectionSpec(model=model, site=1, clouds=(cloud,), n_points=n_points, n_components=3)
    fit_projection(spec, create_job(store, "projection", spec.as_json(), "p-0"), store, silent)
    asked = {
        "model": model.name,
        "device": "cpu",
        "dtype": "float32",
        "data": '["file"]',
        "path": str(texts),
        "samples": n_texts,
        "rows": n_points,
        "site": 1,
    }
    return asked, spec.canonical_json()


def look(browser: Browser, url: str) -> dict[str, float]:
    """Open a page of points in a fresh browser, drag the map, lasso, and return what it took."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(PATIENCE)
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data or ""))))
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_function(PAINTED)
    page.evaluate(NEXT_FRAMES)
    first = time.perf_counter() - began
    page.wait_for_selector(IDLE)
    page.evaluate(NEXT_FRAMES)
    payload = sum(received)
    frames = drag(page)
    received.clear()
    seconds = lasso(page)
    found = {
        "payload_bytes": payload,
        "first_paint_seconds": first,
        "frame_milliseconds": frames,
        "lasso_seconds": seconds,
        "after_lasso_bytes": sum(received),
    }
    page.close()
    return found


def drag(page: Page) -> float:
    """Drag the map and return the 95th percentile of the time between frames, in milliseconds."""
    page.locator(".js-plotly-plot").first.hover()
    page.locator('.modebar-btn[data-val="pan"]').first.click()
    x, y, width, height = _box(page)
    page.mouse.move(x + width / 2, y + height / 2)
    page.mouse.down()
    page.evaluate(RECORD_FRAMES)
    for step in range(DRAGS):
        page.mouse.move(x + width / 2 + 4 * step, y + height / 2 + 2 * step)
        page.evaluate(NEXT_FRAMES)
    at = page.evaluate(RECORDED_FRAMES)
    page.mouse.up()
    page.evaluate(NEXT_FRAMES)
    return float(np.percentile(np.diff(at), 95))


def lasso(page: Page) -> float:
    """Lasso points and return the seconds until their number stands on the page and nothing runs."""
    page.locator('.modebar-btn[data-val="lasso"]').first.click()
    x, y, width, height = _box(page)
    places = [(x + right * width, y + down * height) for right, down in LASSO]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    began = time.perf_counter()
    page.mouse.up()
    page.get_by_text(SELECTED).wait_for()
    page.wait_for_selector(IDLE)
    page.evaluate(NEXT_FRAMES)
    return time.perf_counter() - began


def _box(page: Page) -> tuple[float, float, float, float]:
    box: Any = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    return box["x"], box["y"], box["width"], box["height"]


def measure(n_points: int, repeats: int) -> dict[str, Any]:
    """Measure both sides in turns."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        asked, spec = fill(folder, n_points)
        naive = folder / "naive.py"
        naive.write_text(NAIVE.format(spec=spec))
        sides: dict[str, list[dict[str, float]]] = {"ours": [], "naive": []}
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage"]
        with (
            served(ROOT / "app.py", folder / "cache", folder / "ours.txt") as ours,
            served(naive, folder / "cache", folder / "naive.txt") as other,
            playwright.chromium.launch(executable_path=chromium, args=arguments) as browser,
        ):
            for turn in range(repeats + 1):  # the first warms the servers up
                for side, url in (("ours", f"{ours}/activations?{urlencode(asked)}"), ("naive", other)):
                    found = look(browser, url)
                    print(f"{side} {turn}: {found}", file=sys.stderr)
                    sides[side] += [found] if turn else []
        medians = {side: {key: median(one[key] for one in found) for key in found[0]} for side, found in sides.items()}
    return {
        "ratio": {key: medians["naive"][key] / medians["ours"][key] for key in medians["ours"]},
        "medians": medians,
        "n_points": n_points,
        "repeats": repeats,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        **measured_on(*PACKAGES),
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--points", type=int, default=100_000, help="points on the map")
    options.add_argument("--repeats", type=int, default=3, help="measured visits a side")
    asked = options.parse_args()
    logging.disable(logging.WARNING)
    found = measure(asked.points, asked.repeats)
    if asked.json:
        print(json.dumps(found, indent=1))
        return
    for key, ratio in found["ratio"].items():
        ours, naive = (found["medians"][side][key] for side in ("ours", "naive"))
        print(f"{key}: {ours:,.2f} ours, {naive:,.2f} naive, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
