"""A prior before any training: what it samples, on the map of its reference cloud."""

import json
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.activations.references import Place, missing_clouds
from core.analysis.projection import Placement
from core.engine.projection import StoredMap
from core.figures.clouds import Layer, map_figure
from core.figures.priors import radial_figure
from core.specs import CloudSpec, ModelSpec, PriorSpec, ProjectionSpec
from core.store import Store
from pages.common.choices import dataset_choice, model_choice, short_name, site_choice
from pages.common.clouds import axes, map_layers, need_clouds, need_map, need_vocabulary
from pages.common.forms import prior_form
from pages.common.layout import draw, empty, errors, header, numbers, plain
from pages.common.pages import page
from pages.common.preview import Preview, fit_and_sample
from pages.common.state import View, open_store


def reference(view: View, store: Store) -> Place | None:
    """Draw the reference picker and return what a prior is fitted on; None while no file is chosen."""
    model, facts = model_choice(view.page, store)
    kind = view.segments("reference", "Reference cloud", {"vocabulary": "Vocabulary", "activations": "Activations"})
    if kind == "vocabulary":
        return Place(model)
    dataset = dataset_choice(view, store)
    site = site_choice(view, facts)
    return Place(model, CloudSpec(model=model, dataset=dataset, sites=(site,)), site) if dataset else None


def ready(place: Place, prior: PriorSpec, view: View, store: Store) -> bool:
    """Return whether all clouds that the prior is fitted on are there; offer to make those that are not."""
    missing = missing_clouds(prior, place, store)
    captures = [needed for needed in missing if isinstance(needed, CloudSpec)]
    if any(isinstance(needed, ModelSpec) for needed in missing):
        need_vocabulary(place.model, store)
    elif captures:
        need_clouds(captures, store, view.page)
    return not missing


def picture(view: View, place: Place, prior: PriorSpec, store: Store) -> None:
    """Draw the sample on the reference's map, and what qualifies it."""
    if not ready(place, prior, view, store):
        return
    dimensions, n, seed = options(view)
    fitted_on = {"vocabulary": True} if place.cloud is None else {"clouds": (place.cloud,)}
    spec = ProjectionSpec.parse({"model": place.model, "site": place.site, "n_components": dimensions, **fitted_on})
    stored = need_map(spec, store)
    if stored is None:
        return
    cloud_json = place.cloud.canonical_json() if place.cloud else ""
    shown = fit_and_sample(
        store.root, place.model.canonical_json(), cloud_json, place.site, prior.canonical_json(), n, seed
    )
    n_drawn = len(shown.sample)
    placed = stored.map.place(shown.sample)
    layers = map_layers(store.root, spec.canonical_json(), stored.artifact.key, "dataset", True)
    centre = Layer("mean of the reference", stored.map.place(shown.mean[None]).coordinates, "xavier")
    hover = [f"prior sample {i}<br>{share:.1%} off this plane" for i, share in enumerate(placed.off_plane_share)]
    role = "xavier" if prior.kind == "xavier" else "prior"
    sampled = Layer(f"{prior.title} sample ({n_drawn})", placed.coordinates, role, hover=hover, ids=np.arange(n_drawn))
    draw(map_figure([*layers, sampled, centre], axes(stored), revision=stored.artifact.key), key="priors.map")
    info = stored.artifact.info
    st.caption(
        f"{n_drawn} samples (seed {seed}) of the prior; reference: {plain(layers[0].name)} at site {place.site} of "
        f"{plain(short_name(place.model.name))}. Axes: principal components of {info['n_points']:,} of "
        f"{info['n_available']:,} reference points, frozen."
    )
    qualify(stored, shown, placed)


def options(view: View) -> tuple[int, int, int]:
    """Draw the options of the preview: dimensions, sample size, seed."""
    first, second, third = st.columns(3)
    with first:
        dimensions = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"})
    with second:
        n = view.number("n", "Vectors drawn", 200, 1, 5000, step=50)
    with third:
        seed = view.number("seed", "Seed", 0, 0, 2**31 - 1, step=1)
    return dimensions, n, seed


def qualify(stored: StoredMap, shown: Preview, placed: Placement) -> None:
    """Write the numbers under the picture, the report and the radial curves."""
    fitted, report, curves = stored.map, shown.report, shown.curves
    typical = float(np.sqrt(fitted.pca.total_variance + (fitted.pca.mean**2).sum()))
    values = {
        "Median norm": f"{np.median(np.linalg.norm(shown.sample, axis=1)):.3g}",
        "Reference norm": f"{typical:.3g}",
        "Energy off the plane": f"{float(np.median(placed.off_plane_share)):.1%}",
        "T² in the plane": f"{float(np.median(placed.t_squared)):.2g}",
    }
    if "acceptance" in report:
        values["Acceptance"] = f"{report['acceptance']:.2%}"
    numbers(
        values,
        {
            "Reference norm": "Root mean square norm of the reference cloud.",
            "Energy off the plane": "Median share of the squared distance from the mean that this picture hides.",
            "T² in the plane": f"Median; a Gaussian reference has {1.39 if fitted.n_components == 2 else 2.37}.",
        },
    )
    if report.get("in_words"):
        st.info(plain(report["in_words"]), icon=":material/lightbulb:")
    if curves is not None:
        radial = {"fitted Gaussian": curves.gaussian, "exclusion prior": curves.exclusion}
        draw(radial_figure(curves.radius, radial, curves.excluded_radius), key="priors.radial")
        st.caption("Where each distribution's samples lie, by distance from the mean in all dimensions of the model.")
    with st.expander("Report of this fit"):
        rows = [{"fact": name.replace("_", " "), "value": _show(value)} for name, value in report.items()]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _show(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


header("Priors", "Where would the prompt start, before anything is paid for training?")
page_view, page_store = View("priors"), open_store()
left_side, right_side = st.columns([1, 2.6], gap="large")
asked_place, asked_prior = None, None
with left_side, errors():
    with st.container(border=True):
        asked_place = reference(page_view, page_store)
    with st.container(border=True):
        asked_prior = prior_form(page_view)
    if asked_prior and st.button(
        "Tune with this prior", type="primary", icon=":material/model_training:", width="stretch"
    ):
        chosen = {"prior": st.query_params.get("prior", asked_prior.kind)}
        if asked_place and asked_place.cloud:
            chosen |= {"reference": "activations"}
        st.switch_page(page("tune"), query_params=chosen)
with right_side, errors():
    if asked_place is None:
        empty("upload_file", "No file chosen", "Upload a file on the left, or choose another data set.")
    elif asked_prior:
        picture(page_view, asked_place, asked_prior, page_store)
