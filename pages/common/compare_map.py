"""The compare page's picture: runs at one site on a frozen map, together or side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.engine.measure import Measures, frames, tuning_spec
from core.engine.projection import StoredMap
from core.figures.clouds import Layer
from core.figures.comparison import Panel, Way, comparison_figure
from core.figures.palette import POSTERIOR, mark
from core.figures.text import token
from core.specs import ProjectionSpec, TuningSpec
from core.store import JobFolder, Store, list_jobs
from core.store.prompts import RunPrompts, read_prompts
from pages.common.choices import short_name
from pages.common.clouds import axes, map_layers, need_map, need_vocabulary
from pages.common.layout import draw, plain
from pages.common.runs import label
from pages.common.state import View

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
        dimensions: 2 or 3.
        multiples: a panel a run.
        arrows: from prior sample to posterior.
        play: with buttons and a slider for the way.
        way: share of the way shown first, in percent.
        nulls: which nulls are laid beside.
    """

    site: int
    dimensions: int
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


def look(view: View, chosen: Sequence[Chosen]) -> Look:
    """Draw the controls of the picture."""
    sites = sorted({site for run in chosen for site in run.prompts.sites})
    site, arrangement = sites[0], "overlay"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(sites) > 1:
            site = view.choice("site", "Site", sites, sites[0], show=_site_name, width=230)
        dimensions = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"}, width="content")
        if len(chosen) > 1:
            kinds = {"overlay": "Overlaid", "multiples": "Side by side"}
            arrangement = view.segments("arrangement", "Layout", kinds, width="content")
        nulls = view.several("nulls", "Nulls beside them", list(NULLS), [], format_func=NULLS.__getitem__, width=330)
        way = view.number(
            "way", "Share of the way shown", 100, 0, 100, step=5, help="100 is the end of each run.", width=190
        )
        with st.container(width="content", gap=None):
            arrows = view.switch("arrows", "Arrows from prior to posterior", True)
            play = view.switch("play", "Play the way", False, help="Buttons and a slider below the map.")
    return Look(site, dimensions, arrangement == "multiples", arrows, play, way, nulls)


def map_spec(site: int, dimensions: int, chosen: Sequence[Chosen]) -> ProjectionSpec:
    """Return the map of a site: the vocabulary's at 0, elsewhere that of the runs' data as it is there."""
    model = chosen[0].spec.model
    if site == 0:
        return ProjectionSpec.parse({"model": model, "vocabulary": True, "n_components": dimensions})
    sites: dict[str, set[int]] = {}
    specs = {}
    for run in chosen:
        key = run.spec.dataset.canonical_json()
        specs[key] = run.spec
        sites.setdefault(key, set()).update(run.prompts.sites)
    clouds = tuple(specs[key].activations(*sorted(found)) for key, found in sites.items())
    return ProjectionSpec.parse({"model": model, "site": site, "clouds": clouds, "n_components": dimensions})


def picture(
    view_look: Look, chosen: Sequence[Chosen], measured: Mapping[str, Measures], store: Store
) -> pd.DataFrame | None:
    """Draw the map and return the coordinates on it; None while the map is not there."""
    site = view_look.site
    here = [run for run in chosen if site in run.prompts.sites]
    if missing := [run.job.id for run in chosen if site not in run.prompts.sites]:
        st.info(f"No prompt at site {site}, so not on this map: {plain(', '.join(missing))}.", icon=":material/info:")
    if site == 0 and need_vocabulary(chosen[0].spec.model, store) is None:
        return None
    spec = map_spec(site, view_look.dimensions, here)
    stored = need_map(spec, store)
    if stored is None:
        return None
    background = map_layers(store.root, spec.canonical_json(), stored.artifact.key, "dataset", True)
    alone = view_look.multiples or len(here) == 1
    ways = [way_of(run, site, stored, measured.get(run.job.id), alone) for run in here]
    nulls = [null_layers(measured.get(run.job.id), site, stored, view_look.nulls) for run in here]
    if view_look.multiples:
        bare = [replace(layer, hover=None) for layer in background]
        panels = [
            Panel(f"{run.spec.prior.kind} · {run.job.id}", [*bare, *beside], [way])
            for run, way, beside in zip(here, ways, nulls, strict=True)
        ]
    else:
        panels = [Panel("", [*background, *nulls[0]], ways)]
    common = max(len(way.coordinates) for way in ways)
    aligned = [replace(panel, ways=[stretch(way, common) for way in panel.ways]) for panel in panels]
    figure = comparison_figure(
        aligned,
        axes(stored),
        round(view_look.way / 100 * (common - 1)),
        frame_labels(here, common) if view_look.play else (),
        view_look.arrows,
        height=620 if len(panels) == 1 else 440,
        revision=f"{stored.artifact.key}.{view_look.multiples}",
    )
    draw(figure, key="compare.map")
    st.caption(_caption(stored, spec, bool(view_look.nulls) and not view_look.multiples, here[0].job.id))
    return pd.concat([coordinates(run, site, way) for run, way in zip(here, ways, strict=True)], ignore_index=True)


def way_of(run: Chosen, site: int, stored: StoredMap, measured: Measures | None, alone: bool) -> Way:
    """Return a run's way on the map; hover names the nearest tokens once they are measured."""
    shown = frames(len(run.prompts.steps))
    vectors = run.prompts.at(site)[shown]
    flat = stored.map.place(vectors.reshape(-1, vectors.shape[2])).coordinates
    kind = run.spec.prior.kind
    flat_symbols, solid_symbols = SYMBOLS[run.index % len(SYMBOLS)], SYMBOLS_3D[run.index % len(SYMBOLS_3D)]
    role: Any = "xavier" if kind == "xavier" else "prior"
    suffix = "" if alone else f" · {kind} {run.job.id}"
    spots = flat.reshape(*vectors.shape[:2], -1)
    hover = hover_of(run, site, shown, measured)
    start, end = (
        Layer(f"prior{suffix}", spots[0], role, hover=hover[0]),
        Layer(f"posterior{suffix}", spots[-1], "posterior"),
    )
    if not alone:
        start = replace(start, mark=replace(mark(role), symbol=flat_symbols[0], symbol_3d=solid_symbols[0]))
        end = replace(end, mark=replace(POSTERIOR, symbol=flat_symbols[1], symbol_3d=solid_symbols[1]))
    return Way(start, end, spots, hover)


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
            near = f"<br>nearest token <b>{token(word)}</b>" if word is not None else ""
            texts.append(f"vector {i} · step {step}{near}")
        found.append(texts)
    return found


def null_layers(measured: Measures | None, site: int, stored: StoredMap, wanted: Sequence[str]) -> list[Layer]:
    """Return the nulls that were drawn for a run, as far as they are wanted."""
    if measured is None or not wanted:
        return []
    layers = []
    for key, points in measured.null_points.items():
        where, name = key.split(".", 1)
        known = name if name in NULLS else "rows"
        if int(where) == site and known in wanted:
            spots = stored.map.place(points).coordinates
            layers.append(Layer(f"null: {name}", spots, "dataset", list(NULLS).index(known)))
    return layers


def stretch(way: Way, n: int) -> Way:
    """Return a way with n frames, evenly spread over those it has."""
    index = np.linspace(0, len(way.coordinates) - 1, n).round().astype(int)
    return replace(way, coordinates=way.coordinates[index], hover=[way.hover[i] for i in index])


def frame_labels(chosen: Sequence[Chosen], n: int) -> list[str]:
    """Return what a slider says of each frame: the step, or the share of the way where runs differ in their steps."""
    steps = [tuple(run.prompts.steps[frames(len(run.prompts.steps))]) for run in chosen]
    if len(set(steps)) == 1:
        return [f"step {step}" for step in steps[0]]
    return [f"{100 * share:.0f} %" for share in np.linspace(0, 1, n)]


def coordinates(run: Chosen, site: int, way: Way) -> pd.DataFrame:
    """Return where each vector is on the map along the way, for a download."""
    n_frames, n_prompt, n_dimensions = way.coordinates.shape
    steps = run.prompts.steps[frames(len(run.prompts.steps))]
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


def _caption(stored: StoredMap, spec: ProjectionSpec, nulls: bool, first: str) -> str:
    info = stored.artifact.info
    what = "vocabulary rows" if spec.vocabulary else f"tokens of the runs' data at site {spec.site}"
    of_nulls = f" Nulls are those of {plain(first)}." if nulls else ""
    return (
        f"Axes: principal components of {info['n_points']:,} of {info['n_available']:,} {what} of "
        f"{plain(short_name(spec.model.name))} (seed {spec.seed}), fitted without the prompts and frozen. "
        f"Crosses are means. Hover shows each vector's nearest token.{of_nulls}"
    )
