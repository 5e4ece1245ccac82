"""Figures 6 to 8 and 10 to 12: prior samples and posteriors of runs on clouds of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.activations.clouds import find_cloud, find_vocabulary
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import DATASET_MARKS, POSTERIOR, PRIOR, REFERENCE, XAVIER, Mark
from core.jobs.measure import Measures
from core.jobs.projection import StoredMap, find_map
from core.specs import DatasetSpec, ProjectionSpec
from core.store import JobFolder
from core.store.prompts import RunPrompts, read_prompts
from core.studies.arms import BETWEEN, arms
from core.studies.bench import Bench
from core.studies.figure import Reproduced
from core.studies.picture import AXES, layers_of, points_of

XAVIER_POSTERIOR = replace(XAVIER, symbol="cross-open", symbol_3d="cross")
QUANTITIES = (("displacement", "angle"), ("displacement", "distance"), ("collapse", "cosine"))
"""Quantities in the table of a figure, besides loss and the share of vectors inside the data."""


@dataclass(frozen=True)
class Shown:
    """An arm on a picture.

    Attributes:
        arm: its name.
        marks: of prior sample and posterior.
    """

    arm: str
    marks: tuple[Mark, Mark] = (PRIOR, POSTERIOR)


@dataclass(frozen=True)
class Ground:
    """A map with its points, as the background of a picture.

    Attributes:
        stored: the map.
        points: that it was fitted on, as `points_of` gives them.
        layers: of these points.
        words: its description for captions.
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
    Deviation: the trained Xavier vectors are drawn too; the paper leaves them out because they stay
        where they started.
    """
    study = bench.spec
    ground = activations_ground(bench, [study.texts, study.questions], site=0)
    return _figure(
        bench, ground, [Shown("activations-gaussian"), Shown("activations-xavier", (XAVIER, XAVIER_POSTERIOR))], site=0
    )


def on_last_layer(bench: Bench) -> Reproduced:
    """Reproduce Figure 11.

    Source: Figure 11 and 4.4 of the paper (last layer activations of C4 and SQuAD, deep prompts).
    Deviation: deep prompts are put in at a block's input, so the clouds are what enters the last
        block.
    """
    study, site = bench.spec, bench.n_layers() - 1
    ground = activations_ground(bench, [study.texts, study.questions], site)
    return _figure(bench, ground, [Shown("deep-gaussian"), Shown("deep-xavier", (XAVIER, XAVIER_POSTERIOR))], site)


def interpolated(bench: Bench) -> Reproduced:
    """Reproduce Figure 12.

    Source: Figure 12 and 4.5 of the paper (last layer, with MATH; interpolation between Gaussians
        fitted on MATH and C4).
    Deviation: as in Figure 11.
    """
    study, site = bench.spec, bench.n_layers() - 1
    ground = activations_ground(bench, [study.texts, study.questions, study.arithmetic], site)
    return _figure(bench, ground, [Shown(BETWEEN)], site)


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
    """Return activations of data sets on their principal components, the first one grey."""
    study = bench.spec
    specs = tuple(study.cloud(dataset) for dataset in datasets)
    asked = ProjectionSpec(model=study.model, site=site, clouds=specs, n_points=study.rows, seed=study.seed)
    stored = bench.made(find_map, "projection", asked)
    found = {dataset.label: find_cloud(spec, bench.store) for dataset, spec in zip(datasets, specs, strict=True)}
    clouds = {name: cloud for name, cloud in found.items() if cloud}
    points = points_of(stored, clouds)
    marks = dict(zip(clouds, (REFERENCE, *DATASET_MARKS), strict=False))
    where = "token embeddings" if site == 0 else f"activations entering block {site}"
    words = f"{len(points):,} {where} of {study.model.label} on {', '.join(clouds)}"
    return Ground(stored, points, layers_of(points, marks), words)


def _figure(bench: Bench, ground: Ground, shown: Sequence[Shown], site: int) -> Reproduced:
    layers, arrows, tables, rows, off_plane = list(ground.layers), [], [ground.points], [], []
    runs: list[JobFolder] = []
    names: list[list[str]] = []
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
        names.append([run.id for run in runs])
    explained = float(ground.stored.map.pca.explained[:2].sum())
    return Reproduced(
        picture=map_figure(layers, map_axes(ground.stored.map), arrows),
        points=pd.concat(tables, ignore_index=True),
        numbers={"model": bench.spec.model.label, "site": site, "runs": names, "table": rows},
        caption=(
            f"Principal components of {ground.words}, with prior samples, posteriors and arrows between them for one "
            f"run (seed 0; the table gives means over {len(runs)} runs). The axes are fitted on the clouds "
            f"only. They show {explained:.0%} of the clouds' variance, and of the posteriors' squared distance from "
            f"the clouds' mean {', '.join(f'{1 - share:.0%}' for share in off_plane)}."
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
        for name, vectors, look in zip(names, (prompts.prior(site), prompts.posterior(site)), one.marks, strict=True)
    ]
    return layers[0], layers[1]


def _table(layer: Layer) -> pd.DataFrame:
    frame = pd.DataFrame(layer.coordinates, columns=list(AXES))
    return frame.assign(cloud=layer.name, row_id=np.arange(len(frame)))


def arm_row(title: str, measured: Sequence[Measures], site: int) -> dict[str, object]:
    """Return an arm's row of a table: means over its seeds at a site.

    Returns:
        arm, seeds, loss of prior sample and posterior, displacement, collapse, share of vectors
        inside the 95 % region of the run's own data (or the vocabulary).
    """
    at = [next(one for one in found.summary["sites"] if one["site"] == site) for found in measured]
    losses = [found.summary["quality"]["loss"] for found in measured]
    row: dict[str, object] = {
        "arm": title,
        "seeds": len(measured),
        "loss before": _average([loss.get("prior") for loss in losses]),
        "loss after": _average([loss["value"] for loss in losses]),
    }
    for group, name in QUANTITIES:
        row[name] = _average([one[group][name]["value"] for one in at])
    for cloud in at[0]["place"]:
        inside = [one["place"].get(cloud, {}).get("inside", {}).get("value") for one in at]
        row[f"inside {cloud}"] = _average(inside)
    return row


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
