"""The atlas of three data sets at all sites, and its separability null against the plain scikit-learn way.

The activations are captured first, which is not counted. Then every site is measured as the job does it; and at one
site both sides do the same statistics in turn, on the same folds and the same permuted labels: LDA and a logistic probe
by document-grouped cross-validation, and the silhouette, each once and once for every permutation. scikit-learn's side
is a loop of `LinearDiscriminantAnalysis`, `LogisticRegression` (its fastest solver here) and `silhouette_score`.
Processor seconds stand beside the others, since they do not depend on what else a machine does.

    python -m tests.benchmarks.atlas_all_sites --json
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import silhouette_score

from core.activations.capture import capture
from core.activations.clouds import Cloud
from core.analysis.atlas_measures import measure_atlas_site, whitened
from core.analysis.atlas_plan import AtlasPlan, AtlasSettings, plan_atlas
from core.analysis.pca import fit_pca
from core.analysis.probes import balanced, lda_hits, logistic_hits
from core.analysis.separability import pairwise_distances, silhouette
from core.analysis.units import Rows, sum_by_document
from core.commands.atlas import AtlasRequest
from core.jobs.atlas import cloud_names, half_the_cores
from core.store import Store

BUDGET_SECONDS = 600
Work = tuple[Rows, Rows, NDArray[np.float32], AtlasPlan]


def all_sites(clouds: list[Cloud], shared: AtlasPlan) -> dict[str, Any]:
    """Measure every site and return seconds of each."""
    seconds, used = [], time.process_time()
    for i, site in enumerate(clouds[0].sites):
        began = time.perf_counter()
        with half_the_cores():
            measure_atlas_site(
                [cloud.points(site) for cloud in clouds], shared, np.random.default_rng((0, i)), lambda _: None
            )
        seconds.append(time.perf_counter() - began)
        print(f"site {site}: {seconds[-1]:.1f} s", file=sys.stderr)
    return {
        "seconds": sum(seconds),
        "processor_seconds": time.process_time() - used,
        "budget_seconds": BUDGET_SECONDS,
        "median_seconds_a_site": median(seconds),
        "n_sites": len(seconds),
        "n_points": [len(cloud.rows) for cloud in clouds],
        "d_model": clouds[0].info["d_model"],
    }


def work_at(clouds: list[Cloud], site: int | str, shared: AtlasPlan) -> Work:
    """Return scores, near rows and their distances at a site, as both sides take them."""
    points = np.concatenate([cloud.points(site) for cloud in clouds])[shared.rows.order]
    rows = shared.rows.with_points(points)
    near = rows.subset(shared.near)
    return whitened(rows, fit_pca(points, shared.settings.n_components)), near, pairwise_distances(near.points), shared


def ours(work: Work, permuted: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return LDA accuracy, logistic accuracy and silhouette of the true and each permuted labelling."""
    scores, near, between, shared = work
    every = np.concatenate([scores.labels[None], permuted])
    found = [balanced(hits(scores, shared.part, every), scores.sizes, every) for hits in (lda_hits, logistic_hits)]
    tested = silhouette(between, near, permuted[:, np.unique(scores.documents[shared.near])], np.random.default_rng(0))
    return np.array([*found, [tested.found.value, *tested.null]])


def scikit_learns(work: Work, permuted: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the same, a labelling, a fold and a fit at a time; the silhouette with distances inside documents."""
    scores, near, between, shared = work
    present = np.unique(scores.documents[shared.near])
    n_datasets = scores.n_datasets
    found = []
    for labels in (scores.labels, *permuted):
        y = labels[scores.documents]
        probes = (
            LinearDiscriminantAnalysis(priors=[1 / n_datasets] * n_datasets),
            LogisticRegression(solver="newton-cholesky", class_weight="balanced"),
        )
        accuracies = [_cross_validated(probe, scores, y, labels, shared.part) for probe in probes]
        width = silhouette_score(between, labels[present][near.documents], metric="precomputed")
        found.append([*accuracies, float(width)])
    return np.array(found).T


def _cross_validated(probe: Any, rows: Rows, y: NDArray[np.intp], labels: NDArray[np.intp], part: Any) -> float:
    correct = np.zeros(len(y))
    for fold in np.unique(part):
        out = part[rows.documents] == fold
        correct[out] = probe.fit(rows.points[~out], y[~out]).predict(rows.points[out]) == y[out]
    return float(balanced(sum_by_document(correct, rows.documents)[None], rows.sizes, labels[None])[0])


def compare(work: Work, n_permutations: int, repeats: int) -> dict[str, Any]:
    """Let both sides take turns and return medians, their ratio, and how far the accuracies are apart."""
    permuted = work[3].permuted[:n_permutations]
    sides: dict[str, Callable[..., NDArray[np.float64]]] = {"ours": ours, "scikit-learn": scikit_learns}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    values = {}
    for turn in range(repeats):
        for name, side in sides.items():
            began, used = time.perf_counter(), time.process_time()
            with half_the_cores():
                values[name] = side(work, permuted)
            seconds[name].append(time.perf_counter() - began)
            processor[name].append(time.process_time() - used)
            print(f"turn {turn}: {name} {seconds[name][-1]:.1f} s", file=sys.stderr)
    medians = {name: median(times) for name, times in seconds.items()}
    apart = np.abs(values["ours"] - values["scikit-learn"]).max(axis=1)
    return {
        "ratio": medians["scikit-learn"] / medians["ours"],
        "our_seconds": medians["ours"],
        "scikit_learn_seconds": medians["scikit-learn"],
        "processor_ratio": median(processor["scikit-learn"]) / median(processor["ours"]),
        "processor_seconds": {name: median(times) for name, times in processor.items()},
        "n_permutations": n_permutations,
        "largest_lda_difference": float(apart[0]),
        "largest_logistic_difference": float(apart[1]),
    }


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return the whole document."""
    store = Store.default()
    spec = AtlasRequest(model=chosen.model, datasets=chosen.datasets, samples=str(chosen.samples)).spec
    clouds = [capture(cloud, store)[0] for cloud in spec.clouds]
    documents = [np.unique(cloud.rows["group"], return_inverse=True)[1] for cloud in clouds]
    began = time.perf_counter()
    shared = plan_atlas(cloud_names(spec.clouds), documents, AtlasSettings(), np.random.default_rng(0))
    planned = time.perf_counter() - began
    site = clouds[0].sites[len(clouds[0].sites) // 2]
    return {
        "benchmark": "atlas_all_sites",
        **compare(work_at(clouds, site, shared), chosen.permutations, chosen.repeats),
        "ratio_at_site": site,
        **({} if chosen.ratio_only else {"all_sites": {**all_sites(clouds, shared), "plan_seconds": planned}}),
        "measured_on": {
            "model": chosen.model,
            "datasets": chosen.datasets,
            "repeats": chosen.repeats,
            "cores": os.cpu_count(),
            "threads": "half of the cores for matrix products, both sides",
            "load_before": os.getloadavg()[0],
            "machine": platform.machine(),
            "packages": {name: version(name) for name in ("numpy", "scipy", "scikit-learn")},
        },
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--model", default="smollm2-135m", help="name, Hugging Face id or local folder")
    options.add_argument("--datasets", default="squad,news,math", help="as `python -m core atlas` takes them")
    options.add_argument("--samples", type=int, default=200, help="documents of each")
    options.add_argument("--permutations", type=int, default=19, help="of the comparison at one site")
    options.add_argument("--repeats", type=int, default=3, help="turns of the comparison")
    options.add_argument("--ratio-only", action="store_true", help="leave out the run over all sites")
    chosen = options.parse_args()
    document = measure(chosen)
    if chosen.json:
        print(json.dumps(document, indent=1))
        return
    print(
        f"one site, {document['n_permutations']} permutations: scikit-learn {document['scikit_learn_seconds']:.1f} s, "
        f"ours {document['our_seconds']:.1f} s, ratio {document['ratio']:.1f}"
    )
    if "all_sites" in document:
        print(f"{document['all_sites']['n_sites']} sites: {document['all_sites']['seconds']:.0f} s")


if __name__ == "__main__":
    main()
