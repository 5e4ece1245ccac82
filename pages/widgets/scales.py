"""A number with an exact field and a slider, whose scale may be logarithmic."""

import streamlit as st

from core.specs.prior import Scale
from pages.widgets.state import View


def slider(view: View, name: str, title: str, value: float, scale: Scale, low: float, high: float) -> None:
    """Draw a slider below the exact field of a number, and let it move that field.

    Args:
        view: that has the field.
        name: of the field.
        title: of the field.
        value: in the field.
        scale: what the slider offers; a typed value between two of its steps is a step too.
        low: least value that the field takes.
        high: largest value, likewise.
    """
    whole, key = isinstance(value, int), view.key(f"{name}.slider")
    offered = [round(step) if whole else step for step in scale.values()]
    steps = sorted({*(step for step in offered if low <= step <= high), value})
    st.session_state[key] = value
    st.select_slider(
        f"{title}, slider",
        steps,
        key=key,
        format_func=lambda step: f"{step:g}",
        label_visibility="collapsed",
        on_change=_move,
        args=(view, name, key),
    )


def _move(view: View, name: str, key: str) -> None:
    view.choose(name, st.session_state[key])
