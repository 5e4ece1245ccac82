"""A map's principal components: their heaviest dimensions, and the tokens at either end."""

from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.analysis.pca import ends, loadings
from core.errors import BadRequest
from core.figures.components import loadings_figure
from core.jobs.projection import StoredMap, clouds_of, load_map
from core.store import Store
from pages.widgets.layout import draw
from pages.widgets.state import View

N_DIMENSIONS = 12
N_TOKENS = 8
_MOST = 20
"""The last component that can be chosen."""


def show_components(view: View, stored: StoredMap, store: Store) -> None:
    """Draw the loadings of a chosen component, and the tokens at its ends."""
    pca = stored.map.pca
    component = view.number("component", "Component", 1, 1, min(_MOST, len(pca.components)), step=1, width=140) - 1
    found = loadings(pca, component, N_DIMENSIONS)
    left, right = st.columns(2)
    with left:
        draw(loadings_figure(found, component), view.key("loadings"), "Bars of the component's largest loadings.")
    with right:
        low, high = end_tokens(store.root, stored.artifact.key, component)
        n = max(len(low), len(high))
        if n:
            columns = {"low end": low, "high end": high}
            st.dataframe(
                pd.DataFrame({name: [*words, *[""] * (n - len(words))] for name, words in columns.items()}),
                hide_index=True,
                width="stretch",
            )
    n, d_model = len(found.dimension), len(pca.mean)
    st.caption(
        f"PC{component + 1} explains {pca.explained[component]:.1%} of the variance. These {n} of {d_model} dimensions "
        f"hold {found.share:.0%} of its squared length; if all dimensions weighed the same, they would hold "
        f"{n / d_model:.1%}. The tokens are those farthest to either side, each listed once, among the points that the "
        "map was fitted on."
    )


@st.cache_data(show_spinner=False, max_entries=32)
def end_tokens(root: Path, map_key: str, component: int) -> tuple[list[str], list[str]]:
    """Return the tokens at the low and the high end of a component; none if all clouds were pruned.

    Raises:
        BadRequest: the map is no longer in the store.
    """
    store = Store(root)
    stored = load_map(map_key, store)
    if stored is None:
        raise BadRequest(f"The map {map_key!r} is no longer in the store; draw it again.")
    axis = np.asarray(stored.map.pca.components[component], np.float32)
    scores: list[NDArray[np.float32]] = []
    names: list[str] = []
    for cloud in filter(None, clouds_of(stored, store)):
        rows, _ = stored.fitted_on(cloud.key)
        scores.append(cloud.points(cloud.sites[0])[rows] @ axis)
        names += [repr(str(text)) for text in cloud.rows["token"].iloc[rows]]
    return ends(np.concatenate(scores), names, N_TOKENS) if scores else ([], [])
