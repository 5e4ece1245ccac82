"""Clouds at one site on their map, with the numbers that qualify the picture."""

from collections.abc import Sequence

import streamlit as st

from core.activations.clouds import Cloud
from core.engine.projection import StoredMap
from core.figures.priors import explained_variance_figure
from core.specs import ProjectionSpec, TokenFilter
from core.store import Store
from pages.common.activations.closer import closer
from pages.common.activations.points import read_points
from pages.common.choices import short_name
from pages.common.clouds import labels, need_clouds, need_map, sources_table
from pages.common.layout import draw, numbers, plain
from pages.common.provenance import clouds_provenance
from pages.common.state import View

# Above this share of the variance along one direction, sinks are at work.
OWNED = 0.9


def one_site(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the clouds on their map, what was selected on it, and what qualifies the picture."""
    clouds = need_clouds(spec.clouds, store, view.page)
    if clouds is None:
        return
    stored = need_map(spec, store)
    if stored is None:
        return
    points = read_points(spec.canonical_json(), stored.artifact.key, stored, clouds)
    closer(view, spec, store, stored, points)
    st.caption(caption(spec, stored, clouds))
    details(view, spec, stored, clouds)


def details(view: View, spec: ProjectionSpec, stored: StoredMap, clouds: Sequence[Cloud]) -> None:
    """Write the numbers under the picture."""
    explained = stored.map.pca.explained
    shown = float(explained[: spec.n_components].sum())
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
            "Points drawn": f"{stored.artifact.info['n_points']:,}",
            "Variance in these axes": f"{shown:.1%}" if spec.method == "pca" else "no axes",
            "Variance not shown": f"{1 - shown:.1%}" if spec.method == "pca" else "all distances",
            "Components for half": half,
        },
        {"Variance not shown": "What the picture hides: points that look near can be far apart off the plane."},
    )
    left, right = st.columns(2)
    with left:
        draw(explained_variance_figure(explained, spec.n_components), key=view.key("explained"))
    with right:
        names = labels(spec.clouds)
        st.dataframe(sources_table(clouds, names), hide_index=True, width="stretch")
        clouds_provenance(dict(zip(names, clouds, strict=True)))


def caption(spec: ProjectionSpec, stored: StoredMap, clouds: Sequence[Cloud]) -> str:
    """Say what was fitted on what."""
    names = ", ".join(plain(label) for label in labels(spec.clouds))
    info = stored.artifact.info
    tokens = sum(int(cloud.info.get("n_tokens", 0)) for cloud in clouds)
    name = (
        "Principal components"
        if spec.method == "pca"
        else f"t-SNE (perplexity {spec.perplexity:g}, 50 components first)"
    )
    return (
        f"{name} fitted on {info['n_points']:,} of {tokens:,} tokens of {names}, at site {spec.site} of "
        f"{plain(short_name(spec.model.name))}; seed {spec.seed}. {left_out(spec.clouds[0].tokens)} "
        "Hover shows each token in its context."
    )


def left_out(tokens: TokenFilter) -> str:
    """Say which tokens are not among the points."""
    words = [
        *(["special tokens"] if not tokens.special else []),
        *(["padding"] if not tokens.pad else []),
        *(["first positions"] if not tokens.first_position else []),
        *([f"tokens over {tokens.sink_ratio:g} times the median norm"] if tokens.sink_ratio else []),
    ]
    return f"Left out: {', '.join(words)}." if words else "No token is left out."
