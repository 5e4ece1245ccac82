"""The form of a tuning run: from widgets to a spec."""

import streamlit as st

from core.lm.sites import resolve_prompt_sites
from core.specs import TuningSpec
from core.specs.base import JsonObject
from core.store import Store
from pages.widgets.choices import dataset_choice, model_choice
from pages.widgets.forms import prior_form, spec_fields
from pages.widgets.state import View

MAIN = ("n_prompt", "steps", "evaluate_every", "patience", "learning_rate", "rate_unit", "batch_size", "seed")
MORE = (
    "warmup_steps",
    "weight_decay",
    "clip_norm",
    "labels",
    "max_length",
    "n_validation",
    "n_generation",
    "scoring",
    "answer_every",
    "max_new_tokens",
    "snapshot_every",
    "checkpoint_every",
    "prompt_position",
    "instruction",
)
METHODS = {"soft": "Soft prompt", "deep": "Deep prompts"}


def tuning_form(view: View, store: Store) -> TuningSpec | None:
    """Draw the form and return what it asks for, or None after an error was shown.

    Raises:
        BadRequest: a block that the model does not have, or a text that names none.
    """
    with st.container(border=True):
        model, facts = model_choice(store)
        dataset = dataset_choice(view, store)
    with st.container(border=True):
        values = _method(view)
        sites_caption = st.empty()
    with st.container(border=True):
        prior = prior_form(view)
        kinds = {"vocabulary": "Vocabulary", "activations": "Activations at site 0"}
        at_zero = " at site 0" if values["method"] == "deep" else ""
        values["reference"] = view.segments("reference", f"Fitted on{at_zero}", kinds)
    values |= _settings(view)
    if dataset is None or prior is None:
        return None
    spec = TuningSpec.parse({"model": model, "dataset": dataset, "prior": prior, **values})
    sites = resolve_prompt_sites(spec, facts.n_layers) if facts.n_layers else ()
    if spec.method == "deep" and sites:
        named = ", ".join(map(str, sites))
        sites_caption.caption(f"At sites {named}: {len(sites)} × {spec.n_prompt} vectors.")
    return spec


def _method(view: View) -> JsonObject:
    """Draw the choice of soft or deep, and the settings of deep prompts."""
    method = view.segments(
        "method",
        "Method",
        METHODS,
        help="soft: vectors before the token embeddings; deep: vectors before the inputs of several blocks.",
    )
    if method == "soft":
        return {"method": method}
    where, *how, trunk = TuningSpec.deep_fields
    rows = (([where], 1), (how, 2), ([trunk], 1))
    parts = [spec_fields(view, TuningSpec, names, columns=columns) for names, columns in rows]
    return {"method": method, **{name: value for part in parts for name, value in part.items()}}


def _settings(view: View) -> JsonObject:
    with st.container(border=True):
        values = spec_fields(view, TuningSpec, MAIN, columns=2)
        if values["patience"]:
            values |= spec_fields(view, TuningSpec, ("improvement",), columns=2)
            waited = values["patience"] * values["evaluate_every"]
            st.caption(
                f"A run ends on a plateau: when {waited} steps have not lowered the best validation loss by "
                f"{values['improvement']:g}, and after {values['steps']} steps at the latest."
            )
        with st.expander("More settings"):
            values |= spec_fields(view, TuningSpec, MORE, columns=2)
        with st.expander("Regularisers"):
            st.caption(
                "Each adds its weighted penalty to the training loss; a weight of 0 turns it off. The plotted loss "
                "is the task loss alone."
            )
            values |= spec_fields(view, TuningSpec, TuningSpec.regularisers(), columns=2)
    # An empty text is a text, not a setting that is missing.
    return {**values, "instruction": values["instruction"] or ""}
