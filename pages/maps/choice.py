"""Which map a page draws on: its own by PCA or t-SNE, a named map, or a joint fit; and how maps get names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.analysis.frozen_maps import Overlay
from core.errors import BadRequest
from core.jobs.projection import MAP, StoredMap, load_map
from core.specs import ProjectionSpec
from core.specs.base import JsonObject
from core.specs.model import short_name
from core.store import Store
from core.store.names import LONGEST, Named, find_name, give_name, list_names, name_of
from core.store.read_only import read_only
from core.store.vectors import keep_vectors
from pages.maps.clouds import fitted_spec, labels, need_map
from pages.maps.overlays import overlay_vectors, split
from pages.widgets.cite import cite_job
from pages.widgets.forms import spec_fields
from pages.widgets.layout import errors, plain, table
from pages.widgets.reach import closed
from pages.widgets.state import View
from pages.widgets.tables import download

METHODS = {"pca": "PCA", "tsne": "t-SNE", "named": "Named map"}
TSNE_FIELDS = (
    "perplexity",
    "further_perplexities",
    "exaggeration",
    "early_exaggeration",
    "n_iterations",
    "n_early_iterations",
    "learning_rate",
    "input_components",
)
OVERLAY_COLUMNS = {
    "vectors": "How many vectors are overlaid on the map.",
    "outside the support": "Share whose 15th nearest reference point is farther away than for 99 % of the reference's "
    "own points: the map has no position for them, so they are drawn on the rail below it.",
    "off the plane": "Median share of the squared distance from the reference's mean that the first components do not "
    "show.",
    "T²": "Median squared distance from the mean in the plane of the first components, in standard deviations.",
}


SIZES = {"same": "constant", "off plane": "share off the plane", "T²": "T² in the plane (square root, up to 5)"}
"""What the point size shows."""
_LARGE_T = 5.0
"""Standard deviations at which a vector is drawn at the largest size."""


@dataclass(frozen=True)
class MapRequest:
    """Which map a person wants.

    Attributes:
        name: the name of a named map; empty for the page's own map.
        settings: fields of that map's spec.
        joint: whether it is fitted together with the vectors shown, so that each has a position.
    """

    name: str
    settings: JsonObject
    joint: bool = False


def map_choice(view: View, store: Store, vectors: bool = False) -> MapRequest:
    """Draw the controls of the map and return what is wanted.

    A view's address may name a map by `map=…`; then it need not give the method.
    """
    if st.query_params.get("map") and "method" not in st.query_params:
        view.choose("method", "named")
    method = view.segments("method", "Map", METHODS, width="content")
    settings: JsonObject = {"method": "pca" if method == "named" else method}
    if method != "named":
        view.write("map", "", "")
    named = _named_choice(view, store) if method == "named" else None
    if named is None or named.spec["method"] == "pca":
        settings["n_components"] = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"}, width="content")
    if method == "tsne":
        with st.popover("t-SNE", icon=":material/tune:"):
            asked = spec_fields(view, ProjectionSpec, TSNE_FIELDS, columns=2)
        settings |= {name: value for name, value in asked.items() if value is not None}
    joint = (
        vectors
        and method != "named"
        and not read_only()
        and view.switch(
            "joint",
            "Refit with these vectors",
            help="A joint fit is another map, fitted with these vectors: all of "
            "them have a position on it, and the reference moves. Otherwise the map is fitted without them and frozen.",
        )
    )
    return MapRequest(named.name if named else "", settings, joint)


def need_chosen_map(name: str, spec: ProjectionSpec, store: Store) -> StoredMap | None:
    """Return the named map, or the spec's own if no name is given; None while it is being drawn.

    Raises:
        UnknownName: no map has the name.
        BadRequest: it is of another model, or its data have changed, so that it cannot be drawn again.
    """
    if not name:
        return need_map(spec, store)
    named = find_name(store, MAP, name)
    asked = ProjectionSpec.parse(named.spec)
    if asked.model.name != spec.model.name:
        raise BadRequest(
            f"The map {named.name!r} belongs to {short_name(asked.model.name)}, but these points belong to "
            f"{short_name(spec.model.name)}; choose a map of the same model."
        )
    cite_job("projection", fitted_spec(asked))
    stored = load_map(named.key, store)
    if stored is None:
        st.info(f"The map {plain(named.name)} is no longer in the cache folder; it is drawn again.")
        stored = need_map(asked, store)
    if stored is not None and stored.artifact.key != named.key:
        raise BadRequest(
            f"The map {named.name!r} cannot be drawn as it was, because its data have changed; "
            "remove the name and name another map."
        )
    if stored is not None and stored.map.method == "pca":
        stored = replace(stored, map=stored.map.drawn(min(spec.n_components, stored.map.n_components)))
    return stored


def overlay_on_map(
    map_request: MapRequest, spec: ProjectionSpec, groups: Mapping[str, NDArray[np.floating]], store: Store
) -> tuple[StoredMap, dict[str, Overlay]] | None:
    """Return the chosen map and where groups of vectors lie on it; None while a job makes either.

    On a joint fit nothing lies outside, because all vectors are among its points.

    Raises:
        UnknownName, BadRequest: see `need_chosen_map`.
    """
    if not map_request.joint:
        stored = need_chosen_map(map_request.name, spec, store)
        placed = overlay_vectors(stored, groups, store) if stored else None
        return (stored, placed) if stored and placed is not None else None
    every = np.concatenate([np.asarray(vectors, np.float32) for vectors in groups.values()])
    stored = need_map(spec.model_copy(update={"joined": keep_vectors(every, store)}), store)
    if stored is None:
        return None
    hidden = stored.map.hidden(every)
    inside = np.ones(len(every), bool)
    joined = stored.joined[:, : stored.map.n_components]
    placed = Overlay(joined, inside, hidden.distance, hidden.share, hidden.t_squared)
    return stored, split(placed, list(groups), [len(vectors) for vectors in groups.values()])


def map_words(stored: StoredMap, store: Store) -> str:
    """Say what a map is and what it was fitted on."""
    spec, info = stored.spec, stored.artifact.info
    name = name_of(store, MAP, stored.artifact.key)
    what = "vocabulary rows" if spec.vocabulary else f"tokens of {plain(data_words(spec))} at site {spec.site}"
    fitted = f"{info['n_points']:,} of {info['n_available']:,} {what} of {plain(short_name(spec.model.name))}"
    method = "principal components" if spec.method == "pca" else f"t-SNE ({tsne_words(stored)})"
    head = f"Map *{plain(name)}*: {method}" if name else f"Map: {method}"
    if stored.joint:
        return (
            f"{head} of {fitted} (seed {spec.seed}) and the {info['n_joined']:,} vectors shown: "
            "**a joint fit, not frozen.** The vectors influence where everything lies."
        )
    return f"{head} of {fitted} (seed {spec.seed}), fitted without the overlay and frozen."


def tsne_words(stored: StoredMap) -> str:
    """Return the parameters of a t-SNE map in words."""
    spec = stored.spec
    scales = " and ".join(f"{scale:g}" for scale in spec.perplexities)
    words = [f"perplexity {scales}", f"{spec.input_components} components first", f"{spec.n_iterations} iterations"]
    if spec.exaggeration != 1:
        words.append(f"exaggeration {spec.exaggeration:g}")
    near = stored.map.tsne
    if near is not None and np.isfinite(near.divergence):
        words.append(f"divergence {near.divergence:.3f}")
    return ", ".join(words)


def weights_of(size: str, placed: Overlay) -> NDArray[np.float32] | None:
    """Return how large vectors are drawn, from 0 to 1; None where all have the same size."""
    if size == "off plane":
        return placed.off_plane_share
    return (np.sqrt(placed.t_squared) / _LARGE_T).astype(np.float32) if size == "T²" else None


def overlay_table(stored: StoredMap, placed: Mapping[str, Overlay]) -> None:
    """Write, per group of vectors, how many have no position and what the map's plane hides.

    For a joint fit by t-SNE nothing is written: each vector has a position, and there is no plane.
    """
    if stored.joint and stored.map.method == "tsne":
        return
    rows = []
    for name, one in placed.items():
        row: dict[str, object] = {"what": name, "vectors": len(one.inside)}
        if stored.map.tsne is not None:
            outside = int((~one.inside).sum())
            row["outside the support"] = f"{outside} of {len(one.inside)} ({outside / len(one.inside):.0%})"
        if stored.map.method == "pca":
            row["off the plane"] = float(np.median(one.off_plane_share))
            row["T²"] = float(np.median(one.t_squared))
        rows.append(row)
    frame = pd.DataFrame(rows)
    table(frame, {name: text for name, text in OVERLAY_COLUMNS.items() if name in frame})
    download("Positions", frame, "places")


def offer_name(view: View, stored: StoredMap, store: Store) -> None:
    """Offer to name a map that is frozen, or to change its name."""
    if stored.joint or closed("maps cannot be named here"):
        return
    key, present = stored.artifact.key, name_of(store, MAP, stored.artifact.key)
    with st.popover(f"Map: {plain(present)}" if present else "Name this map", icon=":material/bookmark:"):
        st.caption("A named map stays as it is, is never pruned, and can be chosen on every page with maps.")
        name = st.text_input(
            "Name", present, LONGEST, key=view.key(f"name.{key}"), placeholder="SQuAD and news, site 15"
        )
        if st.button("Save name", key=view.key(f"name.keep.{key}"), type="primary", disabled=not name.strip()):
            with errors():
                give_name(store, MAP, name, key, stored.artifact.manifest.spec)
                st.rerun()


def _named_choice(view: View, store: Store) -> Named | None:
    names = {named.name: named for named in list_names(store, MAP)}
    if not names:
        st.info("No map has a name yet. Draw one and name it under the picture.", icon=":material/bookmark:")
        return None
    inner = View(view.key("map"))  # the page's figure has the key of a widget called map
    return names[inner.choice("map", "Named map", list(names), pin=True)]


def data_words(spec: ProjectionSpec) -> str:
    """Return the data sets of a map in words."""
    return ", ".join(labels(spec.clouds))
