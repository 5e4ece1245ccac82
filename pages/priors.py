"""A prior before any training: what it samples, on the map of its reference cloud."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.engine.projection import StoredMap
from core.figures.clouds import Layer, map_figure
from core.figures.priors import radial_figure
from core.priors import build_prior
from core.priors.exclusion import Exclusion
from core.specs import CloudSpec, ModelSpec, PriorSpec, ProjectionSpec, parse_prior
from core.store import Store
from pages.common.choices import dataset_choice, model_choice, short_name, site_choice
from pages.common.clouds import axes, map_layers, need_clouds, need_map, need_vocabulary
from pages.common.forms import prior_form
from pages.common.layout import draw, empty, errors, header, numbers, plain
from pages.common.pages import TUNE
from pages.common.state import View, open_store


def reference(view: View, store: Store) -> tuple[ModelSpec, CloudSpec | None, int | str, bool]:
    """Draw the reference picker: model, the activations' spec (None: the vocabulary), site, and whether it is whole."""
    model, facts = model_choice(view.page, store)
    kind = view.segments("reference", "Reference cloud", {"vocabulary": "Vocabulary", "activations": "Activations"})
    if kind == "vocabulary":
        return model, None, 0, True
    dataset = dataset_choice(view, store)
    site = site_choice(view, facts)
    if dataset is None:
        return model, None, site, False
    return model, CloudSpec(model=model, dataset=dataset, sites=(site,)), site, True


@st.cache_data(show_spinner="Fitting the prior …", max_entries=32)
def fit_and_sample(
    root: Path, kind: str, cloud_json: str, site: int | str, prior_json: str, n: int, seed: int
) -> tuple[NDArray[np.float32], dict[str, Any], NDArray[np.float32], Any]:
    """Fit a prior on a stored cloud.

    Returns:
        sample (n, d), report, mean of the cloud (d,), and the radial curves where the prior has them.
    """
    store = Store(root)
    found = (
        find_vocabulary(ModelSpec.parse(cloud_json), store)
        if kind == "vocabulary"
        else find_cloud(CloudSpec.parse(cloud_json), store)
    )
    cloud = _there(found)
    moments = cloud.moments(site)
    fitted = build_prior(parse_prior(prior_json)).fit(cloud.points(site), moments)
    curves = fitted.radial_density() if isinstance(fitted, Exclusion) else None
    return fitted.sample(n, np.random.default_rng(seed)), fitted.report(), moments.mean.astype(np.float32), curves


def _there(cloud: Cloud | None) -> Cloud:
    if cloud is None:
        st.rerun()  # it was pruned between two looks
    return cloud


def picture(view: View, model: ModelSpec, cloud_spec: CloudSpec | None, site: int | str, prior: PriorSpec) -> None:
    """Draw the sample on the reference's map, and what qualifies it."""
    store = open_store()
    if cloud_spec is None:
        ready, cloud_json = need_vocabulary(model, store), model.canonical_json()
        spec = ProjectionSpec(model=model, vocabulary=True)
    else:
        ready, cloud_json = need_clouds([cloud_spec], store, view.page), cloud_spec.canonical_json()
        spec = ProjectionSpec(model=model, site=site, clouds=(cloud_spec,))
    if ready is None:
        return
    dimensions, n, seed = options(view)
    stored = need_map(spec.model_copy(update={"n_components": dimensions}), store)
    if stored is None:
        return
    kind = "vocabulary" if cloud_spec is None else "activations"
    sample, report, mean, curves = fit_and_sample(store.root, kind, cloud_json, site, prior.canonical_json(), n, seed)
    placed = stored.map.place(sample)
    role = "xavier" if prior.kind == "xavier" else "prior"
    spec = spec.model_copy(update={"n_components": dimensions})
    layers = map_layers(store.root, spec.canonical_json(), stored.artifact.key, "dataset", True)
    centre = Layer("mean of the reference", stored.map.place(mean[None]).coordinates, "xavier")
    hover = [f"prior sample {i}<br>{share:.1%} off this plane" for i, share in enumerate(placed.off_plane_share)]
    sampled = Layer(f"{prior.title} sample ({n})", placed.coordinates, role, hover=hover, ids=np.arange(n))
    draw(map_figure([*layers, sampled, centre], axes(stored), revision=stored.artifact.key), key="priors.map")
    info = stored.artifact.info
    st.caption(
        f"{n} samples (seed {seed}) of the prior fitted on {plain(layers[0].name)} at site {site} of "
        f"{plain(short_name(model.name))}. "
        f"Axes: principal components of {info['n_points']:,} of {info['n_available']:,} reference points, frozen."
    )
    qualify(stored, sample, placed.off_plane_share, placed.t_squared, report, curves)


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


def qualify(
    stored: StoredMap, sample: NDArray, share: NDArray, t_squared: NDArray, report: dict[str, Any], curves: Any
) -> None:
    """Write the numbers under the picture, the report and the radial curves."""
    fitted = stored.map
    typical = float(np.sqrt(fitted.pca.total_variance + (fitted.pca.mean**2).sum()))
    values = {
        "Median norm": f"{np.median(np.linalg.norm(sample, axis=1)):.3g}",
        "Reference norm": f"{typical:.3g}",
        "Energy off the plane": f"{float(np.median(share)):.1%}",
        "T² in the plane": f"{float(np.median(t_squared)):.2g}",
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
        st.info(report["in_words"], icon=":material/lightbulb:")
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
with left_side, errors():
    with st.container(border=True):
        asked_model, asked_cloud, asked_site, whole = reference(page_view, page_store)
    with st.container(border=True):
        asked_prior = prior_form(page_view)
    if asked_prior and st.button(
        "Tune with this prior", type="primary", icon=":material/model_training:", width="stretch"
    ):
        chosen = {"prior": st.query_params.get("prior", asked_prior.kind)}
        if asked_cloud is not None:
            chosen |= {"reference": "activations"}
        st.switch_page(TUNE, query_params=chosen)
with right_side, errors():
    if not whole:
        empty("upload_file", "No file chosen", "Upload a file on the left, or choose another data set.")
    elif asked_prior:
        picture(page_view, asked_model, asked_cloud, asked_site, asked_prior)
