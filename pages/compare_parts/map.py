"""The Compare page's picture: runs at one site on a frozen map, overlaid or side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.analysis.frozen_maps import Overlay
from core.figures.cloud_map import map_axes
from core.figures.hover import hover
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, mark, prior_role
from core.figures.prompt_trajectories import Panel, PromptTrajectory, comparison_figure
from core.jobs.measure import Measures, frames, tuning_spec
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec, TuningSpec
from core.store import JobFolder, Store, list_jobs
from core.store.prompts import RunPrompts, read_prompts
from pages.maps.choice import (
    SIZES,
    MapRequest,
    map_choice,
    map_words,
    offer_name,
    overlay_on_map,
    overlay_table,
    weights_of,
)
from pages.maps.clouds import map_layers, need_vocabulary
from pages.widgets.choices import site_name
from pages.widgets.layout import draw, errors, plain
from pages.widgets.runs import label
from pages.widgets.state import View

SYMBOLS = (("diamond", "x"), ("square", "star"), ("triangle-up", "hexagram"), ("circle", "cross"))
SYMBOLS_3D = (("diamond", "x"), ("square", "circle"), ("diamond-open", "circle-open"), ("square-open", "cross"))
"""Of prior and posterior, one pair per run; Plotly has fewer in three dimensions."""
ROWS = "rows"
NULLS = {"random directions": "random directions", "matched Gaussian": "matched Gaussian", ROWS: "tokens themselves"}


@dataclass(frozen=True)
class ChosenRun:
    """A run with its prompts; `index` decides its symbols."""

    job: JobFolder
    spec: TuningSpec
    prompts: RunPrompts
    index: int

    @property
    def name(self) -> str:
        """Return the run's prior and id."""
        return f"{self.spec.prior.kind} {self.job.id}"


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
    """

    site: int
    map_request: MapRequest
    size: str
    multiples: bool
    arrows: bool
    play: bool
    position: int
    nulls: Sequence[str]


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
        position = view.number(
            "way", "Trajectory position (%)", 100, 0, 100, step=5, help="0 is the prior sample, 100 the end.", width=190
        )
        size = view.choice("size", "Vector size", list(SIZES), show=SIZES.__getitem__, width=190)
        with st.container(width="content", gap=None):
            arrows = view.switch("arrows", "Arrows from prior to posterior", True)
            play = view.switch("play", "Play trajectory", False, help="Adds buttons and a slider below the map.")
    return PictureSettings(site, map_request, size, arrangement == "multiples", arrows, play, position, nulls)


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
            f"Not on this map, without a prompt at site {site}: {plain(', '.join(missing))}.", icon=":material/info:"
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
    trajectories = [
        trajectory_of(run, placed[run.job.id], own, settings.size, alone) for run, own in zip(here, texts, strict=True)
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
    draw(figure, "compare.map", "Map of the reference with each run's prior sample and posterior.")
    st.caption(_caption(stored, settings, here[0].job.id, store))
    overlay_table(stored, ends_of(here, placed))
    offer_name(view, stored, store)
    tables = [coordinates(run, site, shown[run.job.id], one) for run, one in zip(here, trajectories, strict=True)]
    return pd.concat(tables, ignore_index=True)


def shown_snapshots(run: ChosenRun, map_request: MapRequest) -> NDArray[np.intp]:
    """Return which snapshots are drawn: on a joint fit only prior and posterior, as few points."""
    found = frames(len(run.prompts.steps))
    return np.unique(found[[0, -1]]) if map_request.joint else found


def trajectory_of(run: ChosenRun, placed: Overlay, texts: list[list[str]], size: str, alone: bool) -> PromptTrajectory:
    """Return a run's trajectory on the map, whose vectors are overlaid snapshot after snapshot."""
    n_frames = len(texts)
    role = prior_role(run.spec.prior.kind)
    suffix = "" if alone else f" · {run.name}"
    positions = placed.coordinates.reshape(n_frames, -1, placed.coordinates.shape[1])
    flat = weights_of(size, placed)
    weights = None if flat is None else flat.reshape(n_frames, -1)
    first, last = (None, None) if weights is None else (weights[0], weights[-1])
    prior = Layer(f"prior{suffix}", positions[0], role, hover=texts[0], weights=first)
    posterior = Layer(f"posterior{suffix}", positions[-1], "posterior", weights=last)
    if not run.prompts.begun:
        prior = replace(prior, coordinates=positions[0][:0], hover=None, weights=None)
    if not alone:
        flat_symbols, solid_symbols = SYMBOLS[run.index % len(SYMBOLS)], SYMBOLS_3D[run.index % len(SYMBOLS_3D)]
        prior = replace(prior, mark=replace(mark(role), symbol=flat_symbols[0], symbol_3d=solid_symbols[0]))
        posterior = replace(posterior, mark=replace(POSTERIOR, symbol=flat_symbols[1], symbol_3d=solid_symbols[1]))
    return PromptTrajectory(prior, posterior, positions, texts, weights)


def ends_of(chosen: Sequence[ChosenRun], placed: Mapping[str, Overlay]) -> dict[str, Overlay]:
    """Return where the priors and the posteriors of runs lie, by name."""
    found: dict[str, Overlay] = {}
    for run in chosen:
        every, n_prompt = placed[run.job.id], run.prompts.vectors.shape[2]
        if run.prompts.begun:
            found[f"prior · {run.name}"] = every.part(slice(0, n_prompt))
        found[f"posterior · {run.name}"] = every.part(slice(-n_prompt, None))
    return found


def hover_of(run: ChosenRun, site: int, shown: NDArray[np.intp], measured: Measures | None) -> list[list[str]]:
    """Return one text per vector for each shown snapshot."""
    table = measured.table("trajectory") if measured else pd.DataFrame(columns=["site", "step", "vector", "token"])
    words = table.loc[table["site"] == site].set_index(["step", "vector"])["token"].to_dict()

    def text(step: int, vector: int) -> str:
        word = words.get((step, vector))
        near = "" if word is None else ("nearest token ", word, "")
        return hover(f"vector {vector} · step {step}", near)

    n_prompt = run.prompts.vectors.shape[2]
    return [[text(step, i) for i in range(n_prompt)] for step in run.prompts.steps[shown].tolist()]


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


def stretch(trajectory: PromptTrajectory, n: int) -> PromptTrajectory:
    """Return a trajectory with n frames, evenly spread over its own."""
    index = np.linspace(0, len(trajectory.coordinates) - 1, n).round().astype(int)
    return replace(
        trajectory,
        coordinates=trajectory.coordinates[index],
        hover=[trajectory.hover[i] for i in index],
        weights=None if trajectory.weights is None else trajectory.weights[index],
    )


def frame_labels(steps: Sequence[NDArray[np.int64]], n: int) -> list[str]:
    """Return the slider's labels: the steps, or shares of the trajectory where they differ."""
    if len({tuple(own) for own in steps}) == 1:
        return [f"step {step}" for step in steps[0]]
    return [f"{100 * share:.0f} %" for share in np.linspace(0, 1, n)]


def coordinates(run: ChosenRun, site: int, shown: NDArray[np.intp], trajectory: PromptTrajectory) -> pd.DataFrame:
    """Return where each vector is on the map at each snapshot, for a download."""
    n_frames, n_prompt, _ = trajectory.coordinates.shape
    frame = pd.DataFrame(
        {
            "run": run.job.id,
            "site": site,
            "step": np.repeat(run.prompts.steps[shown], n_prompt),
            "vector": np.tile(np.arange(n_prompt), n_frames),
        }
    )
    axes = np.moveaxis(trajectory.coordinates, 2, 0)
    return frame.assign(**{f"component_{k + 1}": axis.ravel() for k, axis in enumerate(axes)})


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
    return " ".join([*words, "Hover shows each vector's nearest token."])
