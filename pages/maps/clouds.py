"""Stored clouds and maps as layers of a figure, and offers to make them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.activations.estimate import estimate
from core.engine.lookup import find
from core.figures.layer import Layer
from core.figures.text import token
from core.jobs.projection import StoredMap, clouds_of, find_map, load_map, nearest_map
from core.sources.models import describe_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, ProjectionSpec
from core.store import JobFolder, Store
from core.store.read_only import read_only
from pages.widgets.cite import cite_job
from pages.widgets.costs import NO_PACE, fetching, vocabulary_bytes
from pages.widgets.jobs import NO_JOBS, start
from pages.widgets.layout import duration, errors, size
from pages.widgets.nearest import shown_instead
from pages.widgets.offers import offer, under_way
from pages.widgets.reach import closed

_SECONDS_A_POINT_AND_ITERATION = 8e-6
"""Speed of t-SNE, measured with 5,000 points on one core; only used to say how long it takes."""


def fitted_spec(spec: ProjectionSpec) -> ProjectionSpec:
    """Return the map that is fitted for a picture: one PCA serves two and three dimensions."""
    return spec.model_copy(update={"n_components": 3}) if spec.method == "pca" else spec


def find_picture(spec: ProjectionSpec, store: Store) -> StoredMap | None:
    """Return the stored map of a picture in the picture's dimensions."""
    found = find_map(fitted_spec(spec), store)
    return replace(found, map=found.map.drawn(spec.n_components)) if found else None


def need_map(spec: ProjectionSpec, store: Store) -> StoredMap | None:
    """Return a stored map; without one, start its job (PCA) or offer to (t-SNE), and show it.

    A t-SNE map that was stopped and kept is returned as it is, with an offer to finish it. For one
    that was not begun, the nearest map of the same points is returned.
    """
    with errors():
        asked = fitted_spec(spec)
        cite_job("projection", asked)
        found = find_picture(spec, store)
        if found:
            return found
        job = find("projection", asked, store)
        stopped = _stopped(job, asked, store)
        if job and stopped:
            return None if _offer_rest(job, asked, stopped, store) else stopped
        near = nearest_map(asked, store) if spec.method == "tsne" or read_only() else None
        with shown_instead([near] if near else []):
            wanted = not under_way([job], store) and (spec.method != "tsne" or _offer_tsne(asked))
            if wanted and start("projection", asked, store):
                st.rerun()
        return find_picture(near.spec, store) if near else None
    return None


def _offer_tsne(spec: ProjectionSpec) -> bool:
    """Say what a t-SNE map costs and return whether to draw it."""
    n_clouds = len(spec.clouds) + spec.vocabulary
    n_iterations = spec.n_early_iterations + spec.n_iterations
    seconds = spec.n_points * n_clouds * n_iterations * _SECONDS_A_POINT_AND_ITERATION
    st.markdown(f"This t-SNE map has not been drawn yet. Drawing it takes about {duration(seconds)}; the map is kept.")
    return not closed(NO_JOBS) and st.button(
        "Draw this map", type="primary", icon=":material/scatter_plot:", key="draw.tsne"
    )


def _stopped(job: JobFolder | None, spec: ProjectionSpec, store: Store) -> StoredMap | None:
    """Return the map of a job that was stopped and kept what was drawn."""
    result = job.result() if job and job.status().state == "succeeded" else None
    early = result and 0 < result.get("n_iterations", 0) < spec.n_iterations
    return load_map(result["key"], store) if result and early else None


def _offer_rest(job: JobFolder, spec: ProjectionSpec, stopped: StoredMap, store: Store) -> bool:
    """Say that a map was stopped early, and offer the rest; return whether its job was started again."""
    done = stopped.artifact.info["n_iterations"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Stopped after {done} of {spec.n_iterations} iterations.", width="content")
        pressed = not closed(NO_JOBS) and st.button(
            "Finish this map", icon=":material/scatter_plot:", key=f"rest.{job.id}"
        )
    if pressed:
        job.clear_enough()
        if start("projection", spec, store):
            st.rerun()
    return pressed


def need_vocabulary(model: ModelSpec, store: Store) -> Cloud | None:
    """Return the vocabulary cloud of a model, or offer to prepare the model, and show the job."""
    with errors():
        found = find_vocabulary(model, store)
        if found:
            return found
        facts = describe_model(model, store)
        n_bytes = vocabulary_bytes(facts)
        kept = f" ({size(n_bytes)} at most)" if n_bytes else ""
        offer(
            "vocabulary",
            model,
            store,
            ":material/download: The vocabulary of this model is not here yet",
            f"Its embedding matrix is read once and kept{kept}. {fetching(model, facts)} {NO_PACE}",
            "Prepare model and vocabulary",
        )
    return None


def need_clouds(specs: Sequence[CloudSpec], store: Store, key: str) -> list[Cloud] | None:
    """Return stored activations, or say what capturing them costs, offer it, and show the jobs."""
    with errors():
        found = [find_cloud(spec, store) for spec in specs]
        missing = [spec for spec, cloud in zip(specs, found, strict=True) if cloud is None]
        if not missing:
            return [cloud for cloud in found if cloud is not None]
        jobs = [_newest_capture(spec, store) for spec in missing]
        if not under_way(jobs, store, [f"Capturing {label}" for label in labels(missing)]):
            offer(
                "capture",
                missing,
                store,
                ":material/hourglass_empty: These activations have not been captured yet",
                lambda: _capture_cost(missing, store, key),
                "Capture",
                key=f"{key}.capture",
            )
    return None


def _newest_capture(spec: CloudSpec, store: Store) -> JobFolder | None:
    """Return the newest job that captures a cloud, alone or with every other site."""
    jobs = [job for one in (spec, _every_site(spec)) if (job := find("capture", one, store))]
    return max(jobs, key=lambda job: job.status().created, default=None)


def labels(specs: Sequence[CloudSpec]) -> list[str]:
    """Return short names of clouds' data sets; equal names get what tells them apart."""
    short = [spec.dataset.label for spec in specs]
    return [
        f"{label} ({_detail(spec.dataset)})" if short.count(label) > 1 else label
        for spec, label in zip(specs, short, strict=True)
    ]


def _detail(dataset: DatasetSpec) -> str:
    if dataset.name == "file":
        return Path(dataset.path or "").parent.name[:8]
    return str(dataset.difficulty or f"seed {dataset.seed}")


def _every_site(spec: CloudSpec) -> CloudSpec:
    return spec.model_copy(update={"sites": "all"})


def _capture_cost(missing: Sequence[CloudSpec], store: Store, key: str) -> list[CloudSpec]:
    """Draw the cost of captures, and return those to start: of every site, if that is chosen."""
    wide = st.toggle(
        "Capture every site at once", True, key=f"{key}.every", help="One pass through the model captures all of them."
    )
    specs = [_every_site(spec) if wide else spec for spec in missing]
    rows = []
    for label, cost in zip(labels(specs), (estimate(spec, store) for spec in specs), strict=True):
        rows.append(
            {
                "data set": label,
                "tokens read": f"{cost['tokens']:,}",
                "time": "unknown" if cost["seconds"] is None else f"about {duration(cost['seconds'])}",
                "disk": "unknown" if cost["bytes"] is None else size(cost["bytes"]),
                "basis": cost["basis"],
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    return specs


@st.cache_data(show_spinner=False, max_entries=16)
def map_layers(root: Path, map_key: str, n_components: int) -> list[Layer]:
    """Return the points that a map was fitted on as grey layers, the vocabulary first.

    Hovering shows the token alone: contexts would be nine tenths of what is sent. A cloud that was
    pruned is drawn all the same, without hover.
    """
    store = Store(root)
    stored = load_map(map_key, store)
    if stored is None:
        return []
    layers: list[Layer] = []
    for name, cloud, own, coordinates in fitted_points(stored, store, n_components):
        hover = [token(text) for text in cloud.rows["token"].iloc[own]] if cloud else None
        layers.append(Layer(f"{name} ({len(own):,})", coordinates, hover=hover))
    return layers


def fitted_points(
    stored: StoredMap, store: Store, n_components: int
) -> Iterator[tuple[str, Cloud | None, NDArray[np.integer], NDArray[np.float32]]]:
    """Return the points that a map was fitted on, cloud by cloud, the vocabulary first.

    Returns:
        name of the cloud, the cloud unless it was pruned away, rows of its points, and their coordinates.
    """
    spec, drawn = stored.spec, replace(stored, map=stored.map.drawn(n_components))
    names = ["vocabulary"] * spec.vocabulary + labels(spec.clouds)
    keys = stored.artifact.info["clouds"]
    for place, (cloud, name) in enumerate(zip(clouds_of(stored, store), names, strict=True)):
        if keys[place] not in keys[:place]:
            yield name, cloud, *drawn.fitted_on(keys[place])
