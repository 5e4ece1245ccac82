"""Priors before any training: what they sample, on the map of their reference cloud and beside each other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.activations.references import Place, missing_clouds
from core.analysis.frozen_maps import Overlay
from core.commands.options import arguments
from core.commands.sample import sample
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import XAVIER, prior_marks
from core.figures.panels import panels_figure
from core.jobs.projection import StoredMap
from core.priors.exclusion import ExclusionSpec
from core.specs import CloudSpec, ModelSpec, PriorSpec, ProjectionSpec
from core.store import Store
from pages.priors_parts.exclusion import inspect_exclusion
from pages.priors_parts.fits import need_fit
from pages.priors_parts.laboratory import (
    Drawn,
    distances,
    norms,
    null_layers,
    points_table,
    reports_table,
    summary_table,
)
from pages.priors_parts.preview import (
    Asked,
    NotFitted,
    Preview,
    ReferenceFacts,
    fit_and_sample,
    nulls_of,
    reference_facts,
)
from pages.priors_parts.prior_list import labels, prior_list
from pages.widgets.choices import dataset_choice, model_choice, site_choice
from pages.widgets.cite import cite_command
from pages.widgets.clouds import map_layers, need_clouds, need_vocabulary
from pages.widgets.layout import draw, empty, errors, plain
from pages.widgets.maps import SIZES, MapRequest, lay_on_map, map_choice, map_words, offer_name, places_table
from pages.widgets.pages import page
from pages.widgets.state import View, open_store

MEAN = replace(XAVIER, size=13)
CENTRE = "mean of the reference"
NULL = "null: "
LOOKS = {"norms": "Norms", "distances": "Distances", "points": "Points", "fits": "Fits", "exclusion": "Exclusion"}


def reference(view: View, store: Store) -> Place | None:
    """Draw the reference picker and return what the priors are fitted on; None while no file is chosen."""
    model, facts = model_choice(store)
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
    chosen = options(view, len(priors) > 1, store)
    map_request: MapRequest = chosen["map_request"]
    fitted_on = {"vocabulary": True} if place.cloud is None else {"clouds": (place.cloud,)}
    spec = ProjectionSpec.parse({"model": place.model, "site": place.site, **map_request.settings, **fitted_on})
    asked = [Asked.of(store, place, prior, chosen["n"], chosen["seed"]) for prior in priors]
    facts = reference_facts(asked[0].reference)
    names, previews = labels(priors), sample_all(priors, asked, place, facts, store)
    if not previews:
        return
    which = edited if edited in previews else next(iter(previews))
    nulls = nulls_of(asked[which]) if chosen["nulls"] else {}
    groups = {names[i]: preview.sample for i, preview in previews.items()}
    groups |= {f"{NULL}{name}": points for name, points in nulls.items()}
    if not map_request.joint:
        groups[CENTRE] = facts.mean[None]
    laid = lay_on_map(map_request, spec, groups, store)
    if laid is None:
        return
    stored, placed = laid
    marks = prior_marks([prior.kind for prior in priors])
    drawn = {
        i: Drawn(names[i], priors[i], asked[i], preview, placed[names[i]], marks[i]) for i, preview in previews.items()
    }
    subject, drawn = drawn[which], list(drawn.values())
    picture(view, stored, drawn, placed, chosen, store)
    for one in drawn:
        cite(place, one.spec, chosen)
    summary_table(drawn)
    words = subject.preview.report.get("in_words")
    if words:
        st.info(plain(words), icon=":material/lightbulb:")
    look_closer(view, drawn, subject, chosen)


def cite(place: Place, prior: PriorSpec, chosen: dict[str, Any]) -> None:
    """Note the command that draws the sample of a prior."""
    groups: dict[str, Any] = {"model": place.model}
    where = ["--vocabulary"]
    if place.cloud:
        groups["dataset"], where = place.cloud.dataset, ["--site", str(place.site)]
    drawn = ["-n", str(chosen["n"]), "--seed", str(chosen["seed"]), "--out", f"{prior.kind}.safetensors"]
    cite_command("sample", "--prior", prior.canonical_json(), *arguments(sample, **groups), *where, *drawn)


def sample_all(
    priors: list[PriorSpec], asked: list[Asked], place: Place, facts: ReferenceFacts, store: Store
) -> dict[int, Preview]:
    """Return the samples of priors by their place in the list; a fit that takes long is offered instead."""
    found: dict[int, Preview] = {}
    for i, (prior, one) in enumerate(zip(priors, asked, strict=True)):
        try:
            found[i] = fit_and_sample(one)
        except NotFitted:
            need_fit(prior, place, facts.n_points, len(facts.mean), store)
    return found


def options(view: View, several: bool, store: Store) -> dict[str, Any]:
    """Draw the options of the preview."""
    chosen: dict[str, Any] = {"side by side": False}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        chosen["map_request"] = map_choice(view, store, vectors=True)
        chosen["size"] = view.choice("size", "Size of a vector", list(SIZES), show=SIZES.__getitem__, width=190)
        if several and chosen["map_request"].settings.get("n_components", 2) == 2:
            shown = view.segments(
                "shown", "Samples", {"overlaid": "Overlaid", "panels": "Side by side"}, width="content"
            )
            chosen["side by side"] = shown == "panels"
        chosen["nulls"] = view.switch(
            "nulls",
            "Nulls of the prior chosen" if several else "Its nulls",
            help="Random directions with its norms, "
            "a Gaussian with the reference's mean and covariance, and rows of the reference.",
        )
        chosen["n"] = view.number("n", "Vectors drawn", 200, 1, 5000, step=50, width=140)
        chosen["seed"] = view.number("seed", "Seed", 0, 0, 2**31 - 1, step=1, width=110)
    return chosen


def picture(
    view: View,
    stored: StoredMap,
    drawn: list[Drawn],
    placed: Mapping[str, Overlay],
    chosen: dict[str, Any],
    store: Store,
) -> None:
    """Draw the samples on the map, and say what has no place on it."""
    background = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    nulls = null_layers({name.removeprefix(NULL): one for name, one in placed.items() if name.startswith(NULL)})
    centre = [Layer(CENTRE, placed[CENTRE].coordinates, "xavier", mark=MEAN)] if CENTRE in placed else []
    samples, key = [one.layer(chosen["size"]) for one in drawn], stored.artifact.key
    if chosen["side by side"]:
        panels = [(one.name, [layer, *centre]) for one, layer in zip(drawn, samples, strict=True)]
        panels += [(layer.name, [layer, *centre]) for layer in nulls]
        figure = panels_figure(background, panels, map_axes(stored.map), revision=key)
    else:
        figure = map_figure([*background, *nulls, *samples, *centre], map_axes(stored.map), revision=key)
    draw(figure, "priors.map", "Samples of the priors on the map of the reference cloud")
    words = [f"{chosen['n']} vectors of each prior (seed {chosen['seed']}).", map_words(stored, store)]
    if chosen["size"] != "same":
        words.append(f"Size: {SIZES[chosen['size']]}.")
    site = drawn[0].asked.site
    if stored.spec.site != site:
        words.append(f"**The priors are fitted at site {site}, the map is of site {stored.spec.site}.**")
    st.caption(" ".join(words))
    if stored.map.method == "tsne" and not stored.joint:
        places_table(stored, {name: one for name, one in placed.items() if name != CENTRE})
    offer_name(view, stored, store)


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
