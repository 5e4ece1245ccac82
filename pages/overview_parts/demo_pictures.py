"""The pictures of the demo, each as soon as it can be drawn: the vocabulary, a cloud, the prompts as they move."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.palette import POSTERIOR, mark, prior_role
from core.jobs.demo import CLOUD, PROMPTS, VOCABULARY, demo_plan, demo_runs
from core.jobs.measure import tuning_spec
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec
from core.specs.demo import DemoSpec
from core.store import JobFolder, Store
from core.store.prompts import read_prompts
from pages.compare_parts.trajectories import SYMBOLS
from pages.maps.clouds import find_picture, map_layers
from pages.maps.words import leave_out_distant
from pages.widgets.layout import redraw

_CAPTIONS = {
    VOCABULARY: "The vocabulary: each point is a row of the embedding matrix, on its first two principal components.",
    CLOUD: (
        "A cloud: each point is a token of a text, read at a site in the middle of the model, on the cloud's own "
        "principal components."
    ),
    PROMPTS: (
        "The prompts on the activations of the sums that they are tuned on, before the last block. Blue and green show "
        "where they began, red where they are now."
    ),
}


def show_picture(spec: DemoSpec, store: Store) -> None:
    """Draw the latest picture that can be drawn, if there is one."""
    found = last_picture(spec, store)
    if found is None:
        return
    name, stored = found
    moving = prompt_layers(demo_runs(spec, store), stored) if name == PROMPTS else []
    layers = map_layers(store.root, stored.artifact.key, 2)
    moved = [layer for pair in moving for layer in pair]
    figure = map_figure([*layers, *moved], map_axes(stored.map), moving, revision=stored.artifact.key)
    leave_out_distant(figure, stored, layers, [layer.coordinates for layer in moved])
    redraw(figure, f"overview.demo.{name}", f"The demo's picture of the {name}")
    st.caption(_CAPTIONS[name])


def last_picture(spec: DemoSpec, store: Store) -> tuple[str, StoredMap] | None:
    """Return the name and the map, in two dimensions, of the demo's last picture so far."""
    for step in reversed(demo_plan(spec, store)):
        if isinstance(step.spec, ProjectionSpec):
            stored = find_picture(step.spec.model_copy(update={"n_components": 2}), store)
            if stored:
                return step.picture, stored
    return None


def prompt_layers(runs: Sequence[JobFolder], stored: StoredMap) -> list[tuple[Layer, Layer]]:
    """Return where the prompt of each run that has one began and where it is, on the map of its only site."""
    found = []
    for i, run in enumerate(runs):
        prompts = read_prompts(run)
        if prompts is None:
            continue
        (site,), kind = prompts.sites, tuning_spec(run).prior.kind
        first, now = (
            stored.map.overlay(points).coordinates for points in (prompts.prior(site), prompts.posterior(site))
        )
        begun, moved = SYMBOLS[i % len(SYMBOLS)]
        role = prior_role(kind)
        prior = Layer(f"{kind}: prior sample", first, role, mark=replace(mark(role), symbol=begun))
        step = prompts.steps[-1]
        prompt = Layer(f"{kind}: step {step}", now, "posterior", mark=replace(POSTERIOR, symbol=moved))
        found.append((prior, prompt))
    return found
