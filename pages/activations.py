"""Activations of a model on data sets: one site, all sites, or the effect of each kind of token."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from core.specs import CloudSpec, ProjectionSpec
from core.store import Store
from pages.activations_parts.hygiene import token_hygiene
from pages.activations_parts.layers import all_sites
from pages.activations_parts.site import one_site
from pages.activations_parts.stored import stored_views
from pages.maps.choice import map_choice
from pages.widgets.beside import controls_beside
from pages.widgets.choices import dataset_choices, model_choice, seed_field, site_choice, token_filter
from pages.widgets.layout import errors
from pages.widgets.state import View
from pages.widgets.stored import stored_choice

VIEWS = {"site": "One site", "layers": "All sites", "hygiene": "Token hygiene"}
"""What can be shown on the right."""
MEANS = "The mean is over a text's tokens, except those left out below, as in the paper's Figure 5."


def controls(view: View, store: Store) -> tuple[ProjectionSpec, str] | None:
    """Draw the controls and return the map and the name they ask for; None without a data set."""
    with st.container(border=True):
        model, facts = model_choice(store, encoders=True)
        with errors():  # a model that cannot be read leaves the other fields to choose with
            stored_choice(view, stored_views(model, store))
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
        map_request = map_choice(view, store)
        seed = seed_field(view, "seed", help="Determines which points are drawn, and t-SNE's random numbers.")
    if not datasets:
        return None
    shared = {"model": model, "sites": (site,), "tokens": tokens, "pooling": pooling}
    shared |= {"rows": rows, "max_length": length, "seed": seed}
    clouds = tuple(CloudSpec.parse({**shared, "dataset": dataset}) for dataset in datasets)
    settings = {"n_points": rows, "seed": seed, **map_request.settings}
    spec = ProjectionSpec.parse({"model": model, "site": site, "clouds": clouds, **settings})
    return spec, map_request.name


def views(view: View, asked: tuple[ProjectionSpec, str], store: Store) -> None:
    """Draw the view that is chosen on the right."""
    spec, map_name = asked
    match view.segments("show", "Show", VIEWS):
        case "layers":
            all_sites(view, spec, store)
        case "hygiene":
            token_hygiene(view, spec, store)
        case _:
            one_site(view, spec, map_name, store)


controls_beside(View("activations"), Store.default(), controls, views)
