"""The compare page's picture: runs at one site on a frozen map, together or side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.frozen_maps import Overlay
from core.figures.cloud_map import map_axes
from core.figures.hover import hover
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, mark
from core.figures.prompt_trajectories import Panel, PromptTrajectory, comparison_figure
from core.jobs.measure import Measures, frames, tuning_spec
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec, TuningSpec
from core.store import JobFolder, Store, list_jobs
from core.store.prompts import RunPrompts, read_prompts
from pages.widgets.clouds import map_layers, need_vocabulary
from pages.widgets.layout import draw, plain
from pages.widgets.maps import (
    SIZES,
    MapRequest,
    map_choice,
    map_words,
    offer_name,
    overlay_on_map,
    overlay_table,
    weights_of,
)
from pages.widgets.runs import label
from pages.widgets.state import View

SYMBOLS = (("diamond", "x"), ("square", "star"), ("triangle-up", "hexagram"), ("circle", "cross"))
SYMBOLS_3D = (("diamond", "x"), ("square", "circle"), ("diamond-open", "circle-open"), ("square-open", "cross"))
"""Of prior and posterior, run after run; there are fewer in three dimensions."""
NULLS = {"random directions": "random directions", "matched Gaussian": "matched Gaussian", "rows": "tokens themselves"}


@dataclass(frozen=True)
class Chosen:
    """A run with its prompts, and which symbols tell it from the others."""

    job: JobFolder
    spec: TuningSpec
    prompts: RunPrompts
    index: int


@dataclass(frozen=True)
class Look:
    """How runs are drawn.

    Attributes:
        site: where.
        map_request: which map.
        size: what decides how large a vector is drawn, one of `SIZES`.
        multiples: a panel a run.
        arrows: from prior sample to posterior.
        play: with buttons and a slider for the way.
        way: share of the way shown first, in percent.
        nulls: which nulls are laid beside.
    """

    site: int
    map_request: MapRequest
    size: str
    multiples: bool
    arrows: bool
    play: bool
    way: int
    nulls: Sequence[str]


def choose(view: View, store: Store) -> list[Chosen]:
    """Draw the picker of runs and return those that have a prompt to show."""
    jobs = {job.id: job for job in list_jobs(store, "tune")}
    done = [job_id for job_id, job in jobs.items() if job.status().ended]
    names = {job_id: label(jobs[job_id]) for job_id in done}
    picked = view.several("runs", "Runs", done, done[:1], format_func=lambda job_id: names[job_id])
    found = [(jobs[job_id], read_prompts(jobs[job_id])) for job_id in picked]
    return [Chosen(job, tuning_spec(job), prompts, i) for i, (job, prompts) in enumerate(found) if prompts is not None]


def look(view: View, chosen: Sequence[Chosen], store: Store) -> Look:
    """Draw the controls of the picture."""
    sites = sorted({site for run in chosen for site in run.prompts.sites})
    site, arrangement = sites[0], "overlay"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(sites) > 1:
            site = view.choice("site", "Site", sites, sites[0], show=_site_name, width=230)
        map_request = map_choice(view, store, vectors=True)
        if len(chosen) > 1:
            kinds = {"overlay": "Overlaid", "multiples": "Side by side"}
            arrangement = view.segments("arrangement", "Layout", kinds, width="content")
        nulls = view.several("nulls", "Nulls beside them", list(NULLS), [], format_func=NULLS.__getitem__, width=330)
        way = view.number(
            "way", "Share of the way shown", 100, 0, 100, step=5, help="100 is the end of each run.", width=190
        )
        size = view.choice("size", "Size of a vector", list(SIZES), show=SIZES.__getitem__, width=190)
        with st.container(width="content", gap=None):
            arrows = view.switch("arrows", "Arrows from prior to posterior", True)
            play = view.switch("play", "Play the way", False, help="Buttons and a slider below the map.")
    return Look(site, map_request, size, arrangement == "multiples", arrows, play, way, nulls)


def map_spec(site: int, map_request: MapRequest, chosen: Sequence[Chosen]) -> ProjectionSpec:
    """Return the map of a site: the vocabulary's at 0, elsewhere that of the runs' data as it is there."""
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
    view: View, view_look: Look, chosen: Sequence[Chosen], measured: Mapping[str, Measures], store: Store
) -> pd.DataFrame | None:
    """Draw the map and return the coordinates on it; None while the map is not there."""
    site, map_request = view_look.site, view_look.map_request
    here = [run for run in chosen if site in run.prompts.sites]
    if missing := [run.job.id for run in chosen if site not in run.prompts.sites]:
        st.info(f"No prompt at site {site}, so not on this map: {plain(', '.join(missing))}.", icon=":material/info:")
    if site == 0 and not map_request.name and need_vocabulary(chosen[0].spec.model, store) is None:
        return None
    shown = {run.job.id: shown_snapshots(run, map_request) for run in here}
    vectors = {run.job.id: run.prompts.at(site)[shown[run.job.id]] for run in here}
    nulls = {run.job.id: nulls_of(measured.get(run.job.id), site, view_look.nulls) for run in here}
    groups = {run: points.reshape(-1, points.shape[2]) for run, points in vectors.items()}
    groups |= {f"{run}.{name}": points for run, found in nulls.items() for name, points in found.items()}
    laid = overlay_on_map(map_request, map_spec(site, map_request, here), groups, store)
    if laid is None:
        return None
    stored, placed = laid
    background = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    alone = view_look.multiples or len(here) == 1
    ways = []
    for run in here:
        texts = hover_of(run, site, shown[run.job.id], measured.get(run.job.id))
        ways.append(way_of(run, placed[run.job.id], texts, view_look.size, alone))
    beside = [null_layers(run.job.id, nulls[run.job.id], placed) for run in here]
    if view_look.multiples:
        bare = [replace(layer, hover=None) for layer in background]
        panels = [
            Panel(f"{run.spec.prior.kind} · {run.job.id}", [*bare, *layers], [way])
            for run, way, layers in zip(here, ways, beside, strict=True)
        ]
    else:
        panels = [Panel("", [*background, *beside[0]], ways)]
    common = max(len(way.coordinates) for way in ways)
    aligned = [replace(panel, trajectories=[stretch(way, common) for way in panel.trajectories]) for panel in panels]
    figure = comparison_figure(
        aligned,
        map_axes(stored.map),
        round(view_look.way / 100 * (common - 1)),
        frame_labels([run.prompts.steps[shown[run.job.id]] for run in here], common) if view_look.play else (),
        view_look.arrows,
        means=stored.map.method == "pca",
        height=620 if len(panels) == 1 else 440,
        revision=f"{stored.artifact.key}.{view_look.multiples}",
    )
    draw(figure, "compare.map", "Prior samples and posteriors of the runs on the map of the reference cloud")
    st.caption(_caption(stored, view_look, here[0].job.id, store))
    overlay_table(stored, ends_of(here, placed))
    offer_name(view, stored, store)
    tables = [coordinates(run, site, shown[run.job.id], way) for run, way in zip(here, ways, strict=True)]
    return pd.concat(tables, ignore_index=True)


def shown_snapshots(run: Chosen, map_request: MapRequest) -> np.ndarray:
    """Return which snapshots are laid on the map; a joint fit has few vectors, so prior and posterior only."""
    found = frames(len(run.prompts.steps))
    return np.unique(found[[0, -1]]) if map_request.joint else found


def way_of(run: Chosen, placed: Overlay, texts: list[list[str]], size: str, alone: bool) -> PromptTrajectory:
    """Return a run's way on the map, whose vectors are placed snapshot after snapshot."""
    n_frames = len(texts)
    kind = run.spec.prior.kind
    flat_symbols, solid_symbols = SYMBOLS[run.index % len(SYMBOLS)], SYMBOLS_3D[run.index % len(SYMBOLS_3D)]
    role: Any = "xavier" if kind == "xavier" else "prior"
    suffix = "" if alone else f" · {kind} {run.job.id}"
    spots = placed.coordinates.reshape(n_frames, -1, placed.coordinates.shape[1])
    flat = weights_of(size, placed)
    weights = None if flat is None else flat.reshape(n_frames, -1)
    first, last = (None, None) if weights is None else (weights[0], weights[-1])
    start, end = (
        Layer(f"prior{suffix}", spots[0], role, hover=texts[0], weights=first),
        Layer(f"posterior{suffix}", spots[-1], "posterior", weights=last),
    )
    if not run.prompts.begun:
        start = replace(start, coordinates=spots[0][:0], hover=None, weights=None)
    if not alone:
        start = replace(start, mark=replace(mark(role), symbol=flat_symbols[0], symbol_3d=solid_symbols[0]))
        end = replace(end, mark=replace(POSTERIOR, symbol=flat_symbols[1], symbol_3d=solid_symbols[1]))
    return PromptTrajectory(start, end, spots, texts, weights)


def ends_of(chosen: Sequence[Chosen], placed: Mapping[str, Overlay]) -> dict[str, Overlay]:
    """Return where the priors and the posteriors of runs lie, by name."""
    found: dict[str, Overlay] = {}
    for run in chosen:
        every, n_prompt = placed[run.job.id], run.prompts.vectors.shape[2]
        ends = {"prior": slice(0, n_prompt)} if run.prompts.begun else {}
        for what, own in {**ends, "posterior": slice(-n_prompt, None)}.items():
            found[f"{what} · {run.spec.prior.kind} {run.job.id}"] = every.part(own)
    return found


def hover_of(run: Chosen, site: int, shown: np.ndarray, measured: Measures | None) -> list[list[str]]:
    """Return a text a vector for each shown snapshot."""
    words: dict[tuple[int, int], str] = {}
    if measured:
        table = measured.table("trajectory")
        table = table[table["site"] == site]
        words = dict(zip(zip(table["step"], table["vector"], strict=True), table["token"], strict=True))
    found = []
    for step in run.prompts.steps[shown]:
        texts = []
        for i in range(run.prompts.vectors.shape[2]):
            word = words.get((step, i))
            near = "" if word is None else ("nearest token ", word, "")
            texts.append(hover(f"vector {i} · step {step}", near))
        found.append(texts)
    return found


def nulls_of(measured: Measures | None, site: int, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the nulls that were drawn for a run, as far as they are wanted, by name."""
    if measured is None or not wanted:
        return {}
    found = {}
    for key, points in measured.null_points.items():
        where, name = key.split(".", 1)
        if int(where) == site and _null_kind(name) in wanted:
            found[name] = points
    return found


def null_layers(run: str, nulls: Mapping[str, np.ndarray], placed: Mapping[str, Overlay]) -> list[Layer]:
    """Return a run's nulls on the map."""
    return [
        Layer(f"null: {name}", placed[f"{run}.{name}"].coordinates, "dataset", list(NULLS).index(_null_kind(name)))
        for name in nulls
    ]


def _null_kind(name: str) -> str:
    return name if name in NULLS else "rows"


def stretch(way: PromptTrajectory, n: int) -> PromptTrajectory:
    """Return a way with n frames, evenly spread over those it has."""
    index = np.linspace(0, len(way.coordinates) - 1, n).round().astype(int)
    weights = None if way.weights is None else way.weights[index]
    return replace(way, coordinates=way.coordinates[index], hover=[way.hover[i] for i in index], weights=weights)


def frame_labels(steps: Sequence[np.ndarray], n: int) -> list[str]:
    """Return what a slider says of each frame: the step, or the share of the way where runs differ in their steps."""
    if len({tuple(own) for own in steps}) == 1:
        return [f"step {step}" for step in steps[0]]
    return [f"{100 * share:.0f} %" for share in np.linspace(0, 1, n)]


def coordinates(run: Chosen, site: int, shown: np.ndarray, way: PromptTrajectory) -> pd.DataFrame:
    """Return where each vector is on the map along the way, for a download."""
    n_frames, n_prompt, n_dimensions = way.coordinates.shape
    steps = run.prompts.steps[shown]
    frame = pd.DataFrame(
        {
            "run": run.job.id,
            "site": site,
            "step": np.repeat(steps, n_prompt),
            "vector": np.tile(np.arange(n_prompt), n_frames),
        }
    )
    for axis in range(n_dimensions):
        frame[f"component_{axis + 1}"] = way.coordinates[:, :, axis].ravel()
    return frame


def _site_name(site: int) -> str:
    return f"{site} · token embeddings" if site == 0 else f"{site} · entering block {site}"


def _caption(stored: StoredMap, shown: Look, first: str, store: Store) -> str:
    words = [map_words(stored, store)]
    if stored.spec.site != shown.site:
        words.append(f"**The vectors are of site {shown.site}, the map is of site {stored.spec.site}.**")
    if stored.map.method == "pca":
        words.append("Crosses are means.")
    if shown.size != "same":
        words.append(f"Size: {SIZES[shown.size]}.")
    if shown.nulls and not shown.multiples:
        words.append(f"Nulls are those of {plain(first)}.")
    return " ".join([*words, "Hover shows each vector's nearest token."])
