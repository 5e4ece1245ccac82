"""Activations of a model on data sets, as clouds at one site."""

from collections.abc import Sequence

import streamlit as st

from core.activations.clouds import Cloud
from core.engine.projection import StoredMap
from core.figures.clouds import map_figure
from core.figures.priors import explained_variance_figure
from core.specs import CloudSpec, ProjectionSpec, TokenFilter
from core.store import Store
from pages.common.choices import dataset_choices, model_choice, short_name, site_choice, token_filter
from pages.common.clouds import axes, labels, map_layers, need_clouds, need_map, sources_table
from pages.common.forms import spec_fields
from pages.common.layout import draw, empty, errors, header, numbers, plain
from pages.common.provenance import clouds_provenance
from pages.common.state import View, open_store

COLOURS = {"dataset": "Data set", "position": "Position", "token": "Token"}
# Above this share of the variance along one direction, sinks are at work.
OWNED = 0.9


def controls(view: View, store: Store) -> ProjectionSpec | None:
    """Draw the controls and return the map they ask for, or None if no data set is chosen."""
    with st.container(border=True):
        model, facts = model_choice(view.page, store)
        datasets = dataset_choices(view, store)
        site = site_choice(view, facts)
        with st.expander("Tokens and points"):
            rows = view.number("rows", "Points of each", 5000, 50, 200_000, step=1000)
            tokens = token_filter(view)
            length = view.number("max_length", "Longest text", 512, 8, 131_072, step=64, help="In tokens.")
    with st.container(border=True):
        method = view.segments("method", "Map", {"pca": "PCA", "tsne": "t-SNE"})
        dimensions = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"})
        settings: dict = {}
        if method == "tsne":
            settings = spec_fields(view, ProjectionSpec, ("perplexity", "exaggeration", "n_iterations"), columns=1)
        seed = view.number("seed", "Seed", 0, 0, 2**31 - 1, step=1, help="Decides which points, and t-SNE's course.")
    if not datasets:
        return None
    clouds = tuple(
        CloudSpec(model=model, dataset=dataset, sites=(site,), tokens=tokens, rows=rows, max_length=length, seed=seed)
        for dataset in datasets
    )
    return ProjectionSpec.parse(
        {
            "method": method,
            "n_components": dimensions,
            "model": model,
            "site": site,
            "clouds": clouds,
            "n_points": rows,
            "seed": seed,
            **settings,
        }
    )


def picture(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the clouds on their map, and what qualifies the picture."""
    clouds = need_clouds(spec.clouds, store, view.page)
    if clouds is None:
        return
    colour = view.segments("colour", "Colour by", COLOURS)
    stored = need_map(spec, store)
    if stored is None:
        return
    layers = map_layers(store.root, spec.canonical_json(), stored.artifact.key, colour, False)
    draw(map_figure(layers, axes(stored), revision=stored.artifact.key), key="activations.map")
    st.caption(caption(spec, stored, clouds))
    details(spec, stored, clouds)


def details(spec: ProjectionSpec, stored: StoredMap, clouds: Sequence[Cloud]) -> None:
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
        draw(explained_variance_figure(explained, spec.n_components), key="activations.explained")
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


header("Activations", "What do a model's activations on these texts look like at one place in the residual stream?")
with errors():
    page_store, page_view = open_store(), View("activations")
    left_side, right_side = st.columns([1, 2.6], gap="large")
    with left_side:
        asked = controls(page_view, page_store)
    with right_side:
        if asked is None:
            empty("dataset", "No data set chosen", "Choose at least one data set on the left.")
        else:
            picture(page_view, asked, page_store)
