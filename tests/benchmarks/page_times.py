"""How long each page takes on a store with 20,000 points of SmolLM2's width.

The store is made in a temporary folder through the core: a random Llama of two blocks, d_model 576 and a vocabulary of
SmolLM2's size, 20,000 token activations at each site, both maps, and a short run.

- In Chromium, from `GET` to the page's headline, to its first interactive picture with points in it (none where it has
  no picture) and to the box at its foot: `cold` is the first visit of a fresh server process, `warm` the next visit of
  the same server by another browser session. `since_run` is from `streamlit run` to the picture of the first visit.
  Overview opens on the finished study that came with the program.
- Without a browser: `first` is a page's first visit in a process that has shown the overview, `again` a rerun of it, as
  after each click. `overview` itself is measured as the first page of its process, so its `first` holds the imports.
- A move of Priors' slider (`prior_moves`) and a frame of the layer film (`film_frames`), in milliseconds.

    python -m tests.benchmarks.page_times --json
"""

import argparse
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import numpy as np

from tests.llama import write_llama
from tests.served import served

ROOT = Path(__file__).resolve().parents[2]
FIRST_PICTURE = """
const look = () => {
  const drawn = [...document.querySelectorAll(".js-plotly-plot")].some(figure =>
    figure.querySelector(".main-svg") && figure.calcdata?.some(points => points.length))
  if (drawn) window.firstPicture = performance.now() / 1000
  else requestAnimationFrame(look)
}
requestAnimationFrame(look)
"""
"""Notes when a page's first figure has points, in seconds since the page was asked for."""
N_TEXTS, N_WORDS = 500, 60
N_POINTS = 20_000
D_MODEL = 576
MOVES = 10
PACKAGES = ("streamlit", "plotly", "numpy", "pandas", "pydantic")


def write_model(folder: Path, n_vocabulary: int, d_model: int = D_MODEL) -> None:
    """Write a random Llama of two blocks whose tokenizer knows the words w0, w1, …"""
    words = [f"w{i}" for i in range(n_vocabulary - 3)]
    sizes = {"hidden_size": d_model, "intermediate_size": 8 * d_model // 3, "num_hidden_layers": 2}
    write_llama(folder, words, False, **sizes, num_attention_heads=9, num_key_value_heads=3)


def write_texts(path: Path, n_vocabulary: int, n_texts: int = N_TEXTS, n_words: int = N_WORDS) -> None:
    """Write texts of random words, frequent ones more often."""
    rng = np.random.default_rng(0)
    words = np.minimum(rng.zipf(1.3, (n_texts, n_words)), n_vocabulary - 4)
    path.write_text("\n\n".join(" ".join(f"w{word}" for word in text) for text in words), encoding="utf-8")


def fill_store(root: Path, n_vocabulary: int) -> dict[str, dict[str, str]]:
    """Fill the store under a folder and return case → the address of a page, its name under 'page'."""
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud
    from core.jobs.projection import fit_projection
    from core.progress import silent
    from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec, TuningSpec, parse_prior
    from core.store import Store, create_job
    from core.tuning.run import tune

    write_model(root / "model", n_vocabulary)
    write_texts(root / "texts.txt", n_vocabulary)
    store = Store(root / "cache")
    model = ModelSpec(name=str(root / "model"))
    dataset = DatasetSpec(name="file", path=str(root / "texts.txt"), samples=N_TEXTS)
    vocabulary_cloud(model, store)
    capture(CloudSpec(model=model, dataset=dataset, rows=N_POINTS), store)
    cloud = CloudSpec(model=model, dataset=dataset, sites=(1,), rows=N_POINTS)
    maps = (
        ProjectionSpec(model=model, vocabulary=True, n_components=3),
        ProjectionSpec(model=model, clouds=(cloud,), site=1, n_components=3, n_points=N_POINTS),
    )
    for i, spec in enumerate(maps):
        job = create_job(store, "projection", spec.as_json(), f"p-{i}")
        job.write_result(fit_projection(spec, job, store, silent))
        job.update(state="succeeded")
    tuning = TuningSpec(
        model=model, dataset=dataset, prior=parse_prior("gaussian"), steps=20, n_validation=16, n_generation=0
    )
    run = create_job(store, "tune", tuning.as_json(), "t-0")
    run.write_result(tune(tuning, run, store))
    run.update(state="succeeded", done=tuning.steps, total=tuning.steps)

    shared = {"model": model.name}
    texts = {"data": '["file"]', "path": str(dataset.path), "samples": str(N_TEXTS), "rows": str(N_POINTS), "site": "1"}
    exclusion = '{"kind":"exclusion","c":5}'
    return {
        "overview": {"page": "overview", **shared},
        "story": {"page": "story", "screen": "3"},
        "activations": {"page": "activations", **shared, **texts},
        "activations 3-D by token": {"page": "activations", **shared, **texts, "dimensions": "3", "colour": "token"},
        "priors": {"page": "priors", **shared, "prior": exclusion},
        "tune": {"page": "tune", **shared, "run": run.id},
        "compare": {"page": "compare", **shared, "runs": f'["{run.id}"]'},
        "trajectories": {"page": "trajectories", **shared},
        "findings": {"page": "findings", **shared},
        "system": {"page": "system", **shared},
    }


def visit(address: dict[str, str], reruns: int) -> dict[str, Any]:
    """Open a page in this process and return seconds of the first visit and of each rerun, and what was drawn."""
    from streamlit.testing.v1 import AppTest

    logging.disable(logging.WARNING)  # Streamlit tells each time that there is no browser
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in address.items():
        if name != "page":
            app.query_params[name] = value
    first = _seconds(app.run)
    if address["page"] != "overview":
        app.switch_page(f"pages/{address['page']}.py")
        first = _seconds(app.run)
    again = [_seconds(app.run) for _ in range(reruns)]
    wrong = [str(item.value) for item in (*app.exception, *app.error)]
    if wrong:
        raise SystemExit(f"The page {address['page']!r} shows an error, so its time means nothing: {wrong[0]}")
    charts = [*app.get("plotly_chart"), *app.get("bidi_component")]
    return {"first": first, "again": again, "charts": len(charts)}


def visit_in_browser(address: dict[str, str], cache: Path, pictures: bool) -> dict[str, dict[str, float]]:
    """Serve the app afresh and return seconds to the parts of a page, on the first visit and on the next.

    Where the page has `pictures`, the first one is among the parts.
    """
    from playwright.sync_api import sync_playwright

    title, seen = address["page"].capitalize(), {}
    path = "" if address["page"] == "overview" else address["page"]
    query = urlencode({name: value for name, value in address.items() if name != "page"})
    with sync_playwright() as driver, ExitStack() as running:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        started = time.perf_counter()
        url = running.enter_context(served(ROOT / "app.py", cache, cache.parent / "server.log"))
        for visited in ("cold", "warm"):
            page = browser.new_context().new_page()
            page.add_init_script(FIRST_PICTURE)
            began = time.perf_counter()
            page.goto(f"{url}/{path}?{query}")
            page.get_by_role("heading", name=title, exact=True).wait_for(timeout=120_000)
            headline = time.perf_counter() - began
            page.get_by_text("Cite this view").wait_for(timeout=120_000)
            seen[visited] = {"headline": headline, "foot": time.perf_counter() - began}
            if pictures:
                page.wait_for_function("() => window.firstPicture", timeout=120_000)
                seen[visited]["picture"] = page.evaluate("window.firstPicture")
                if visited == "cold":
                    seen[visited]["since_run"] = began - started + seen[visited]["picture"]
            page.context.close()
        browser.close()
    return seen


def _seconds(do: Any) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def visit_apart(address: dict[str, str], reruns: int, cache: Path) -> dict[str, Any]:
    """Do `visit` in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.page_times", "--visit", json.dumps(address)]
    told = subprocess.run(
        [*command, "--reruns", str(reruns)],
        cwd=ROOT,
        env={**os.environ, "PRIORSCOPE_CACHE": str(cache), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(told.stdout.splitlines()[-1])


def measure(n_vocabulary: int, repeats: int, reruns: int) -> dict[str, Any]:
    """Return the whole document."""
    from tests.benchmarks import film_frames, prior_moves  # which use what is here

    with tempfile.TemporaryDirectory(prefix="page-times-") as folder:
        addresses = fill_store(Path(folder), n_vocabulary)
        cases, cache = [], Path(folder) / "cache"
        for name, address in addresses.items():
            visits = [visit_apart(address, reruns, cache) for _ in range(repeats)]
            browsed = [visit_in_browser(address, cache, visits[0]["charts"] > 0) for _ in range(repeats)]
            cases.append(
                {
                    "name": name,
                    "first_seconds": median(seen["first"] for seen in visits),
                    "again_seconds": median(seconds for seen in visits for seconds in seen["again"]),
                    **{
                        f"{visited}_{part}_seconds": median(one[visited][part] for one in browsed)
                        for visited in ("cold", "warm")
                        for part in browsed[0][visited]
                    },
                    "charts": visits[0]["charts"],
                }
            )
        moved = prior_moves.measure(addresses["priors"], cache, MOVES)
    return {
        "benchmark": "page_times",
        "cases": cases,
        "moves": [
            {"what": "Priors, a move of a slider", **moved},
            {"what": "layer film, a frame", "picture": film_frames.measure()["milliseconds"]["median"]},
        ],
        "measured_on": {
            "n_points": N_POINTS,
            "d_model": D_MODEL,
            "n_vocabulary": n_vocabulary,
            "repeats": repeats,
            "reruns": reruns,
            **measured_on(*PACKAGES),
            "processors": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "python": platform.python_version(),
        },
    }


def measured_on(*packages: str) -> dict[str, Any]:
    return {"machine": platform.machine(), "packages": {name: version(name) for name in packages}}


def options_of(description: str | None) -> argparse.ArgumentParser:
    """Return the options that benchmarks on this store share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument("--vocabulary", type=int, default=49_152, help="tokens of the model; SmolLM2 has 49,152")
    return parser


def main() -> None:
    """Measure and print."""
    parser = options_of(__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="processes a page")
    parser.add_argument("--reruns", type=int, default=5, help="reruns in each of them")
    parser.add_argument("--visit", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.visit:
        print(json.dumps(visit(json.loads(chosen.visit), chosen.reruns)))
        return
    document = measure(chosen.vocabulary, chosen.repeats, chosen.reruns)
    if chosen.json:
        print(json.dumps(document, indent=1))
        return
    for case in document["cases"]:
        named = {name: seconds for name, seconds in case.items() if name.endswith("_seconds")}
        times = ", ".join(f"{name[:-8].replace('_', ' ')} {seconds:.2f} s" for name, seconds in named.items())
        print(f"{case['name']:>26}: {times}")


if __name__ == "__main__":
    main()
