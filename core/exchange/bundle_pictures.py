"""What a bundle shows without this program: coordinates of a run's vectors on maps, and pages."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from core.errors import BadRequest
from core.figures.cloud_map import map_figure, pca_axes
from core.figures.layer import Layer
from core.figures.page import CODE, page
from core.figures.training import loss_figure
from core.jobs.measure import frames
from core.jobs.projection import StoredMap, find_map
from core.specs import ProjectionSpec, TuningSpec
from core.store import JobFolder, Store
from core.store.losses import read_losses
from core.store.prompts import RunPrompts, read_prompts


@dataclass(frozen=True)
class OnMap:
    """A run's prompt on a map.

    Attributes:
        stored: the map.
        begun: whether the first snapshot is the initial prompt.
        spots: (n_snapshots, n_prompt, n_components) coordinates of the vectors.
        table: the same as rows, with descriptions.
    """

    stored: StoredMap
    begun: bool
    spots: NDArray[np.float32]
    table: pd.DataFrame


def coordinates(run: JobFolder, spec: TuningSpec, store: Store) -> dict[str, OnMap]:
    """Return a run's prompt on the frozen maps of principal components in the store, by site.

    These are the maps on which pages show a run: the vocabulary's at site 0, elsewhere that of the
    run's own data.
    """
    prompts = read_prompts(run)
    assert prompts is not None  # noqa: S101 - there is a posterior
    found = {}
    for site in prompts.sites:
        stored = _map_of(spec, prompts, site, store)
        if stored is not None:
            found[f"site-{site}"] = _on_map(run, prompts, site, stored)
    return found


def pictures(run: JobFolder, spec: TuningSpec, placed: Mapping[str, OnMap]) -> dict[str, str]:
    """Return pages by file name, with the script that they share."""
    losses = read_losses(run)
    pages = {}
    if len(losses.steps):
        drawn = loss_figure(
            losses.steps, losses.losses, losses.evaluation_steps, losses.evaluation_losses, losses.baselines, spec.steps
        )
        pages[f"{run.id}-loss.html"] = page(drawn, f"Loss of {run.id}", _about(spec), alone=False)
    for name, found in placed.items():
        title, caption = f"Prompt of {run.id} at {name.replace('-', ' ')}", f"{_about(spec)} {_map_words(found)}"
        pages[f"{run.id}-{name}.html"] = page(_picture(found), title, caption, alone=False)
    return {**pages, CODE: get_plotlyjs()} if pages else {}


def _map_of(spec: TuningSpec, prompts: RunPrompts, site: int, store: Store) -> StoredMap | None:
    """Return the map of a site, or None if there is none or its texts are gone."""
    where = {"vocabulary": True} if site == 0 else {"clouds": (spec.activations(*prompts.sites),)}
    try:
        return find_map(ProjectionSpec.parse({"model": spec.model, "site": site, "n_components": 3, **where}), store)
    except BadRequest:
        return None


def _on_map(run: JobFolder, prompts: RunPrompts, site: int, stored: StoredMap) -> OnMap:
    shown = frames(len(prompts.steps))
    vectors = prompts.at(site)[shown]
    n_prompt = vectors.shape[1]
    placed = stored.map.overlay(vectors.reshape(-1, vectors.shape[2]))
    frame = pd.DataFrame(
        {
            "run": run.id,
            "site": site,
            "step": np.repeat(prompts.steps[shown], n_prompt),
            "vector": np.tile(np.arange(n_prompt), len(shown)),
            "map": stored.artifact.key,
            **{f"component_{k + 1}": column for k, column in enumerate(placed.coordinates.T)},
            "off_plane_share": placed.off_plane_share,
        }
    )
    return OnMap(stored, prompts.begun, placed.coordinates.reshape(len(shown), n_prompt, -1), frame)


def _picture(found: OnMap):
    """Return the prompt on the first two components, with their reference in grey."""
    grey = Layer(f"reference ({len(found.stored.reference):,})", found.stored.map.coordinates[:, :2])
    names = [f"vector {i}" for i in range(found.spots.shape[1])]
    end = Layer("posterior", found.spots[-1][:, :2], "posterior", hover=names)
    axes = pca_axes(found.stored.map.pca.explained, 2)
    if not found.begun:
        return map_figure([grey, end], axes)
    start = Layer("prior", found.spots[0][:, :2], "prior", hover=names)
    return map_figure([grey, start, end], axes, [(start, end)])


def _about(spec: TuningSpec) -> str:
    return (
        f"{spec.method.capitalize()} prompt of {spec.n_prompt} vectors, prior {spec.prior.kind}, {spec.dataset.label}, "
        f"learning rate {spec.learning_rate:g}, {spec.steps} steps, seed {spec.seed}."
    )


def _map_words(found: OnMap) -> str:
    info = found.stored.artifact.info
    return (
        f"Principal components of {info['n_points']:,} of {info['n_available']:,} points, seed {info['seed']}, frozen; "
        f"in the median {found.table['off_plane_share'].median():.0%} of a vector's squared distance from the mean "
        "lies off what is drawn in three of them."
    )
