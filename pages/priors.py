"""Priors before any training: what they sample, on the map of their reference cloud and beside each other."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.activations.references import Place, missing_clouds
from core.engine.projection import StoredMap
from core.figures.clouds import Layer, map_figure
from core.figures.palette import XAVIER
from core.figures.panels import panels_figure
from core.figures.priors import prior_marks
from core.priors.exclusion import ExclusionSpec
from core.specs import CloudSpec, ModelSpec, PriorSpec, ProjectionSpec
from core.store import Store
from pages.common.choices import dataset_choice, model_choice, short_name, site_choice
from pages.common.clouds import axes, map_layers, need_clouds, need_map, need_vocabulary
from pages.common.exclusion import inspect_exclusion
from pages.common.fits import need_fit
from pages.common.laboratory import (
    Drawn,
    distances,
    norms,
    null_layers,
    points_table,
    reports_table,
    summary_table,
)
from pages.common.layout import draw, empty, errors, header, plain
from pages.common.pages import page
from pages.common.preview import Asked, NotFitted, nulls_of, reference_facts
from pages.common.priors import labels, prior_list
from pages.common.state import View, open_store

MEAN = replace(XAVIER, size=13)
LOOKS = {"norms": "Norms", "distances": "Distances", "points": "Points", "fits": "Fits", "exclusion": "Exclusion"}


def reference(view: View, store: Store) -> Place | None:
    """Draw the reference picker and return what the priors are fitted on; None while no file is chosen."""
    model, facts = model_choice(view.page, store)
    kind = view.segments("reference", "Reference cloud", {"vocabulary": "Vocabulary", "activations": "Activations"})
    if kind == "vocabulary":
        return Place(model)
    dataset = dataset_choice(view, store)
    site = site_choice(view, facts)
    return Place(model, CloudSpec(model=model, dataset=dataset, sites=(site,)), site) if dataset else None


def ready(place: Place, priors: list[PriorSpec], view: View, store: Store) -> bool:
    """Return whether all clouds that the priors are fitted on are there; offer to make those that are not."""
    missing = list(dict.fromkeys(cloud for prior in priors for cloud in missing_clouds(prior, place, store)))
    captures = [needed for needed in missing if isinstance(needed, CloudSpec)]
    if any(isinstance(needed, ModelSpec) for needed in missing):
        need_vocabulary(place.model, store)
    elif captures:
        need_clouds(captures, store, view.page)
    return not missing


def laboratory(view: View, place: Place, priors: list[PriorSpec], edited: int, store: Store) -> None:
    """Draw all samples on the reference's map, and what qualifies them."""
    if not ready(place, priors, view, store):
        return
    chosen = options(view, several=len(priors) > 1)
    fitted_on = {"vocabulary": True} if place.cloud is None else {"clouds": (place.cloud,)}
    shape = {"model": place.model, "site": place.site, "n_components": chosen["dimensions"]}
    spec = ProjectionSpec.parse({**shape, **fitted_on})
    stored = need_map(spec, store)
    if stored is None:
        return
    asked = [Asked.of(store, place, prior, chosen["n"], chosen["seed"]) for prior in priors]
    facts = reference_facts(asked[0].reference)
    drawn: list[Drawn] = []
    marks = prior_marks([prior.kind for prior in priors])
    for name, prior, one, look in zip(labels(priors), priors, asked, marks, strict=True):
        try:
            drawn.append(Drawn.of(name, prior, one, stored.map, look))
        except NotFitted:
            need_fit(prior, place, facts.n_points, len(facts.mean), store)
    if not drawn:
        return
    subject = next((one for one in drawn if one.asked == asked[edited]), drawn[0])
    picture(spec, stored, drawn, subject, chosen, store)
    summary_table(drawn)
    words = subject.preview.report.get("in_words")
    if words:
        st.info(plain(words), icon=":material/lightbulb:")
    look_closer(view, drawn, subject, chosen)


def options(view: View, several: bool) -> dict[str, Any]:
    """Draw the options of the preview."""
    chosen: dict[str, Any] = {"side by side": False}
    cells = st.columns([1, 1.5, 1.5, 1, 1], vertical_alignment="bottom")
    with cells[0]:
        chosen["dimensions"] = view.segments("dimensions", "Dimensions", {2: "2-D", 3: "3-D"})
    with cells[1]:
        if several and chosen["dimensions"] == 2:
            shown = view.segments("shown", "Samples", {"overlaid": "Overlaid", "panels": "Side by side"})
            chosen["side by side"] = shown == "panels"
    with cells[2]:
        chosen["nulls"] = view.switch(
            "nulls", "Nulls of the prior chosen" if several else "Its nulls", help="Random directions with its norms, "
            "a Gaussian with the reference's mean and covariance, and rows of the reference.",
        )  # fmt: skip
    with cells[3]:
        chosen["n"] = view.number("n", "Vectors drawn", 200, 1, 5000, step=50)
    with cells[4]:
        chosen["seed"] = view.number("seed", "Seed", 0, 0, 2**31 - 1, step=1)
    return chosen


def picture(
    spec: ProjectionSpec, stored: StoredMap, drawn: list[Drawn], subject: Drawn, chosen: dict[str, Any], store: Store
) -> None:
    """Draw the samples on the map."""
    background = map_layers(store.root, spec.canonical_json(), stored.artifact.key, "dataset", True)
    facts = reference_facts(subject.asked.reference)
    centre = Layer("mean of the reference", stored.map.place(facts.mean[None]).coordinates, "xavier", mark=MEAN)
    nulls = null_layers(subject.asked, stored.map) if chosen["nulls"] else []
    key = stored.artifact.key
    if chosen["side by side"]:
        panels = [(one.name, [one.layer(), centre]) for one in drawn]
        panels += [(layer.name, [layer, centre]) for layer in nulls]
        figure = panels_figure(background, panels, axes(stored), revision=key)
    else:
        figure = map_figure([*background, *nulls, *(one.layer() for one in drawn), centre], axes(stored), revision=key)
    draw(figure, key="priors.map")
    info = stored.artifact.info
    st.caption(
        f"{len(subject.preview.sample)} vectors of each prior (seed {chosen['seed']}); reference: "
        f"{plain(background[0].name)} at site {spec.site} of {plain(short_name(spec.model.name))}. Axes: principal "
        f"components of {info['n_points']:,} of {info['n_available']:,} reference points, frozen."
    )


def look_closer(view: View, drawn: list[Drawn], subject: Drawn, chosen: dict[str, Any]) -> None:
    """Draw one of the views under the map."""
    facts = reference_facts(subject.asked.reference)
    match view.segments("look", "Look closer", LOOKS):
        case "norms":
            norms(drawn, facts, nulls_of(subject.asked) if chosen["nulls"] else {})
        case "distances":
            distances(drawn, facts)
        case "points":
            points_table(subject)
        case "fits":
            reports_table(drawn)
        case _:
            c = subject.spec.c if isinstance(subject.spec, ExclusionSpec) else 5.0
            dim = subject.preview.report.get("effective_dim", len(facts.mean))
            inspect_exclusion(view, c, max(2, dim), len(facts.mean))


header("Priors", "Where would the prompt start, before anything is paid for training?")
page_view, page_store = View("priors"), open_store()
left_side, right_side = st.columns([1, 2.6], gap="large")
asked_place, asked_priors, asked_which = None, [], 0
with left_side, errors():
    with st.container(border=True):
        asked_place = reference(page_view, page_store)
    with st.container(border=True):
        asked_priors, asked_which = prior_list(page_view)
    if asked_priors and st.button(
        "Tune with this prior", type="primary", icon=":material/model_training:", width="stretch"
    ):
        name = f"prior{asked_which + 1}" if asked_which else "prior"
        wanted = {"prior": st.query_params.get(name, asked_priors[asked_which].kind)}
        if asked_place and asked_place.cloud:
            wanted |= {"reference": "activations"}
        st.switch_page(page("tune"), query_params=wanted)
with right_side, errors():
    if asked_place is None:
        empty("upload_file", "No file chosen", "Upload a file on the left, or choose another data set.")
    elif asked_priors:
        laboratory(page_view, asked_place, asked_priors, asked_which, page_store)
