"""Activations of a model on data sets: one site, all sites, or the effect of each kind of token."""

import streamlit as st

from core.specs import CloudSpec, ProjectionSpec
from core.store import Store
from pages.activations_parts.hygiene import token_hygiene
from pages.activations_parts.layers import all_sites
from pages.activations_parts.site import one_site
from pages.widgets.beside import controls_beside
from pages.widgets.choices import dataset_choices, model_choice, site_choice, token_filter
from pages.widgets.cite import box
from pages.widgets.layout import header
from pages.widgets.maps import map_choice
from pages.widgets.state import View, open_store

VIEWS = {
    "site": ("One site", one_site),
    "layers": ("All sites", all_sites),
    "hygiene": ("Token hygiene", token_hygiene),
}
"""What can be shown on the right: its name, and what draws it."""
MEANS = "The mean is over a text's tokens, except those left out below, as in the paper's Figure 5."


def controls(view: View, store: Store) -> ProjectionSpec | None:
    """Draw the controls and return the map they ask for, or None if no data set is chosen."""
    with st.container(border=True):
        model, facts = model_choice(view.page, store, encoders=True)
        datasets = dataset_choices(view, store)
        site = site_choice(view, facts)
        with st.expander("Tokens and points"):
            pooling = view.segments(
                "pooling", "A point is", {"token": "a token", "mean": "the mean of a text"}, help=MEANS
            )
            rows = view.number("rows", "Points per data set", 5000, 50, 200_000, step=1000)
            tokens = token_filter(view)
            length = view.number("max_length", "Longest text (tokens)", 512, 8, 131_072, step=64)
    with st.container(border=True):
        wish = map_choice(view, store)
        seed = view.number(
            "seed", "Seed", 0, 0, 2**31 - 1, step=1, help="Decides which points are drawn, and t-SNE's random numbers."
        )
    if not datasets:
        return None
    clouds = tuple(
        CloudSpec.parse(
            {
                "model": model,
                "dataset": dataset,
                "sites": (site,),
                "tokens": tokens,
                "pooling": pooling,
                "rows": rows,
                "max_length": length,
                "seed": seed,
            }
        )
        for dataset in datasets
    )
    return ProjectionSpec.parse(
        {"model": model, "site": site, "clouds": clouds, "n_points": rows, "seed": seed, **wish.settings}
    )


def views(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the chosen view on the right."""
    names = {name: title for name, (title, _) in VIEWS.items()}
    _, show = VIEWS[view.segments("show", "Show", names)]
    show(view, spec, store)


header("Activations", "What do a model's activations on these texts look like at one site of the residual stream?")
controls_beside(View("activations"), open_store(), controls, views)
box()
