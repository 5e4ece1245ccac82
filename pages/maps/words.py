"""Words on a map: characteristic tokens of its regions, and a frame that leaves a few distant points out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.regions import Region, regions
from core.figures.layer import Layer
from core.figures.map_words import label_regions, leave_out_far
from core.jobs.projection import StoredMap, load_map
from core.store import Store
from pages.maps.clouds import fitted_points
from pages.widgets.state import View


def words_switch(view: View, default: bool = True) -> bool:
    """Draw the switch of the words on a map."""
    return view.switch(
        "regions",
        "Words",
        default,
        help="Tokens that occur in a region more often than in the others (k-means on the plane, weighted log-odds).",
        width="content",
    )


@st.cache_data(show_spinner=False, max_entries=16)
def map_regions(root: Path, map_key: str) -> list[Region]:
    """Return regions of the activations that a map was fitted on, on its first two axes.

    Of a vocabulary there are none: each token occurs once in it.
    """
    store = Store(root)
    stored = load_map(map_key, store)
    if stored is None or stored.spec.vocabulary:
        return []
    parts = list(fitted_points(stored, store, 2))
    known = [(where, cloud.rows["token"].iloc[own]) for _, cloud, own, where in parts if cloud]
    if not known:
        return []
    return regions(np.concatenate([where for where, _ in known]), [token for _, own in known for token in own])


def leave_out_distant(
    figure: Any, stored: StoredMap, background: Sequence[Layer], inside: Sequence[NDArray[np.floating]] = ()
) -> None:
    """Leave a few distant points, such as sinks, out of the frame of a map by PCA; `inside` stays in it."""
    if stored.map.method == "pca" and background:
        leave_out_far(figure, np.concatenate([layer.coordinates for layer in background]), inside)


def write_words(
    view: View,
    figure: Any,
    stored: StoredMap,
    background: Sequence[Layer],
    inside: Sequence[NDArray[np.floating]],
    store: Store,
    default: bool = True,
) -> None:
    """Leave a few distant points out of a map by PCA; label the regions of one in two dimensions, under a switch.

    Args:
        view: of the page.
        figure: with one map, changed in place.
        stored: the map.
        background: that it is drawn on.
        inside: further points, (n, n_components) each, that stay inside the frame.
        store: of the map.
        default: whether the switch is on at first.
    """
    leave_out_distant(figure, stored, background, inside)
    found = map_regions(store.root, stored.artifact.key) if stored.map.n_components == 2 else []
    if found and words_switch(view, default):
        label_regions(figure, found)
