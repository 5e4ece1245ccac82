"""Clouds and vectors overlaid on a map: at once if it is quick, by a job if it takes seconds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud
from core.analysis.frozen_maps import Overlay
from core.errors import BadRequest
from core.jobs.overlay import find_placement, rows_of
from core.jobs.projection import StoredMap, load_map
from core.specs import ProjectionSpec
from core.specs.projection import PlacementSpec
from core.store import Store
from core.store.read_only import read_only
from core.store.vectors import keep_vectors, vectors_key
from pages.maps.clouds import labels
from pages.widgets.offers import make

AT_ONCE = 400
REFERENCE_AT_ONCE = 6000
"""Most vectors that a page overlays on a t-SNE map without a job; measured at under a second."""


def overlay_cloud(
    spec: ProjectionSpec, which: int, cloud: Cloud, stored: StoredMap, store: Store
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return rows (n,) of a spec's cloud that are shown on a map, and where they are on it, (n, n_components).

    Points that the map was fitted on keep their position. Of another cloud, a seeded sample is
    overlaid, with NaN for points that have no position on the map.

    Raises:
        BadRequest: their positions are not in the store (any more); see `need_overlays`.
    """
    if fitted_on(stored, cloud, spec):
        return stored.fitted_on(cloud.key)
    asked = overlay_request(spec, stored, which)
    rows = rows_of(asked, cloud)
    if stored.map.tsne is None:
        return rows, stored.map.pca.transform(cloud.points(asked.site)[rows], stored.map.n_components)
    placed = find_placement(asked, store)
    if placed is None:
        raise BadRequest("The positions of these points on the map are no longer in the store; reload this page.")
    return rows, placed.coordinates


def need_overlays(spec: ProjectionSpec, stored: StoredMap, store: Store) -> bool:
    """Return whether all clouds of a spec can be overlaid on a map now; start what takes seconds, and show the jobs."""
    ready = True
    if stored.map.tsne is None:
        return True
    for place, (wanted, label) in enumerate(zip(spec.clouds, labels(spec.clouds), strict=True)):
        cloud = find_cloud(wanted, store)
        if cloud is None or fitted_on(stored, cloud, spec):
            continue
        asked = overlay_request(spec, stored, place)
        if find_placement(asked, store) is None:
            make("place", asked, store, f"Overlaying {label} on the map")
            ready &= find_placement(asked, store) is not None  # a job that ended in between redraws nothing
    return ready


def fitted_on(stored: StoredMap, cloud: Cloud, spec: ProjectionSpec) -> bool:
    """Return whether a map was fitted on a cloud at the site of a spec."""
    return stored.spec.site == spec.site and cloud.key in stored.artifact.info["clouds"]


def overlay_request(spec: ProjectionSpec, stored: StoredMap, which: int) -> PlacementSpec:
    """Return the request to overlay a spec's cloud on a map."""
    return PlacementSpec(
        map=stored.artifact.key, cloud=spec.clouds[which], site=spec.site, n_points=spec.n_points, seed=spec.seed
    )


def overlay_vectors(
    stored: StoredMap, groups: Mapping[str, NDArray[np.floating]], store: Store
) -> dict[str, Overlay] | None:
    """Return where groups of vectors lie on a map, by name; show the job while one works on it."""
    names, lengths = list(groups), [len(vectors) for vectors in groups.values()]
    every = np.concatenate([np.asarray(vectors, np.float32) for vectors in groups.values()])
    if stored.map.tsne is None:
        return split(stored.map.overlay(every), names, lengths)
    asked = PlacementSpec(map=stored.artifact.key, vectors=vectors_key(every))
    found = find_placement(asked, store)
    small = len(every) <= AT_ONCE and len(stored.map.coordinates) <= REFERENCE_AT_ONCE
    if found is None and small:
        found = _place_now(store.root, stored.artifact.key, every)
    if found is None:
        if not read_only():
            keep_vectors(every, store)
        make("place", asked, store, "Overlaying the vectors on the map")
        found = find_placement(asked, store)  # a job that ended in between redraws nothing
    return None if found is None else split(found, names, lengths)


def split(placed: Overlay, names: Sequence[str], lengths: Sequence[int]) -> dict[str, Overlay]:
    """Return parts of a placement by name, of consecutive rows."""
    starts = np.cumsum([0, *lengths])
    return {name: placed.part(slice(start, start + n)) for name, start, n in zip(names, starts, lengths, strict=False)}


@st.cache_data(show_spinner="Overlaying the vectors on the map …", max_entries=32, hash_funcs={np.ndarray: vectors_key})
def _place_now(root: Path, map_key: str, vectors: NDArray[np.float32]) -> Overlay:
    stored = load_map(map_key, Store(root))
    if stored is None:
        raise BadRequest(f"The map {map_key!r} is no longer in the store; draw it again.")
    return stored.map.overlay(vectors)
