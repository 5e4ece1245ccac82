"""The Compare page's picture: runs at one site on a frozen map, overlaid or side by side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.analysis.frozen_maps import Overlay
from core.figures.cloud_map import map_axes
from core.figures.layer import Layer
from core.figures.prompt_trajectories import Panel, comparison_figure
from core.jobs.measure import Measures, frames, tuning_spec
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec
from core.store import Store, list_jobs
from core.store.prompts import read_prompts
from pages.compare_parts.trajectories import (
    ChosenRun,
    coordinates,
    ends_of,
    frame_labels,
    hover_of,
    labels_of,
    stretch,
    trajectory_of,
)
from pages.maps.choice import SIZES, MapRequest, map_choice, map_words, offer_name, overlay_on_map, overlay_table
from pages.maps.clouds import map_layers, need_vocabulary
from pages.maps.vector_labels import labelled_vectors
from pages.maps.words import write_words
from pages.widgets.choices import site_name
from pages.widgets.layout import errors, plain, redraw
from pages.widgets.runs import label
from pages.widgets.state import View

ROWS = "rows"
NULLS = {"random directions": "random directions", "matched Gaussian": "matched Gaussian", ROWS: "tokens themselves"}


@dataclass(frozen=True)
class PictureSettings:
    """How runs are drawn.

    Attributes:
        site: whose prompts are drawn.
        map_request: on which map.
        size: what decides how large a vector is drawn, one of `SIZES`.
        multiples: whether each run has a panel of its own.
        arrows: whether arrows lead from the prior sample to the posterior.
        play: whether buttons and a slider play the trajectories.
        position: on the trajectory that is shown first, in percent.
        nulls: kinds of null samples to overlay.
        labelled: vectors that have their nearest token beside them.
    """

    site: int
    map_request: MapRequest
    size: str
    multiples: bool
    arrows: bool
    play: bool
    position: int
    nulls: Sequence[str]
    labelled: Collection[int]


def choose(view: View, store: Store) -> list[ChosenRun]:
    """Draw the picker of runs and return those that have a prompt to show."""
    jobs = {job.id: job for job in list_jobs(store, "tune")}
    states = {job_id: job.status() for job_id, job in jobs.items()}
    done = [job_id for job_id, status in states.items() if status.ended and status.state != "damaged"]
    names = {job_id: label(jobs[job_id]) for job_id in done}
    picked = view.several("runs", "Runs", done, done[:1], format_func=lambda job_id: names[job_id])
    found = []
    for job_id in picked:
        with errors():
            found.append((jobs[job_id], read_prompts(jobs[job_id])))
    return [ChosenRun(job, tuning_spec(job), prompts, i) for i, (job, prompts) in enumerate(found) if prompts]


def picture_controls(view: View, chosen: Sequence[ChosenRun], store: Store) -> PictureSettings:
    """Draw the controls of the picture."""
    sites = sorted({site for run in chosen for site in run.prompts.sites})
    site, arrangement = sites[0], "overlay"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(sites) > 1:
            site = view.choice("site", "Site", sites, sites[0], show=site_name, width=230)
        map_request = map_choice(view, store, vectors=True)
        if len(chosen) > 1:
            kinds = {"overlay": "Overlaid", "multiples": "Side by side"}
            arrangement = view.segments("arrangement", "Layout", kinds, width="content")
        nulls = view.several("nulls", "Null samples", list(NULLS), [], format_func=NULLS.__getitem__, width=330)
        n_prompt = max(run.prompts.vectors.shape[2] for run in chosen)
        labelled = labelled_vectors(view, n_prompt)
        position = view.number(
            "way", "Trajectory position (%)", 100, 0, 100, step=5, help="0: prior sample; 100: posterior.", width=190
        )
        size = view.choice("size", "Vector size", list(SIZES), show=SIZES.__getitem__, width=190)
        with st.container(width="content", gap=None):
            arrows = view.switch("arrows", "Arrows from prior to posterior", True)
            play = view.switch("play", "Play trajectory", False, help="Adds buttons and a slider below the map.")
    return PictureSettings(site, map_request, size, arrangement == "multiples", arrows, play, position, nulls, labelled)


def map_spec(site: int, map_request: MapRequest, chosen: Sequence[ChosenRun]) -> ProjectionSpec:
    """Return the map of a site: of the vocabulary at site 0, elsewhere of the runs' data."""
    model = chosen[0].spec.model
    if site == 0:
        return ProjectionSpec.parse({"model": model, "vocabulary": True, **map_request.settings})
    sites: dict[str, set[int]] = {}
    specs = {}
    for run in chosen:
        key = run.spec.dataset.canonical_json()
        specs[key] = run.spec
        sites.setdefault(key, set()).update(run.prompts.sites)
    clouds = tuple(specs[key].activations(*sorted(found)) for key, found in sites.items())
    return ProjectionSpec.parse({"model": model, "site": site, "clouds": clouds, **map_request.settings})


def picture(
    view: View, settings: PictureSettings, chosen: Sequence[ChosenRun], measured: Mapping[str, Measures], store: Store
) -> pd.DataFrame | None:
    """Draw the map and return the coordinates on it; None while the map is not in the store."""
    site, map_request = settings.site, settings.map_request
    here = [run for run in chosen if site in run.prompts.sites]
    if missing := [run.job.id for run in chosen if site not in run.prompts.sites]:
        st.info(
            f"Not on this map, because they have no prompt at site {site}: {plain(', '.join(missing))}.",
            icon=":material/info:",
        )
    if site == 0 and not map_request.name and need_vocabulary(chosen[0].spec.model, store) is None:
        return None
    shown = {run.job.id: shown_snapshots(run, map_request) for run in here}
    vectors = {run.job.id: run.prompts.at(site)[shown[run.job.id]] for run in here}
    nulls = {run.job.id: nulls_of(measured.get(run.job.id), site, settings.nulls) for run in here}
    groups = {run: points.reshape(-1, points.shape[2]) for run, points in vectors.items()}
    groups |= {f"{run}.{name}": points for run, found in nulls.items() for name, points in found.items()}
    laid = overlay_on_map(map_request, map_spec(site, map_request, here), groups, store)
    if laid is None:
        return None
    stored, placed = laid
    background = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    alone = settings.multiples or len(here) == 1
    texts = [hover_of(run, site, shown[run.job.id], measured.get(run.job.id)) for run in here]
    labels = [labels_of(run, site, shown[run.job.id], measured.get(run.job.id), settings.labelled) for run in here]
    trajectories = [
        trajectory_of(run, placed[run.job.id], own, words, settings.size, alone)
        for run, own, words in zip(here, texts, labels, strict=True)
    ]
    n_frames = max(len(one.coordinates) for one in trajectories)
    stretched = [stretch(one, n_frames) for one in trajectories]
    null_layers = [[_null_layer(name, placed[f"{run.job.id}.{name}"]) for name in nulls[run.job.id]] for run in here]
    if settings.multiples:
        bare = [replace(layer, hover=None) for layer in background]
        panels = [
            Panel(f"{run.spec.prior.kind} · {run.job.id}", [*bare, *layers], [trajectory])
            for run, trajectory, layers in zip(here, stretched, null_layers, strict=True)
        ]
    else:
        panels = [Panel("", [*background, *null_layers[0]], stretched)]
    figure = comparison_figure(
        panels,
        map_axes(stored.map),
        round(settings.position / 100 * (n_frames - 1)),
        frame_labels([run.prompts.steps[shown[run.job.id]] for run in here], n_frames) if settings.play else (),
        settings.arrows,
        means=stored.map.method == "pca",
        height=620 if len(panels) == 1 else 440,
        revision=f"{stored.artifact.key}.{settings.multiples}",
    )
    if len(panels) == 1:
        write_words(view, figure, stored, background, [one.coordinates for one in placed.values()], store)
    redraw(figure, "compare.map", "Map of the reference with each run's prior sample and posterior.")
    st.caption(_caption(stored, settings, here[0].job.id, store))
    overlay_table(stored, ends_of(here, placed))
    offer_name(view, stored, store)
    tables = [coordinates(run, site, shown[run.job.id], one) for run, one in zip(here, trajectories, strict=True)]
    return pd.concat(tables, ignore_index=True)


def shown_snapshots(run: ChosenRun, map_request: MapRequest) -> NDArray[np.intp]:
    """Return which snapshots are drawn: on a joint fit only prior and posterior, as few points."""
    found = frames(len(run.prompts.steps))
    return np.unique(found[[0, -1]]) if map_request.joint else found


def nulls_of(measured: Measures | None, site: int, wanted: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the null samples of some kinds that were drawn for a run at a site, by name."""
    if measured is None or not wanted:
        return {}
    found = {tuple(key.split(".", 1)): points for key, points in measured.null_points.items()}
    return {name: points for (at, name), points in found.items() if at == str(site) and _null_kind(name) in wanted}


def _null_layer(name: str, placed: Overlay) -> Layer:
    return Layer(f"null: {name}", placed.coordinates, "dataset", list(NULLS).index(_null_kind(name)))


def _null_kind(name: str) -> str:
    return name if name in NULLS else ROWS


def _caption(stored: StoredMap, settings: PictureSettings, first: str, store: Store) -> str:
    words = [map_words(stored, store)]
    if stored.spec.site != settings.site:
        words.append(f"**The vectors come from site {settings.site}, the map from site {stored.spec.site}.**")
    if stored.map.method == "pca":
        words.append("Crosses are means.")
    if settings.size != "same":
        words.append(f"Size: {SIZES[settings.size]}.")
    if settings.nulls and not settings.multiples:
        words.append(f"The null samples are those of {plain(first)}.")
    return " ".join([*words, "Hover over a vector to see its nearest token."])
