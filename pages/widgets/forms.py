"""Form fields made from a spec: titles, ranges and help come from `core.specs.describe`."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from core.errors import PriorscopeError
from core.specs import Spec, parse_prior, prior_kinds
from core.specs.base import JsonObject
from core.specs.describe import Field, describe
from core.specs.prior import PriorSpec, Scale
from pages.widgets.layout import plain
from pages.widgets.scales import slider
from pages.widgets.state import View, encode

_SHOWN = 2
"""Parameters of a prior that are seen without opening anything."""
_LARGEST = 2**53 - 1
"""Above this a browser's numbers lose digits."""


def spec_fields(view: View, spec: type[Spec], names: Collection[str], columns: int = 3) -> JsonObject:
    """Draw fields of a spec side by side and return their values, ready for `spec.parse`."""
    known = {field.name: field for field in describe(spec)}
    return _side_by_side(view, [known[name] for name in names], columns)


def _widget(view: View, field: Field) -> Any:
    """Draw one field and return its value; None where an optional field is left empty."""
    limits = f" ({field.range})" if field.range and field.kind != "choice" else ""
    text, name = (field.help + limits).strip() or None, field.name
    match field.kind:
        case "choice":
            options = [None, *field.choices] if field.optional else list(field.choices)
            return view.choice(name, field.title, options, field.default, show=_choice, help=text)
        case "boolean":
            return view.switch(name, field.title, field.default, help=text)
        case "integer":
            low = None if field.minimum is None else int(field.minimum) + field.open_minimum
            high = _LARGEST if field.maximum is None else min(_LARGEST, int(field.maximum) - field.open_maximum)
            return view.number(name, field.title, field.default, low, high, step=1, help=text, placeholder="none")
        case "number":
            default = None if field.default is None else float(field.default)
            low, high = (None if bound is None else float(bound) for bound in (field.minimum, field.maximum))
            return view.number(name, field.title, default, low, high, format="%g", help=text, placeholder="none")
        case _:
            return view.text(name, field.title, field.default or "", help=text) or None


def prior_form(view: View, name: str = "prior") -> PriorSpec | None:
    """Draw kind and parameters of a prior and return it, or None after an error was shown.

    The whole prior is one JSON text in the address, under its name.
    """
    kinds = prior_kinds()
    asked = asked_prior(view, name)
    kind_key = view.key(f"{name}.kind")
    if st.session_state.get(kind_key) not in kinds:
        st.session_state[kind_key] = asked.kind
    kind = st.selectbox("Prior", list(kinds), key=kind_key, format_func=lambda name: kinds[name].title or name)
    chosen = kinds[kind]
    st.caption(chosen.summary)
    described = describe(chosen)
    values = asked.model_dump() if asked.kind == kind else {}
    own = {name: encode(value, value) for name, value in values.items() if isinstance(value, str | int | float)}
    inner = View(f"{view.page}.{name}.{kind}", own)
    values = _side_by_side(inner, described[:_SHOWN], scales=chosen.sliders)
    if described[_SHOWN:]:
        with st.expander("More of this prior"):
            values |= _side_by_side(inner, described[_SHOWN:], scales=chosen.sliders)
    try:
        prior = parse_prior({"kind": kind, **values})
    except PriorscopeError as error:
        st.error(plain(error))
        return None
    write_prior(view, prior, name)
    return prior


def _side_by_side(
    view: View, described: Sequence[Field], columns: int = 2, scales: Mapping[str, Scale] | None = None
) -> JsonObject:
    cells, values = st.columns(columns), {}
    for i, field in enumerate(described):
        with cells[i % columns]:
            values[field.name] = value = _widget(view, field)
            scale = (scales or {}).get(field.name)
            if scale and value is not None:
                low, high = _bounds(field)
                slider(view, field.name, field.title, value, scale, low, high)
    return values


def _bounds(field: Field) -> tuple[float, float]:
    """Return the least and the largest value of a number; for an excluded bound, the next float."""
    low = -math.inf if field.minimum is None else field.minimum
    high = math.inf if field.maximum is None else field.maximum
    return (
        math.nextafter(low, math.inf) if field.open_minimum else low,
        math.nextafter(high, -math.inf) if field.open_maximum else high,
    )


def short_json(prior: PriorSpec) -> str:
    """Return JSON without what is at its default."""
    return json.dumps({"kind": prior.kind, **prior.as_json(exclude_defaults=True)})


def asked_prior(view: View, name: str = "prior") -> PriorSpec:
    """Return the prior in the address; if it cannot be used, say so and return the simplest."""
    first = next(iter(prior_kinds()))
    try:
        return parse_prior(view.read(name, "") or first)
    except PriorscopeError as error:
        st.warning(f"The prior in the address is not usable: {plain(error)}")
        return parse_prior(first)


def write_prior(view: View, prior: PriorSpec, name: str = "prior") -> None:
    """Put a prior into the address."""
    view.keep(name, short_json(prior), "")


def _choice(value: Any) -> str:
    return "default" if value is None else str(value).replace("_", " ")
