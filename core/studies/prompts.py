"""Figures 6 to 8 and 10 to 12: prior samples and posteriors of runs on the clouds that they may have come from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from core.activations.clouds import find_cloud, find_vocabulary
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import DATASET_MARKS, POSTERIOR, PRIOR, REFERENCE, XAVIER, Mark
from core.jobs.measure import Measures
from core.jobs.projection import StoredMap, find_map
from core.specs import DatasetSpec, ProjectionSpec
from core.store.prompts import RunPrompts, read_prompts
from core.studies.arms import arms
from core.studies.bench import Bench
from core.studies.figure import Reproduced
from core.studies.picture import AXES, layers_of, points_of

XAVIER_POSTERIOR = replace(XAVIER, symbol="cross-open", symbol_3d="cross")
QUANTITIES = (("displacement", "angle"), ("displacement", "distance"), ("collapse", "cosine"))
"""What the table of a figure tells of each arm, beside loss and place."""


@dataclass(frozen=True)
class Shown:
    """An arm on a picture.

    Attributes:
        arm: its name.
        looks: of prior sample and posterior.
    """

    arm: str
    looks: tuple[Mark, Mark] = (PRIOR, POSTERIOR)


@dataclass(frozen=True)
class Ground:
    """What vectors are shown on.

    Attributes:
        stored: the map.
        points: that it was fitted on, as `points_of` gives them.
        layers: of these points.
        words: what it is, for captions.
    """

    stored: StoredMap
    points: pd.DataFrame
    layers: list[Layer]
    words: str


def isotropic_fast(bench: Bench) -> Reproduced:
    """Reproduce Figure 6.

    Source: Figure 6 and 4.2 of the paper.
    """
    return _figure(bench, vocabulary_ground(bench), [Shown("isotropic")], site=0)


def isotropic_slow(bench: Bench) -> Reproduced:
    """Reproduce Figure 7.

    Source: Figure 7 and 4.2 of the paper.
    """
    return _figure(bench, vocabulary_ground(bench), [Shown("isotropic-slow")], site=0)


def fitted_gaussian(bench: Bench) -> Reproduced:
    """Reproduce Figure 8.

    Source: Figure 8 and 4.2 of the paper.
    """
    return _figure(bench, vocabulary_ground(bench), [Shown("gaussian")], site=0)


def on_token_activations(bench: Bench) -> Reproduced:
    """Reproduce Figure 10.

    Source: Figure 10 and 4.4 of the paper (token-level activations of C4 and SQuAD, rate 0.001).
    Deviation: the trained Xavier vectors, which the paper leaves out because they lie where they began, are drawn too.
    """
    study = bench.spec
    ground = activations_ground(bench, [study.texts, study.questions], site=0)
    return _figure(
        bench, ground, [Shown("activations-gaussian"), Shown("activations-xavier", (XAVIER, XAVIER_POSTERIOR))], site=0
    )


def on_last_layer(bench: Bench) -> Reproduced:
    """Reproduce Figure 11.

    Source: Figure 11 and 4.4 of the paper (last layer activations of C4 and SQuAD, deep prompts).
    Deviation: deep prompts stand at a block's input, so the clouds are what enters the last block.
    """
    study, site = bench.spec, bench.n_layers() - 1
    ground = activations_ground(bench, [study.texts, study.questions], site)
    return _figure(bench, ground, [Shown("deep-gaussian"), Shown("deep-xavier", (XAVIER, XAVIER_POSTERIOR))], site)


def interpolated(bench: Bench) -> Reproduced:
    """Reproduce Figure 12.

    Source: Figure 12 and 4.5 of the paper (last layer, with MATH; Gaussians fitted on MATH and C4 interpolated).
    Deviation: as in Figure 11.
    """
    study, site = bench.spec, bench.n_layers() - 1
    ground = activations_ground(bench, [study.texts, study.questions, study.arithmetic], site)
    return _figure(bench, ground, [Shown("deep-math-interpolation")], site)


def vocabulary_ground(bench: Bench) -> Ground:
    """Return the vocabulary on its principal components."""
    study = bench.spec
    asked = ProjectionSpec(model=study.model, vocabulary=True, n_points=study.n_vocabulary, seed=study.seed)
    stored = bench.made(find_map, "projection", asked)
    cloud = find_vocabulary(study.model, bench.store)
    clouds = {"vocabulary": cloud} if cloud else {}
    points = points_of(stored, clouds)
    words = f"{len(points):,} rows of the vocabulary of {study.model.label}"
    return Ground(stored, points, layers_of(points, {"vocabulary": REFERENCE}), words)


def activations_ground(bench: Bench, datasets: Sequence[DatasetSpec], site: int) -> Ground:
    """Return activations of data sets at a site on their principal components, the first data set grey."""
    study = bench.spec
    specs = tuple(study.cloud(dataset) for dataset in datasets)
    asked = ProjectionSpec(model=study.model, site=site, clouds=specs, n_points=study.rows, seed=study.seed)
    stored = bench.made(find_map, "projection", asked)
    found = {dataset.label: find_cloud(spec, bench.store) for dataset, spec in zip(datasets, specs, strict=True)}
    clouds = {name: cloud for name, cloud in found.items() if cloud}
    points = points_of(stored, clouds)
    looks = dict(zip(clouds, (REFERENCE, *DATASET_MARKS), strict=False))
    where = "token embeddings" if site == 0 else f"activations entering block {site}"
    words = f"{len(points):,} {where} of {study.model.label} on {', '.join(clouds)}"
    return Ground(stored, points, layers_of(points, looks), words)


def _figure(bench: Bench, ground: Ground, shown: Sequence[Shown], site: int) -> Reproduced:
    layers, arrows, tables, rows, off_plane = list(ground.layers), [], [ground.points], [], []
    for one in shown:
        arm = arms(bench.spec)[one.arm]
        runs = bench.runs(one.arm)
        prompts = read_prompts(runs[0])
        assert prompts is not None  # noqa: S101 - the run has succeeded
        pair = _layers(one, arm.title, prompts, site, ground.stored)
        layers += pair
        arrows.append(pair)
        tables += [_table(layer) for layer in pair]
        off_plane.append(np.median(ground.stored.map.overlay(prompts.posterior(site)).off_plane_share))
        rows.append(arm_row(arm.title, bench.measures(runs), site))
    explained = float(ground.stored.map.pca.explained[:2].sum())
    return Reproduced(
        picture=map_figure(layers, map_axes(ground.stored.map), arrows),
        points=pd.concat(tables, ignore_index=True),
        numbers={
            "model": bench.spec.model.label,
            "site": site,
            "runs": [row["runs"] for row in rows],
            "table": [{name: value for name, value in row.items() if name != "runs"} for row in rows],
        },
        caption=(
            f"Principal components of {ground.words}, with prior samples, posteriors and the way between of one run "
            f"(seed 0; in the table means over {len(rows[0]['runs'])}). The axes, fitted on the clouds alone, show "
            f"{explained:.0%} of the clouds' variance, and of the posteriors' squared distance from the clouds' mean "
            f"{', '.join(f'{1 - share:.0%}' for share in off_plane)}."
        ),
    )


def _layers(one: Shown, title: str, prompts: RunPrompts, site: int, stored: StoredMap) -> tuple[Layer, Layer]:
    """Return the prior sample and the posterior of a run on a map."""
    names = (f"{title}: prior sample", f"{title}: posterior")
    layers = [
        Layer(
            name=name,
            coordinates=stored.map.overlay(vectors).coordinates,
            hover=[f"vector {i}" for i in range(len(vectors))],
            mark=look,
        )
        for name, vectors, look in zip(names, (prompts.prior(site), prompts.posterior(site)), one.looks, strict=True)
    ]
    return layers[0], layers[1]


def _table(layer: Layer) -> pd.DataFrame:
    frame = pd.DataFrame(layer.coordinates, columns=list(AXES))
    return frame.assign(cloud=layer.name, row_id=np.arange(len(frame)))


def arm_row(title: str, measured: Sequence[Measures], site: int) -> dict[str, Any]:
    """Return what an arm came to at a site: means over its seeds, and its runs.

    Returns:
        arm, seeds, loss of prior sample and posterior, displacement, collapse, share of vectors inside the 95 % region
        of the run's own data (or the vocabulary), runs.
    """
    at = [next(one for one in found.summary["sites"] if one["site"] == site) for found in measured]
    losses = [found.summary["quality"]["loss"] for found in measured]
    row: dict[str, Any] = {
        "arm": title,
        "seeds": len(measured),
        "loss before": _average([loss.get("prior") for loss in losses]),
        "loss after": _average([loss["value"] for loss in losses]),
    }
    for group, name in QUANTITIES:
        row[name] = _average([one[group][name]["value"] for one in at])
    own = list(at[0]["place"])
    for cloud in own:
        inside = [one["place"].get(cloud, {}).get("inside", {}).get("value") for one in at]
        row[f"inside {cloud}"] = _average(inside)
    return {**row, "runs": [found.summary["run"] for found in measured]}


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
