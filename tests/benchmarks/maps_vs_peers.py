"""Maps of points: our PCA and t-SNE against scikit-learn's, with UMAP's time beside.

The points are a mixture of Gaussians of SmolLM2's width. PCA keeps 50 components, and every other map reads these. Both
t-SNE have perplexity 30 and 750 iterations; ours is openTSNE in one thread, so that a seed gives one map, where
scikit-learn takes all threads. UMAP runs with its own settings, in one thread as well when it has a seed. How much a
map is worth is said by `kept_neighbours`: of a sample of points, the share of the ten nearest neighbours among the
components that are among the ten nearest on the map.

Of 100,000 points these take minutes, and scikit-learn's t-SNE longer: `--slow` measures them as well.

    python -m tests.benchmarks.maps_vs_peers --json
"""

import importlib
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from core.analysis.pca import KEPT_COMPONENTS, fit_pca
from core.analysis.tsne import fit_tsne
from core.array_types import Float32s
from core.specs import ProjectionSpec
from tests.benchmarks.sides import installed, machine, parser, show

WIDTH, CENTRES = 576, 20
SLOW_FROM = 50_000
NEIGHBOURS, SAMPLE = 10, 1000
Fit = Callable[[Float32s], Float32s]


def make_points(n: int) -> Float32s:
    """Return n points (n, WIDTH) around a few centres, wider along some axes than along others."""
    rng = np.random.default_rng(0)
    scales = np.linspace(2, 0.1, WIDTH)
    centres = rng.normal(0, 2, (CENTRES, WIDTH)) * scales
    drawn = centres[rng.integers(CENTRES, size=n)] + rng.normal(0, 1, (n, WIDTH)) * scales
    return drawn.astype(np.float32)


def our_tsne(scores: Float32s) -> Float32s:
    """Fit as the app does with its default settings."""
    return fit_tsne(scores, ProjectionSpec(method="tsne", vocabulary=True)).coordinates


def scikit_tsne(scores: Float32s) -> Float32s:
    """Fit scikit-learn's, for as many iterations."""
    return TSNE(max_iter=750, random_state=0, n_jobs=-1).fit_transform(scores)


def umap(scores: Float32s) -> Float32s:
    """Fit UMAP with its own settings and a seed."""
    fitter: Any = importlib.import_module("umap").UMAP(random_state=0, n_jobs=1)
    return fitter.fit_transform(scores)


def kept_neighbours(scores: Float32s, drawn: Float32s) -> float:
    """Return the share of nearest neighbours that a map keeps."""
    chosen = np.random.default_rng(0).choice(len(scores), min(SAMPLE, len(scores)), replace=False)
    near = [
        NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(points).kneighbors(points[chosen], return_distance=False)
        for points in (scores, drawn)
    ]
    return float(np.mean([len(set(a) & set(b)) - 1 for a, b in zip(*near, strict=True)]) / NEIGHBOURS)


def timed(fit: Fit, points: Float32s) -> tuple[float, Float32s]:
    """Return seconds of a fit, and what it gave."""
    began = time.perf_counter()
    drawn = fit(points)
    return time.perf_counter() - began, drawn


def compare_pca(points: Float32s, repeats: int) -> list[dict[str, Any]]:
    """Return a case per side; they take turns."""
    sides: dict[str, Fit] = {
        "ours": lambda given: fit_pca(given).transform(given, 2),
        "scikit-learn": lambda given: PCA(KEPT_COMPONENTS).fit(given).transform(given)[:, :2],
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, fit in sides.items():
            seconds[name].append(timed(fit, points)[0])
    return [_case("PCA", name, len(points), median(own), None) for name, own in seconds.items()]


def compare_maps(points: Float32s) -> list[dict[str, Any]]:
    """Return a case per map that reads components; each is fitted once."""
    scores = fit_pca(points).transform(points)
    maps: dict[tuple[str, str], Fit] = {("t-SNE", "ours"): our_tsne, ("t-SNE", "scikit-learn"): scikit_tsne}
    if installed("umap-learn"):
        umap(scores[:200])  # compiles
        maps["UMAP", "umap-learn"] = umap
    cases = []
    for (method, side), fit in maps.items():
        seconds, drawn = timed(fit, scores)
        print(f"{len(points)} points, {method} {side}: {seconds:.1f} s", file=sys.stderr)
        cases.append(_case(method, side, len(points), seconds, kept_neighbours(scores, drawn)))
    return cases


def _case(method: str, side: str, n: int, seconds: float, kept: float | None) -> dict[str, Any]:
    return {"map": method, "side": side, "points": n, "seconds": seconds, "kept_neighbours": kept}


def measure(asked: Namespace) -> dict[str, Any]:
    """Return the whole document."""
    cases = []
    for n in asked.points:
        points = make_points(n)
        cases += compare_pca(points, asked.repeats)
        if n < SLOW_FROM or asked.slow:
            cases += compare_maps(points)
    ours = {(case["map"], case["points"]): case["seconds"] for case in cases if case["side"] == "ours"}
    for case in cases:
        reference = ours.get((case["map"], case["points"])) or ours["t-SNE", case["points"]]
        case["our_ratio"] = case["seconds"] / reference
    return {"benchmark": "maps_vs_peers", "cases": cases, "measured_on": {**machine(), "repeats": asked.repeats}}


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.set_defaults(repeats=2)
    options.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--slow", action="store_true", help="every map at every size")
    asked = options.parse_args()
    document = measure(asked)
    lines = [
        "{points:>7} {map:>6} {side:>13}: {seconds:.1f} s, {our_ratio:.2f} x ours".format(**case)
        for case in document["cases"]
    ]
    show(document, asked.json, lines)


if __name__ == "__main__":
    main()
