"""A run as the Tune page shows it: its loss, its prompt on a map (`prompt_map`), its results."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.displacement import largest_turn
from core.figures.training import loss_figure
from core.jobs.measure import tuning_spec
from core.specs import TuningSpec
from core.specs.describe import describe
from core.store import JobFolder, Status, Store
from core.store.endings import CONVERGED, LONGEST, ending_of
from core.store.imported import provenance, unknown_settings
from core.store.losses import BASELINES, read_losses
from core.store.prompts import RunPrompts, read_prompts
from core.store.records import ExampleCounts
from pages.tune_parts.prompt_map import PromptMap, choose_map, prepare_map, show_on_map
from pages.widgets.cite import cite_run
from pages.widgets.jobs import follow
from pages.widgets.layout import numbers, plain, redraw, table
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
    on_map = choose_map(view, job, spec, store)
    follow(job, store, lambda job, status: live(job, status, spec, on_map, store))
    if on_map.stored is None:
        prepare_map(on_map.wanted, store)


def live(job: JobFolder, status: Status, spec: TuningSpec, on_map: PromptMap, store: Store) -> None:
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
    if prompts is not None and on_map.site in prompts.sites:
        _say_if_slow(spec, prompts, on_map.site)
        show_on_map(job, spec, prompts, on_map, store)
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
