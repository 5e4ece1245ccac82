"""A run as the Tune page shows it: its loss, its prompt on a map, its results."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.activations.clouds import find_cloud, find_vocabulary
from core.analysis.displacement import largest_turn
from core.figures.cloud_map import map_axes, map_figure
from core.figures.layer import Layer
from core.figures.training import loss_figure
from core.jobs.measure import tuning_spec
from core.jobs.projection import StoredMap
from core.lm.sites import resolve_prompt_sites
from core.sources.models import describe_model
from core.specs import ProjectionSpec, TuningSpec
from core.specs.describe import describe
from core.specs.model import short_name
from core.store import JobFolder, Status, Store
from core.store.endings import CONVERGED, LONGEST, ending_of
from core.store.imported import provenance, unknown_settings
from core.store.losses import BASELINES, read_losses
from core.store.prompts import RunPrompts, read_prompts
from core.store.records import ExampleCounts
from pages.maps.clouds import find_picture, map_layers, need_clouds, need_map, need_vocabulary
from pages.widgets.cite import cite_run
from pages.widgets.jobs import follow
from pages.widgets.layout import errors, numbers, plain, redraw, table
from pages.widgets.pages import link
from pages.widgets.provenance import reasons, write_origin
from pages.widgets.runs import weights_of
from pages.widgets.state import View
from pages.widgets.tables import download

SLOW_TURN = 5.0
"""Degrees: a run that cannot turn its vectors by more than this hardly moves them."""
SCORINGS = {
    "exact": "as they are written",
    "squad": "without case, punctuation and articles",
    "numeric": "as numbers; an answer that is not a number, as it is written",
}


def show_run(view: View, job: JobFolder, store: Store) -> None:
    """Show a run: its state, its loss, and its prompt on the map of one of its sites."""
    spec = tuning_spec(job)
    method = "Deep prompts" if spec.method == "deep" else "Soft prompt"
    st.markdown(
        f"#### {method}, {plain(spec.prior.title or spec.prior.kind)} on {plain(spec.dataset.label)} · `{job.id}`"
    )
    cite_run(job)
    if job.status().state == "damaged":
        follow(job, store)
        return
    sites = sites_of(job, spec, store)
    site = sites[0]
    if len(sites) > 1:
        site = view.segments("site", "Site of the map", {k: "0 · embeddings" if k == 0 else str(k) for k in sites})
    wanted = prompt_map(spec, sites, site)
    stored = None
    with errors():
        stored = find_picture(wanted, store)
    follow(job, store, lambda job, status: live(job, status, spec, site, wanted, stored, store))
    if stored is None:
        _prepare_map(wanted, store)


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


def _prepare_map(wanted: ProjectionSpec, store: Store) -> None:
    """Fit the map if its cloud is there, else offer to make the cloud."""
    if wanted.vocabulary:
        ready = find_vocabulary(wanted.model, store) or need_vocabulary(wanted.model, store)
    else:
        ready = find_cloud(wanted.clouds[0], store) or need_clouds(wanted.clouds, store, "tune.cloud")
    if ready and need_map(wanted, store):
        st.rerun()


def live(
    job: JobFolder,
    status: Status,
    spec: TuningSpec,
    site: int,
    wanted: ProjectionSpec,
    stored: StoredMap | None,
    store: Store,
) -> None:
    """Draw what changes during a run."""
    losses = read_losses(job)
    if len(losses.steps) or losses.baselines:
        figure = loss_figure(
            losses.steps,
            losses.losses,
            losses.evaluation_steps,
            losses.evaluation_losses,
            losses.baselines,
            (job.result() or {}).get("steps", spec.steps),
            revision=job.id,
        )
        redraw(figure, f"tune.loss.{job.id}", "Training and validation loss over steps, with the baselines as lines")
    elif not status.ended:
        st.caption("Loading the model and measuring the baselines; the loss curve appears after the first baseline.")
    prompts = read_prompts(job)
    if prompts is not None and site in prompts.sites:
        _say_if_slow(spec, prompts, site)
    if stored is not None and prompts is not None and site in prompts.sites:
        _prompt_on_map(job, status, spec, prompts, site, wanted, stored, store)
    _regularisers(job, spec)
    run_provenance(job, spec.dataset.label)
    if status.state == "succeeded":
        result = job.result() or {}
        found = _measures(result)
        st.caption(_length(job, spec))
        numbers(found, _compared_by(result))
        if not found:
            st.caption("No loss or answer was recorded with this run; Compare measures its prompt.")
        link("compare", "Compare this run with others", runs=f'["{job.id}"]')


def _length(job: JobFolder, spec: TuningSpec) -> str:
    """Say how long a run that has succeeded was, why it ended, and how its learning rate began."""
    if "steps" in unknown_settings(job):
        return "How long this run was is not recorded."
    steps = (job.result() or {}).get("steps", spec.steps)
    why = {
        CONVERGED: f"Converged: ended on a plateau after {steps} of at most {spec.steps} steps",
        LONGEST: f"Stopped at its longest length, {steps} steps, while still improving",
    }.get(ending_of(job), f"Fixed length: {steps} steps")
    clipped = f"; gradients are clipped at {spec.clip_norm:g}" if spec.clip_norm else ""
    if not spec.warmup_steps:
        return f"{why}. The learning rate is constant{clipped}."
    rising = "the first step" if spec.warmup_steps == 1 else f"the first {spec.warmup_steps} steps"
    return f"{why}. The learning rate rises over {rising} and is then constant{clipped}."


def _measures(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the numbers that a run has ended with, by title."""
    validation, baseline = result.get("validation") or {}, result.get("baseline") or {}
    found = {"Validation loss": validation.get("loss")}
    found |= {"… answers": validation.get("answer_loss"), "… ends of sequence": validation.get("end_loss")}
    found |= {f"… {word}": (baseline.get(name) or {}).get("loss") for name, word in BASELINES.items()}
    found |= {"Token accuracy": validation.get("accuracy"), "Exact match": validation.get("exact_match")}
    found |= {"Steps per second": result.get("steps_per_second")}
    return {title: f"{value:.4g}" for title, value in found.items() if value is not None}


def _compared_by(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the help of the exact match: how answers are compared."""
    scoring = result.get("scoring")
    if not scoring:
        return {}
    return {"Exact match": f"Scoring {scoring!r}: answers are compared {SCORINGS[scoring]}."}


def _say_if_slow(spec: TuningSpec, prompts: RunPrompts, site: int) -> None:
    """Warn where the vectors are too long to turn at an absolute rate."""
    turn = largest_turn(prompts.prior(site), spec.learning_rate, spec.steps)
    if spec.method == "deep" and spec.rate_unit == "absolute" and turn < SLOW_TURN:
        length = float(np.median(np.linalg.norm(prompts.prior(site), axis=1)))
        st.info(
            f"These vectors have a median norm of {length:.3g}, so {spec.steps} steps at a rate of "
            f"{spec.learning_rate:g} turn them by {turn:.2g}° at most. With a relative learning-rate unit, long "
            "vectors turn as fast as short ones.",
            icon=":material/lightbulb:",
        )


def _prompt_on_map(
    job: JobFolder,
    status: Status,
    spec: TuningSpec,
    prompts: RunPrompts,
    site: int,
    wanted: ProjectionSpec,
    stored: StoredMap,
    store: Store,
) -> None:
    points = [stored.map.overlay(vectors) for vectors in (prompts.prior(site), prompts.posterior(site))]
    names = [f"prompt vector {i}" for i in range(spec.n_prompt)]
    word = "posterior" if status.state == "succeeded" else "prompt now"
    before = Layer(f"prior sample ({spec.n_prompt})", points[0].coordinates, "prior", hover=names)
    when = "" if unknown_settings(job) else f", step {prompts.steps[-1]}"
    after = Layer(f"{word}{when}", points[1].coordinates, "posterior", hover=names)
    begun = [before] if prompts.begun else []
    grey = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    moves = [(one, after) for one in begun]
    figure = map_figure([*grey, *begun, after], map_axes(stored.map), moves, revision=stored.artifact.key)
    redraw(figure, f"tune.map.{job.id}.{site}", "The prompt before and during training on a map of the reference cloud")
    info = stored.artifact.info
    what = f"vocabulary rows of {plain(short_name(spec.model.name))}"
    if not wanted.vocabulary:
        what = f"activations of {plain(spec.dataset.label)} at site {site} of {plain(short_name(spec.model.name))}"
    st.caption(
        f"The prompt on the first principal components of {info['n_points']:,} of {info['n_available']:,} {what} "
        f"(frozen). The median vector has {np.median(points[1].off_plane_share):.1%} of its squared distance from the "
        "mean outside this plane."
    )


def run_provenance(job: JobFolder, label: str) -> None:
    """Show where a run's texts came from and how many it used, once the run has written that."""
    known = provenance(job)
    if known.data or known.examples:
        with st.expander("Where the texts came from"):
            counts = [f"{part.capitalize()}: {_examples(n)}" for part, n in known.examples.items()]
            write_origin(label, known.data, counts)


def _examples(counts: ExampleCounts) -> str:
    return f"{counts.used:,} examples used, {counts.truncated:,} cut; left out: {reasons(counts.dropped)}"


def _regularisers(job: JobFolder, spec: TuningSpec) -> None:
    """Write the penalty of each regulariser."""
    found = (job.result() or {}).get("regularisers") or {}
    titles = {field.name: field.title for field in describe(TuningSpec)}
    rows = []
    for name, weight in weights_of(spec).items():
        effect = found.get(name.removesuffix("_weight")) or {}
        ends = {"at the start": effect.get("start"), "at the end": effect.get("end")}
        rows.append({"regulariser": titles[name], "weight": weight, **ends})
    if rows:
        penalties = pd.DataFrame(rows).dropna(axis=1, how="all")
        table(penalties)
        download("Penalties", penalties, "penalties", key=f"penalties.{job.id}")
        st.caption(
            "Penalties before weighting, for the prior sample and the posterior. The losses do not include them."
        )
