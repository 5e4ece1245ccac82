"""Priors before any training: their samples on the map of the reference, and how they compare."""

import streamlit as st

from pages.widgets.pages import through_app

through_app()

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.activations.clouds import find_cloud
from core.activations.references import ReferenceRequest, missing_clouds
from core.analysis.frozen_maps import Overlay
from core.commands.options import arguments
from core.commands.sample import sample
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import XAVIER, prior_marks
from core.figures.panels import panels_figure
from core.jobs.projection import StoredMap
from core.priors.exclusion import ExclusionSpec
from core.specs import FINAL, CloudSpec, ModelSpec, PriorSpec, ProjectionSpec, Spec
from core.store import Store
from pages.maps.choice import SIZES, MapRequest, map_choice, map_words, offer_name, overlay_on_map, overlay_table
from pages.maps.clouds import map_layers, need_clouds, need_vocabulary
from pages.maps.nearest import stored_clouds
from pages.maps.words import write_words
from pages.priors_parts.exclusion import inspect_exclusion
from pages.priors_parts.fits import need_fit
from pages.priors_parts.history import Placed, ghost
from pages.priors_parts.laboratory import (
    Drawn,
    distances,
    norms,
    null_layers,
    points_table,
    reports_table,
    summary_table,
)
from pages.priors_parts.presets import preset_choice
from pages.priors_parts.preview import (
    NotFitted,
    Preview,
    ReferenceFacts,
    SampleRequest,
    fit_and_sample,
    nulls_of,
    reference_facts,
)
from pages.priors_parts.prior_list import labels, prior_list
from pages.widgets.beside import sides
from pages.widgets.choices import dataset_choice, model_choice, seed_field, site_choice
from pages.widgets.cite import cite_command
from pages.widgets.forms import short_json
from pages.widgets.layout import empty, errors, plain, redraw
from pages.widgets.pages import page
from pages.widgets.state import View
from pages.widgets.stored import Stored, capture_words, dataset_values, stored_captures, stored_choice

MEAN = replace(XAVIER, size=13)
CENTRE = "mean of the reference"
NULL = "null: "
VIEWS = {"norms": "Norms", "distances": "Distances", "points": "Points", "fits": "Fits", "exclusion": "Exclusion"}


@dataclass(frozen=True)
class Options:
    """How samples are drawn and shown."""

    map_request: MapRequest
    size: str
    panels: bool
    nulls: bool
    n: int
    seed: int


def reference_choice(view: View, store: Store) -> ReferenceRequest | None:
    """Draw the reference picker and return what the priors are fitted on; None while no file is chosen."""
    model, facts = model_choice(store)
    with errors():  # a model that cannot be read leaves the other fields to choose with
        stored_choice(view, stored_references(model, store))
    preset_choice(view, facts.n_layers)
    kind = view.segments("reference", "Reference cloud", {"vocabulary": "Vocabulary", "activations": "Activations"})
    if kind == "vocabulary":
        return ReferenceRequest(model)
    dataset = dataset_choice(view, store)
    site = site_choice(view, facts)
    return ReferenceRequest(model, CloudSpec(model=model, dataset=dataset, sites=(site,)), site) if dataset else None


def stored_references(model: ModelSpec, store: Store) -> list[Stored]:
    """Return the activations of a model that priors can be fitted on."""
    return [
        Stored(
            f"Activations · {capture_words([one])}",
            {**dataset_values(one.dataset), "reference": "activations", "site": site},
        )
        for one in stored_captures(model, store)
        if one.pooling == "token" and (cloud := find_cloud(one, store))
        for site in cloud.sites[:1]
    ]


def ready(reference: ReferenceRequest, priors: list[PriorSpec], view: View, store: Store) -> bool:
    """Return whether all clouds that the priors are fitted on are stored; offer the others."""
    missing = list(dict.fromkeys(cloud for prior in priors for cloud in missing_clouds(prior, reference, store)))
    captures = [needed for needed in missing if isinstance(needed, CloudSpec)]
    if any(isinstance(needed, ModelSpec) for needed in missing):
        need_vocabulary(reference.model, store)
    elif captures:
        need_clouds(captures, store, view.page)
    return not missing


def laboratory(view: View, reference: ReferenceRequest, priors: list[PriorSpec], edited: int, store: Store) -> None:
    """Draw all samples on the reference's map, with the numbers that qualify them."""
    if reference.cloud:
        near = stored_clouds([reference.cloud], store, view.page)
        if not near:
            return
        reference = replace(reference, cloud=near[0])
    if not ready(reference, priors, view, store):
        return
    options = options_choice(view, len(priors) > 1, store)
    requests = [SampleRequest(store.root, reference, prior, options.n, options.seed) for prior in priors]
    facts = reference_facts(store.root, reference)
    previews = sample_all(requests, facts, store)
    if not previews:
        return
    which = edited if edited in previews else next(iter(previews))
    names, nulls = labels(priors), nulls_of(requests[which]) if options.nulls else {}
    groups = {names[i]: preview.sample for i, preview in previews.items()}
    groups |= {f"{NULL}{name}": points for name, points in nulls.items()}
    if not options.map_request.joint:
        groups[CENTRE] = facts.mean[None]
    overlaid = overlay_on_map(options.map_request, map_spec(reference, options.map_request), groups, store)
    if overlaid is None:
        return
    stored, placed = overlaid
    marks = prior_marks([prior.kind for prior in priors])
    drawn = {i: Drawn(names[i], requests[i], preview, placed[names[i]], marks[i]) for i, preview in previews.items()}
    described = st.session_state.get(view.key("described"), requests) == requests
    slot, where = (which, len(priors)), placed[names[which]].coordinates
    before = ghost(view, Placed(stored.artifact.key, slot, priors[which], where), marks[which])
    picture(view, reference, stored, list(drawn.values()), placed, before, described, options, store)
    for one in drawn.values():
        cite(reference, one.request.prior, options)
    summary_table(list(drawn.values()))
    words = drawn[which].preview.report.get("in_words")
    if words:
        st.info(plain(words), icon=":material/lightbulb:")
    details(view, list(drawn.values()), drawn[which], facts, options)
    st.session_state[view.key("described")] = requests
    if not described:  # the picture of a move came at once, and what takes longer is known now
        st.rerun()


def map_spec(reference: ReferenceRequest, request: MapRequest) -> ProjectionSpec:
    """Return the map of the reference cloud."""
    fitted_on = {"vocabulary": True} if reference.cloud is None else {"clouds": (reference.cloud,)}
    return ProjectionSpec.parse({"model": reference.model, "site": reference.site, **request.settings, **fitted_on})


def cite(reference: ReferenceRequest, prior: PriorSpec, options: Options) -> None:
    """Note the command that draws the sample of a prior."""
    groups: dict[str, Spec] = {"model": reference.model}
    where = ["--vocabulary"]
    if reference.cloud:
        groups["dataset"], where = reference.cloud.dataset, ["--site", str(reference.site)]
    drawn = ["-n", str(options.n), "--seed", str(options.seed), "--out", f"{prior.kind}.safetensors"]
    cite_command("sample", "--prior", prior.canonical_json(), *arguments(sample, **groups), *where, *drawn)


def sample_all(requests: list[SampleRequest], facts: ReferenceFacts, store: Store) -> dict[int, Preview]:
    """Return the samples of priors by index; offer the fit instead, if it takes long."""
    found: dict[int, Preview] = {}
    for i, request in enumerate(requests):
        try:
            found[i] = fit_and_sample(request)
        except NotFitted:
            need_fit(request.prior, request.reference, facts.n_points, len(facts.mean), store)
    return found


def options_choice(view: View, several: bool, store: Store) -> Options:
    """Draw the options of the samples and return them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        map_request = map_choice(view, store, vectors=True)
        size = view.choice("size", "Point size", list(SIZES), show=SIZES.__getitem__, width=190)
        panels = False
        if several and map_request.settings.get("n_components", 2) == 2:
            layouts = {"overlaid": "Overlaid", "panels": "Side by side"}
            panels = view.segments("shown", "Samples", layouts, width="content") == "panels"
        nulls = view.switch(
            "nulls",
            "Null samples of the selected prior" if several else "Null samples",
            help="Random directions with the sample's norms, a Gaussian with the mean and covariance of the reference, "
            "and points of the reference itself.",
        )
        n = view.number("n", "Vectors per prior", 200, 1, 5000, step=50, width=150)
        seed = seed_field(view, "seed", width=110)
    return Options(map_request, size, panels, nulls, n, seed)


def picture(
    view: View,
    reference: ReferenceRequest,
    stored: StoredMap,
    drawn: list[Drawn],
    placed: Mapping[str, Overlay],
    before: list[Layer],
    described: bool,
    options: Options,
    store: Store,
) -> None:
    """Draw the samples on the map, over the previous setting, and say which lie outside it."""
    background = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    nulls = null_layers({name.removeprefix(NULL): one for name, one in placed.items() if name.startswith(NULL)})
    centre = [Layer(CENTRE, placed[CENTRE].coordinates, "xavier", mark=MEAN)] if CENTRE in placed else []
    samples, key = [one.layer(options.size, described) for one in drawn], stored.artifact.key
    if options.panels:
        panels = [(one.name, [layer, *centre]) for one, layer in zip(drawn, samples, strict=True)]
        panels += [(layer.name, [layer, *centre]) for layer in nulls]
        figure = panels_figure(background, panels, map_axes(stored.map), revision=key)
    else:
        figure = map_figure([*background, *nulls, *before, *samples, *centre], map_axes(stored.map), revision=key)
        write_words(view, figure, stored, background, [layer.coordinates for layer in (*nulls, *samples)], store)
    redraw(figure, "priors.map", "Samples of the priors on the map of the reference cloud")
    words = [f"{options.n} vectors per prior (seed {options.seed}).", map_words(stored, store)]
    if options.size != "same":
        words.append(f"Point size: {SIZES[options.size]}.")
    if stored.spec.site != reference.site:
        words.append(f"**The priors are fitted at site {reference.site}, but this map shows site {stored.spec.site}.**")
    st.caption(" ".join(words))
    if stored.map.tsne is not None and not stored.joint:
        overlay_table(stored, {name: one for name, one in placed.items() if name != CENTRE})
    offer_name(view, stored, store)


def details(view: View, drawn: list[Drawn], selected: Drawn, facts: ReferenceFacts, options: Options) -> None:
    """Draw one of the views under the map."""
    match view.segments("look", "Details", VIEWS):
        case "norms":
            norms(drawn, facts, nulls_of(selected.request) if options.nulls else {})
        case "distances":
            distances(drawn, facts)
        case "points":
            points_table(selected)
        case "fits":
            reports_table(drawn)
        case _:
            c = selected.request.prior.c if isinstance(selected.request.prior, ExclusionSpec) else 5.0
            dim = selected.preview.report.get("effective_dim", len(facts.mean))
            inspect_exclusion(view, c, max(2, dim), len(facts.mean))


def tuning_address(reference: ReferenceRequest, prior: PriorSpec) -> dict[str, str]:
    """Return the parameters of the Tune page that start from a prior as it is fitted here.

    A prior of a deeper site becomes a deep prompt at that site; at 'final' there is nothing to prompt.
    """
    wanted = {"prior": short_json(prior)}
    if reference.cloud:
        values = dataset_values(reference.cloud.dataset)
        wanted |= {name: str(value) for name, value in values.items()} | {"reference": "activations"}
    if reference.site not in (0, FINAL):
        wanted |= {"method": "deep", "prompt_sites": str(reference.site)}
    return wanted


page_view, page_store = View("priors"), Store.default()
left_side, right_side = sides()
chosen_reference, chosen_priors, selected_index = None, [], 0
with left_side, errors():
    with st.container(border=True):
        chosen_reference = reference_choice(page_view, page_store)
    with st.container(border=True):
        chosen_priors, selected_index = prior_list(page_view)
    if chosen_reference and chosen_priors:
        tune = st.button("Tune with this prior", type="primary", icon=":material/model_training:", width="stretch")
        if tune:
            st.switch_page(page("tune"), query_params=tuning_address(chosen_reference, chosen_priors[selected_index]))
with right_side, errors():
    if chosen_reference is None:
        empty("upload_file", "No file chosen", "Upload a file on the left, or choose another data set.")
    elif chosen_priors:
        laboratory(page_view, chosen_reference, chosen_priors, selected_index, page_store)
