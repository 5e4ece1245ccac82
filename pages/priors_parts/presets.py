"""The priors of the paper's figures, each with the reference that it is fitted on."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.specs import FINAL, PriorSpec, StudySpec, TuningSpec, parse_prior
from core.specs.base import JsonObject
from core.studies.arms import BETWEEN, ON_ACTIVATIONS, arms
from pages.priors_parts.prior_list import write_priors
from pages.widgets.state import View

_STUDY = StudySpec()


@dataclass(frozen=True)
class Preset:
    """What the page shows for a figure.

    Attributes:
        title: the figure and what it shows.
        priors: side by side.
        data: name of the data set whose activations are the reference; "" for the vocabulary.
        last: whether the reference is read at the input of the last block; otherwise at site 0.
    """

    title: str
    priors: tuple[PriorSpec, ...]
    data: str = ""
    last: bool = False


def _runs(*names: str) -> list[TuningSpec]:
    known = arms(_STUDY)
    return [known[name].specs[0] for name in names]


def _of_arms(title: str, *names: str) -> Preset:
    """Return the preset of a study's arms: their priors, and the reference of the first."""
    runs = _runs(*names)
    on_data = runs[0].method == "deep" or runs[0].reference == "activations"
    data = runs[0].dataset.name if on_data else ""
    return Preset(title, tuple(run.prior for run in runs), data, runs[0].method == "deep")


PRESETS: Mapping[str, Preset] = {
    "6": _of_arms("Figure 6 · isotropic (rate 5e-3)", "isotropic"),
    "7": _of_arms("Figure 7 · isotropic (rate 5e-4)", "isotropic-slow"),
    "8": _of_arms("Figure 8 · Gaussian fitted on the vocabulary", "gaussian"),
    "9": _of_arms("Figure 9 · exclusion, c = 5", "exclusion"),
    "10": _of_arms("Figure 10 · Gaussian and Xavier, on token activations", *ON_ACTIVATIONS),
    "11": _of_arms("Figure 11 · Gaussian and Xavier, last block", "deep-gaussian", "deep-xavier"),
    "12": _of_arms("Figure 12 · between two domains, last block", BETWEEN),
    "13": Preset(
        "Figure 13 · VAE, last block", (parse_prior("vae"), parse_prior("gaussian")), _STUDY.questions.name, True
    ),
}
"""By the figure's number. Figures 6 and 7 differ in their training alone."""


def preset_choice(view: View, n_layers: int | None) -> None:
    """Draw the picker of a figure; one that is picked replaces priors and reference.

    Args:
        view: of the page.
        n_layers: of the model; while it is unknown, the last block is replaced by `FINAL`.
    """
    key = view.key("preset")
    st.selectbox(
        "The paper's figures",
        list(PRESETS),
        index=None,
        key=key,
        placeholder="Choose a figure to begin with",
        format_func=lambda number: PRESETS[number].title,
        on_change=_apply,
        args=(view, n_layers, key),
    )


def _apply(view: View, n_layers: int | None, key: str) -> None:
    chosen = st.session_state[key]
    if chosen:
        use(view, PRESETS[chosen], n_layers)


def use(view: View, preset: Preset, n_layers: int | None) -> None:
    """Put a preset's priors and reference into the page's widgets and its address."""
    write_priors(view, preset.priors)
    view.choose("reference", "activations" if preset.data else "vocabulary")
    if preset.data:
        last = n_layers - 1 if n_layers else FINAL
        changed: JsonObject = {"data": preset.data, "site": last if preset.last else 0}
        for name, value in changed.items():
            view.choose(name, value)
