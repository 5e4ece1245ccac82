"""Pages with controls on the left and what they ask for on the right."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.store import Store
from pages.widgets.layout import empty, errors
from pages.widgets.state import View

Request = TypeVar("Request")


SIDES = "sides"
"""Key of the columns of controls and picture."""


def sides(share: float = 2.6) -> list[DeltaGenerator]:
    """Return a column for controls and one for pictures, `share` times as wide; below each other in a narrow window."""
    columns = f".st-key-{SIDES} > div > .stHorizontalBlock > .stColumn"
    widths = f"{columns} {{min-width: min(17rem, 100%)}} {columns}:last-child {{min-width: min(34rem, 100%)}}"
    st.html(f"<style>{widths}</style>")
    with st.container(key=SIDES):
        return st.columns([1, share], gap="large")


def controls_beside(
    view: View,
    store: Store,
    controls: Callable[[View, Store], Request | None],
    show: Callable[[View, Request, Store], None],
) -> None:
    """Draw controls, which return None while no data set is chosen, and what they ask for."""
    with errors():
        left, right = sides()
        with left:
            request = controls(view, store)
        with right:
            if request is None:
                empty("dataset", "No data set chosen", "Choose at least one data set on the left.")
            else:
                show(view, request, store)
