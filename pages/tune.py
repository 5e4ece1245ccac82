"""Tune a prompt: form, queue, live loss and the moving prompt."""

from collections.abc import Collection, Sequence

import numpy as np
import streamlit as st

from core.activations.clouds import find_vocabulary
from core.engine.projection import StoredMap
from core.errors import PriorscopeError
from core.figures.clouds import Layer, map_figure
from core.figures.training import loss_figure
from core.specs import ModelSpec, ProjectionSpec, TuningSpec
from core.store import JobFolder, Status, Store, find_job, list_jobs
from core.store.prompts import read_prompts
from pages.common.choices import dataset_choice, model_choice, short_name
from pages.common.clouds import axes, map_layers, need_map
from pages.common.costs import run_cost
from pages.common.forms import prior_form, spec_fields
from pages.common.jobs import follow, start
from pages.common.layout import draw, empty, errors, header, numbers, plain
from pages.common.pages import page
from pages.common.provenance import run_provenance
from pages.common.runs import label, quality_row, read_losses, spec_of
from pages.common.state import View, open_store

MAIN = ("n_prompt", "steps", "learning_rate", "batch_size", "seed", "evaluate_every")
MORE = (
    "warmup_steps", "weight_decay", "clip_norm", "max_length", "n_validation", "n_generation", "answer_every",
    "max_new_tokens", "snapshot_every", "checkpoint_every", "prompt_position",
)  # fmt: skip
MEASURES = {
    "loss": "Validation loss",
    "loss, no prompt": "… no prompt",
    "loss, prior sample": "… prior sample",
    "accuracy": "Token accuracy",
    "exact match": "Exact match",
    "steps a second": "Steps a second",
}


def controls(view: View, store: Store) -> tuple[TuningSpec, str] | None:
    """Draw the form and return what it asks for, and what that costs in words."""
    with st.container(border=True):
        model, facts = model_choice(view.page, store)
        dataset = dataset_choice(view, store)
    with st.container(border=True):
        prior = prior_form(view)
        kinds = {"vocabulary": "Vocabulary", "activations": "Activations at site 0"}
        reference = view.segments("reference", "Fitted on", kinds)
    with st.container(border=True):
        values = spec_fields(view, TuningSpec, MAIN, columns=2)
        with st.expander("More settings"):
            values |= spec_fields(view, TuningSpec, MORE, columns=2)
    if dataset is None or prior is None:
        return None
    spec = TuningSpec.parse({"model": model, "dataset": dataset, "prior": prior, "reference": reference, **values})
    return spec, run_cost(spec, facts, store)


def launch(view: View, spec: TuningSpec, price: str, store: Store) -> None:
    """Draw the cost and the button beside it; start the run when it is pressed."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(price, width="content")
        pressed = st.button("Start tuning", type="primary", icon=":material/play_arrow:")
    if pressed:
        job = start("tune", spec, store)
        if job:
            view.write("run", job.id, "")
            st.session_state.pop(view.key("run"), None)  # the list then starts from the address, at the new run
            st.rerun()


def show_run(job: JobFolder, store: Store) -> None:
    """Show a run: how it stands, its loss and its prompt on the reference map."""
    spec = spec_of(job)
    st.markdown(f"#### {plain(spec.prior.title or spec.prior.kind)} on {plain(spec.dataset.label)} · `{job.id}`")
    stored = None
    with errors():
        if find_vocabulary(spec.model, store):
            stored = need_map(vocabulary_map(spec.model), store)
    follow(job, store, lambda job, status: live(job, status, spec, stored, store))


def vocabulary_map(model: ModelSpec) -> ProjectionSpec:
    """Return the map that prompts before the token embeddings are shown on."""
    return ProjectionSpec(model=model, vocabulary=True)


def live(job: JobFolder, status: Status, spec: TuningSpec, stored: StoredMap | None, store: Store) -> None:
    """Draw what changes while a run goes on."""
    losses = read_losses(job)
    if len(losses.steps) or losses.baselines:
        draw(
            loss_figure(
                losses.steps,
                losses.losses,
                losses.evaluation_steps,
                losses.evaluation_losses,
                losses.baselines,
                spec.steps,
                revision=job.id,
            ),
            key=f"tune.loss.{job.id}",
        )
    elif not status.ended:
        st.caption("The model is being loaded and the baselines are measured; the loss appears with the first of them.")
    prompts = read_prompts(job)
    if stored is not None and prompts is not None:
        points = [stored.map.place(vectors) for vectors in (prompts.prior(0), prompts.posterior(0))]
        word = "posterior" if status.state == "succeeded" else "prompt now"
        before = Layer(f"prior sample ({spec.n_prompt})", points[0].coordinates, "prior", hover=names(spec.n_prompt))
        after = Layer(
            f"{word}, step {prompts.steps[-1]}", points[1].coordinates, "posterior", hover=names(spec.n_prompt)
        )
        projection = vocabulary_map(spec.model)
        grey = map_layers(store.root, projection.canonical_json(), stored.artifact.key, "dataset", True)
        figure = map_figure([*grey, before, after], axes(stored), [(before, after)], revision=stored.artifact.key)
        draw(figure, key=f"tune.map.{job.id}")
        info = stored.artifact.info
        st.caption(
            f"The prompt on the principal components of {info['n_points']:,} of {info['n_available']:,} vocabulary "
            f"rows of {plain(short_name(spec.model.name))}, frozen; in the median "
            f"{np.median(points[1].off_plane_share):.1%} of a vector's squared distance from the mean lies off it."
        )
    run_provenance(job, spec.dataset.label)
    if status.state == "succeeded":
        row = quality_row(job)
        numbers({word: f"{row[name]:.4g}" for name, word in MEASURES.items() if row[name] is not None})
        st.page_link(page("compare"), label="Compare this run with others", icon=":material/compare_arrows:",
                     query_params={"runs": f'["{job.id}"]'})  # fmt: skip


def names(n_prompt: int) -> Sequence[str]:
    """Return hover texts of prompt vectors."""
    return [f"prompt vector {i}" for i in range(n_prompt)]


def chosen_run(view: View, store: Store) -> JobFolder | None:
    """Draw the list of runs and return the chosen one, the newest at first."""
    jobs = {job.id: job for job in list_jobs(store, "tune")}
    if view.key("run") not in st.session_state:
        _seed_run(view, store, jobs)
    if not jobs:
        return None
    states = {job_id: job.status().state for job_id, job in jobs.items()}
    chosen = view.choice(
        "run",
        "Run",
        list(jobs),
        next(iter(jobs)),
        pin=True,
        show=lambda job_id: f"{states[job_id]} · {label(jobs[job_id])}",
    )
    return jobs[chosen]


def _seed_run(view: View, store: Store, jobs: Collection[str]) -> None:
    """Choose the run that the address names, also by the beginning of its name; a person's choice then counts."""
    asked = view.read("run", "")
    try:
        found = find_job(store, asked).id if asked and asked not in jobs else asked
    except PriorscopeError as error:
        st.warning(plain(error))
        return
    if found in jobs:
        st.session_state[view.key("run")] = found


header("Tune", "What does the prompt learn from this start, and which way does it move?")
page_view, page_store = View("tune"), open_store()
left_side, right_side = st.columns([1, 2.2], gap="large")
asked = None
with left_side, errors():
    asked = controls(page_view, page_store)
with right_side, errors():
    if asked:
        launch(page_view, *asked, page_store)
    run = chosen_run(page_view, page_store)
    if run is None:
        empty("model_training", "No run yet", "Choose a data set and a prior on the left, then start tuning.")
    else:
        show_run(run, page_store)
