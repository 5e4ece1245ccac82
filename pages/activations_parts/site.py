"""The clouds of one site on their map, with the numbers that qualify the picture."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.activations.clouds import Cloud
from core.figures.components import explained_variance_figure
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec, TokenFilter
from core.store import Store
from pages.activations_parts.closer import closer
from pages.activations_parts.components import show_components
from pages.activations_parts.points import HOVER_UP_TO, Points, read_points
from pages.maps.choice import map_words, need_chosen_map, offer_name
from pages.maps.clouds import labels, need_clouds
from pages.maps.nearest import stored_view
from pages.maps.overlays import need_overlays
from pages.widgets.layout import draw, numbers
from pages.widgets.provenance import write_origin
from pages.widgets.state import View

OWNED = 0.9
"""Share of the variance along one direction above which sinks dominate the picture."""
HOVERS = "Hover over a point to see its token in context."
HOVERS_SHORT = "Hover over a point to see its token; select tokens to read them in context."


def one_site(view: View, spec: ProjectionSpec, map_name: str, store: Store) -> None:
    """Draw the clouds on their map, the selection, and the numbers that qualify the picture."""
    shown = stored_view(spec, store, view.page, elsewhere=True)
    clouds = need_clouds(shown.clouds, store, view.page) if shown else None
    if shown is None or clouds is None:
        return
    spec = shown
    stored = need_chosen_map(map_name, spec, store)
    if stored is None or not need_overlays(spec, stored, store):
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
            "of each text, dominate this picture. Leave out first positions or sinks under *Tokens and points*.",
            icon=":material/lightbulb:",
        )
    count = max(1, int((explained.cumsum() < 0.5).sum()) + 1)
    half = str(count) if explained.sum() >= 0.5 else f"more than {len(explained)}"
    numbers(
        {
            "Points fitted": f"{stored.artifact.info['n_points']:,}",
            "Variance in these axes": f"{shown:.1%}" if linear else "no axes",
            "Variance not shown": f"{1 - shown:.1%}" if linear else "all distances",
            "Components for half the variance": half,
        },
        {"Variance not shown": "What the map hides: points that look close can be far apart in other directions."},
    )
    left, right = st.columns(2)
    with left:
        figure = explained_variance_figure(explained, stored.map.n_components)
        draw(figure, view.key("explained"), "Share of variance explained by each principal component.")
    with right:
        names = labels(spec.clouds)
        counts = {"of tokens": "n_tokens", "documents": "n_documents"}
        rows = [
            {"cloud": name, "points": f"{len(cloud.rows):,}"}
            | {title: f"{cloud.info[fact]:,}" for title, fact in counts.items() if fact in cloud.info}
            for name, cloud in zip(names, clouds, strict=True)
        ]
        st.dataframe(rows, hide_index=True, width="stretch")
        clouds_provenance(dict(zip(names, clouds, strict=True)))
    with st.expander("What the components consist of"):
        show_components(view, stored, store)


def clouds_provenance(clouds: Mapping[str, Cloud]) -> None:
    """Show the origin of each cloud's texts in an expander; names are the clouds' labels."""
    with st.expander("Where the texts came from"):
        for label, cloud in clouds.items():
            info = cloud.info
            read = (
                f"Read: {info.get('n_tokens_read', 0):,} tokens read, {info.get('n_truncated', 0):,} texts cut at "
                f"{info.get('max_length')} tokens, {info.get('n_empty', 0):,} without a token"
            )
            write_origin(label, info.get("dataset_provenance") or {}, [read])


def caption(spec: ProjectionSpec, stored: StoredMap, points: Points, store: Store) -> str:
    """Say what the map was fitted on, and how many points lie outside its support."""
    words = [map_words(stored, store), left_out(spec.clouds[0].tokens)]
    if spec.clouds[0].pooling == "mean":
        words.insert(1, "Each point is the mean of a text's tokens.")
    if points.background:
        words.insert(1, f"{len(points):,} tokens are overlaid on it.")
    if stored.spec.site != spec.site:
        words.insert(1, f"**They come from site {spec.site}, the map from site {stored.spec.site}.**")
    outside = int((~points.placed).sum())
    if outside:
        words.append(
            f"**{outside / len(points):.1%} of the tokens lie outside the map's support and have no position on it.**"
        )
    return " ".join([*words, HOVERS if len(points) <= HOVER_UP_TO else HOVERS_SHORT])


def left_out(tokens: TokenFilter) -> str:
    """Say which tokens are left out of the points."""
    kept = {"special tokens": tokens.special, "padding": tokens.pad, "first positions": tokens.first_position}
    words = [name for name, keep in kept.items() if not keep]
    if tokens.sink_ratio:
        words.append(f"tokens over {tokens.sink_ratio:g} times the median norm")
    return f"Left out: {', '.join(words)}." if words else "No token is left out."
