"""The form of a sweep: axes on top of the run that the page's form asks for."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import BadRequest
from core.specs import SweepSpec, TuningSpec, prior_kinds
from core.specs.cells import NO_REGULARISER
from core.specs.describe import describe
from core.specs.sweep import parse_sweep
from pages.widgets.layout import errors
from pages.widgets.reach import NO_FILES, closed
from pages.widgets.state import View

METHODS = {"soft": "soft", "deep": "deep, cut", "kept": "deep, kept"}
_KEPT = {"method": "deep", "deep_form": "kept"}
_SEPARATE = "Separated by commas; leave empty to use the form's value."
_PAPER_PRIORS = ["isotropic", "xavier", "gaussian", "exclusion"]
_RATES = {"absolute": "5e-4, 1e-3, 5e-3", "relative": "1e-2, 3e-2, 1e-1"}
"""The paper's rates, and relative rates that turn any vector as far in as many steps."""
READY: Mapping[str, tuple[str, dict[str, list[str] | str | bool]]] = {
    "Rate search": (
        "Each of four priors at three rates and two seeds: which rate suits which prior?",
        {"priors": _PAPER_PRIORS, "rates": True, "seeds": "0, 1", "compare_seeds": ""},
    ),
    "Best rates compared": (
        "The rate search, and then each prior at its own best rate on three further seeds.",
        {"priors": _PAPER_PRIORS, "rates": True, "seeds": "0, 1", "compare_seeds": "10, 11, 12"},
    ),
    "Steps to a common target": (
        "Each of four priors at the form's rate on three seeds, compared by the steps to a loss that all of them "
        "reach.",
        {"priors": _PAPER_PRIORS, "rates": False, "seeds": "0, 1, 2", "compare_seeds": ""},
    ),
    "One setting": (
        "One setting of the form's run at several values: quality against displacement.",
        {
            "priors": [],
            "rates": False,
            "seeds": "",
            "compare_seeds": "",
            "vary": "spread_weight",
            "values": "0, 0.01, 0.1, 1",
        },
    ),
}
"""Sweeps that fill the axes when pressed: their purpose and their fields."""


def sweep_form(view: View, base: TuningSpec) -> SweepSpec | None:
    """Draw the axes and return the sweep; None while no axis has a value, or after an error."""
    uploaded = _from_file(view)
    if uploaded:
        return uploaded
    _ready_made(view, base)
    with st.container(border=True), errors():
        return _axes(view, base)
    return None


def _from_file(view: View) -> SweepSpec | None:
    """Draw the upload of a sweep that was written as a file."""
    with st.expander("From a file"):
        if closed(NO_FILES):
            return None
        file = st.file_uploader(
            "YAML or JSON, as `python -m core sweep` takes it", ["yaml", "yml", "json"], key=view.key("sweep_file")
        )
        if file is None:
            return None
        with errors():
            found = parse_sweep(file.getvalue().decode("utf-8", errors="replace"), file.name)
            st.caption("This file's sweep is shown; remove the file to edit the axes.")
            return found
    return None


def _ready_made(view: View, base: TuningSpec) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":gray[Ready-made:]", width="content")
        for name, (summary, values) in READY.items():
            filled = {**values, "rates": _RATES[base.rate_unit] if values["rates"] else ""}
            st.button(name, key=view.key(f"ready.{name}"), help=summary, on_click=_fill, args=(view, filled))


def _fill(view: View, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        view.choose(name if name in ("vary", "values") else f"sweep_{name}", value)
    if "vary" not in values:
        view.choose("values", "")


def _axes(view: View, base: TuningSpec) -> SweepSpec | None:
    left, right = st.columns(2)
    with left:
        kinds = prior_kinds()
        priors = view.several(
            "sweep_priors",
            "Priors",
            list(kinds),
            [],
            format_func=lambda kind: kinds[kind].title,
            placeholder=f"the form's: {base.prior.title or base.prior.kind}",
            help="Each prior at its defaults; the form's prior keeps its parameters.",
        )
        rates = view.text("sweep_rates", "Learning rates", placeholder=f"{base.learning_rate:g}", help=_SEPARATE)
        methods = view.several(
            "sweep_methods",
            "Methods",
            list(METHODS),
            [],
            format_func=lambda name: METHODS[name],
            placeholder=f"the form's: {base.method}",
        )
        titles = _titles(base)
        field = view.choice("vary", "One more setting", list(titles), show=lambda name: titles[name])
    with right:
        datasets = view.text(
            "sweep_datasets",
            "Data sets",
            placeholder=base.dataset.label,
            help="Such as math:arithmetic__mul, squad. " + _SEPARATE,
        )
        seeds = view.text("sweep_seeds", "Seeds", placeholder=str(base.seed), help=_SEPARATE)
        weights = view.text(
            "sweep_regularisers",
            "Regularisers",
            placeholder="the form's",
            help="Such as none; spread_weight=0.1; spread_weight=1, l2_weight=0.01. Separated by semicolons.",
        )
        values = view.text("values", "Values of that setting", help="Separated by commas.")
    first, second = st.columns(2)
    with first:
        compared = view.text(
            "sweep_compare_seeds",
            "Compare best rates on seeds",
            placeholder="none",
            help="After every rate has run on the seeds above, each prior also runs on these seeds at its best rate.",
        )
    with second:
        target = view.number(
            "sweep_target",
            "Target loss",
            None,
            1e-6,
            1e6,
            format="%g",
            placeholder="the worst of the best losses",
            help="Steps are counted until the validation loss is at most this.",
        )
    asked = {
        "priors": [base.prior if kind == base.prior.kind else kind for kind in priors],
        "methods": [_KEPT if name == "kept" else name for name in methods],
        "datasets": _several(datasets),
        "learning_rates": _several(rates),
        "regularisers": [_weights(part) for part in _several(weights, ";")],
        "seeds": _several(seeds),
        "vary": {field: _several(values)} if values.strip() else {},
        "compare_seeds": _several(compared),
    }
    if not any(asked.values()):
        return None
    return SweepSpec.parse({"base": base.as_json(), "target": target, **asked})


def _several(text: str, separator: str = ",") -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _weights(text: str) -> str | dict[str, str]:
    """Return the weights of a text such as 'spread_weight=0.1, l2_weight=1'.

    Raises:
        BadRequest: a part without a weight.
    """
    if text == NO_REGULARISER:
        return text
    found = {}
    for part in _several(text):
        name, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise BadRequest(f"Regulariser {part!r} has no weight; write for example spread_weight=0.1, or none.")
        found[name.strip()] = value.strip()
    return found


def _titles(spec: TuningSpec) -> dict[str, str]:
    """Return the numbers of a run and of its prior that can be varied, with their titles."""
    own = {field.name: field.title for field in describe(TuningSpec) if field.kind in ("number", "integer")}
    prior = {
        f"prior.{field.name}": f"{type(spec.prior).title}: {field.title}"
        for field in describe(type(spec.prior))
        if field.kind in ("number", "integer")
    }
    first = {name: own[name] for name in ("spread_weight", *TuningSpec.regularisers())}
    return {**first, **prior, **own}
