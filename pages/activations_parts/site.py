"""Clouds at one site on their map, with the numbers that qualify the picture."""

from collections.abc import Sequence

import streamlit as st

from core.activations.clouds import Cloud
from core.figures.priors import explained_variance_figure
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec, TokenFilter
from core.store import Store
from pages.activations_parts.closer import closer
from pages.activations_parts.components import show_components
from pages.activations_parts.points import HOVER_UP_TO, Points, read_points
from pages.widgets.clouds import labels, need_clouds, sources_table
from pages.widgets.layout import draw, numbers
from pages.widgets.maps import chosen_name, map_words, need_chosen_map, offer_name
from pages.widgets.overlays import need_clouds_on
from pages.widgets.provenance import clouds_provenance
from pages.widgets.state import View

# Above this share of the variance along one direction, sinks are at work.
OWNED = 0.9
HOVERS = "Hover shows each token in its context."
HOVERS_SHORT = "Hover shows each token; select some to read them in their context."


def one_site(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the clouds on their map, what was selected on it, and what qualifies the picture."""
    clouds = need_clouds(spec.clouds, store, view.page)
    if clouds is None:
        return
    stored = need_chosen_map(chosen_name(view), spec, store)
    if stored is None or not need_clouds_on(spec, stored, store):
        return
    points = read_points(spec.canonical_json(), stored.artifact.key, stored, clouds, store)
    closer(view, spec, store, stored, points)
    st.caption(caption(spec, stored, points, store))
    offer_name(view, stored, store)
    details(view, spec, stored, clouds, store)


def details(view: View, spec: ProjectionSpec, stored: StoredMap, clouds: Sequence[Cloud], store: Store) -> None:
    """Write the numbers under the picture."""
    explained = stored.map.pca.explained
    shown, linear = float(explained[: stored.map.n_components].sum()), stored.map.method == "pca"
    if explained[0] > OWNED:
        st.info(
            f"One direction holds {explained[0]:.1%} of the variance: a few tokens of enormous norm, often the first "
            "of each text, own this picture. Leave out first positions or sinks under *Tokens and points*.",
            icon=":material/lightbulb:",
        )
    count = max(1, int((explained.cumsum() < 0.5).sum()) + 1)
    half = str(count) if explained.sum() >= 0.5 else f"over {len(explained)}"
    numbers(
        {
            "Points fitted on": f"{stored.artifact.info['n_points']:,}",
            "Variance in these axes": f"{shown:.1%}" if linear else "no axes",
            "Variance not shown": f"{1 - shown:.1%}" if linear else "all distances",
            "Components for half": half,
        },
        {"Variance not shown": "What the picture hides: points that look near can be far apart off the plane."},
    )
    left, right = st.columns(2)
    with left:
        draw(explained_variance_figure(explained, stored.map.n_components), key=view.key("explained"))
    with right:
        names = labels(spec.clouds)
        st.dataframe(sources_table(clouds, names), hide_index=True, width="stretch")
        clouds_provenance(dict(zip(names, clouds, strict=True)))
    with st.expander("What the components are made of"):
        show_components(view, stored, store)


def caption(spec: ProjectionSpec, stored: StoredMap, points: Points, store: Store) -> str:
    """Say what the map was fitted on, and which of the points have no place on it."""
    words = [map_words(stored, store), left_out(spec.clouds[0].tokens)]
    if spec.clouds[0].pooling == "mean":
        words.insert(1, "Each point is the mean over a text's tokens.")
    if points.background:
        words.insert(1, f"{len(points):,} tokens are laid on it.")
    if stored.spec.site != spec.site:
        words.insert(1, f"**They are of site {spec.site}, the map is of site {stored.spec.site}.**")
    outside = int((~points.placed).sum())
    if outside:
        words.append(f"**{outside / len(points):.1%} of the tokens lie outside the map's support and have no place.**")
    return " ".join([*words, HOVERS if len(points) <= HOVER_UP_TO else HOVERS_SHORT])


def left_out(tokens: TokenFilter) -> str:
    """Say which tokens are not among the points."""
    words = [
        *(["special tokens"] if not tokens.special else []),
        *(["padding"] if not tokens.pad else []),
        *(["first positions"] if not tokens.first_position else []),
        *([f"tokens over {tokens.sink_ratio:g} times the median norm"] if tokens.sink_ratio else []),
    ]
    return f"Left out: {', '.join(words)}." if words else "No token is left out."
