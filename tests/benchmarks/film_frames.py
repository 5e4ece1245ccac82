"""How long a frame of the layer film takes while its slider is moved, in headless Chromium.

The film has 31 sites, as SmolLM2-135M has, and as many points as it ever draws, of three data sets. `milliseconds` are
from the call that a step of the slider makes until the frame is painted: median and 95th percentile over all frames.
Without a graphics card, Chromium draws them on the processor.

    python -m tests.benchmarks.film_frames --json
"""

import argparse
import json
import os
import shutil
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from core.analysis.map_alignment import SmallMap
from core.figures.film import MOST_PLACES, film_figure
from tests.benchmarks.page_times import measured_on

N_SITES, N_DATASETS = 31, 3
PACKAGES = ("plotly", "playwright")
SCRUB = """async () => {
    const film = document.querySelector(".js-plotly-plot"), took = [];
    const painted = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    for (const step of film.layout.sliders[0].steps) {
        const began = performance.now();
        await Plotly.animate(film, ...step.args);
        await painted();
        took.push(performance.now() - began);
    }
    return took;
}"""


def film() -> Any:
    """Return the figure."""
    rng, n = np.random.default_rng(0), MOST_PLACES // N_SITES
    maps = [SmallMap(site, rng.standard_normal((n, 2)).astype(np.float32), 0.2) for site in range(N_SITES)]
    names = [f"data set {k}" for k in range(N_DATASETS)]
    return film_figure(maps, names, np.arange(n) % N_DATASETS, [f"word{i}" for i in range(n)])


def measure() -> dict[str, Any]:
    """Return the whole document."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_content(film().to_html(include_plotlyjs=True))
        page.wait_for_selector(".js-plotly-plot .slider-rail-rect")
        page.evaluate(SCRUB)
        took = page.evaluate(SCRUB)  # the first time warms it up
        browser.close()
    return {
        "benchmark": "film_frames",
        "milliseconds": {"median": float(np.median(took)), "95th percentile": float(np.percentile(took, 95))},
        "measured_on": {
            "n_sites": N_SITES,
            "n_points": MOST_PLACES // N_SITES,
            **measured_on(*PACKAGES),
            "processors": os.cpu_count(),
            "load_average": os.getloadavg()[0],
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    chosen = parser.parse_args()
    found = measure()
    print(json.dumps(found, indent=1) if chosen.json else found["milliseconds"])


if __name__ == "__main__":
    main()
