"""The map on which the Tune page shows the prompt of a run, before and during training."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.jobs.projection import StoredMap
from core.lm.sites import resolve_prompt_sites
from core.sources.models import describe_model
from core.specs import ProjectionSpec, TuningSpec
from core.specs.model import short_name
from core.store import JobFolder, Store
from core.store.imported import unknown_settings
from core.store.prompts import RunPrompts, read_prompts
from pages.maps.clouds import find_picture, map_layers, need_clouds, need_map, need_vocabulary
from pages.maps.vector_labels import labelled_vectors, token_labels
from pages.maps.words import leave_out_distant
from pages.widgets.layout import errors, plain, redraw
from pages.widgets.state import View


@dataclass(frozen=True)
class PromptMap:
    """How a run's prompt is shown on a map.

    Attributes:
        site: whose vectors are shown.
        wanted: the map of that site.
        stored: that map, or None while it is not in the store.
        labelled: vectors that have their nearest token beside them.
    """

    site: int
    wanted: ProjectionSpec
    stored: StoredMap | None
    labelled: Collection[int]


def choose_map(view: View, job: JobFolder, spec: TuningSpec, store: Store) -> PromptMap:
    """Draw the controls of the map of a run."""
    sites = sites_of(job, spec, store)
    site, stored, labelled = sites[0], None, ()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(sites) > 1:
            names = {k: "0 · embeddings" if k == 0 else str(k) for k in sites}
            site = view.segments("site", "Site of the map", names, width="content")
        wanted = prompt_map(spec, sites, site)
        with errors():
            stored = find_picture(wanted, store)
        if stored is not None:
            labelled = labelled_vectors(view, spec.n_prompt)
    return PromptMap(site, wanted, stored, labelled)


def sites_of(job: JobFolder, spec: TuningSpec, store: Store) -> tuple[int, ...]:
    """Return the sites that a run prompts, from its files or from the model's depth; (0,) while neither is there."""
    prompts = read_prompts(job)
    if prompts is not None:
        return prompts.sites
    n_layers = describe_model(spec.model, store).n_layers if spec.method == "deep" else None
    return resolve_prompt_sites(spec, n_layers) if n_layers else (0,)


def prompt_map(spec: TuningSpec, sites: Sequence[int], site: int) -> ProjectionSpec:
    """Return the map that the prompt of a site is shown on: the vocabulary's, or that of the activations there."""
    if site == 0:
        return ProjectionSpec(model=spec.model, vocabulary=True)
    return ProjectionSpec(model=spec.model, site=site, clouds=(spec.activations(*sites),))


def prepare_map(wanted: ProjectionSpec, store: Store) -> None:
    """Fit the map if its cloud is there, else offer to make the cloud."""
    ready = _cloud_of(wanted, store)
    if not ready and wanted.vocabulary:
        ready = need_vocabulary(wanted.model, store)
    elif not ready:
        ready = need_clouds(wanted.clouds, store, "tune.cloud")
    if ready and need_map(wanted, store):
        st.rerun()


def show_on_map(job: JobFolder, spec: TuningSpec, prompts: RunPrompts, on_map: PromptMap, store: Store) -> None:
    """Draw a run's prompt at a site that it has, on the map of that site if that is in the store."""
    site, stored = on_map.site, on_map.stored
    if stored is None:
        return
    points = [stored.map.overlay(vectors) for vectors in (prompts.prior(site), prompts.posterior(site))]
    names = [f"prompt vector {i}" for i in range(spec.n_prompt)]
    word = "posterior" if job.status().state == "succeeded" else "prompt now"
    before = Layer(f"prior sample ({spec.n_prompt})", points[0].coordinates, "prior", hover=names)
    when = "" if unknown_settings(job) else f", step {prompts.steps[-1]}"
    labels = None
    if on_map.labelled:
        labels = token_labels(prompts.posterior(site), _cloud_of(on_map.wanted, store), site, on_map.labelled)
    after = Layer(f"{word}{when}", points[1].coordinates, "posterior", hover=names, labels=labels)
    begun = [before] if prompts.begun else []
    grey = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    moves = [(one, after) for one in begun]
    figure = map_figure([*grey, *begun, after], map_axes(stored.map), moves, revision=stored.artifact.key)
    leave_out_distant(figure, stored, grey, [layer.coordinates for layer in (*begun, after)])
    redraw(figure, f"tune.map.{job.id}.{site}", "The prompt before and during training on a map of the reference cloud")
    info = stored.artifact.info
    what = f"vocabulary rows of {plain(short_name(spec.model.name))}"
    if not on_map.wanted.vocabulary:
        what = f"activations of {plain(spec.dataset.label)} at site {site} of {plain(short_name(spec.model.name))}"
    st.caption(
        f"The prompt on the first principal components of {info['n_points']:,} of {info['n_available']:,} {what} "
        f"(frozen). The median vector has {np.median(points[1].off_plane_share):.1%} of its squared distance from the "
        "mean outside this plane."
    )


def _cloud_of(wanted: ProjectionSpec, store: Store) -> Cloud | None:
    """Return the stored cloud that a map is fitted on."""
    return find_vocabulary(wanted.model, store) if wanted.vocabulary else find_cloud(wanted.clouds[0], store)
