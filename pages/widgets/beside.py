"""Pages with controls on the left and what they ask for on the right."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.store import Store
from pages.widgets.layout import empty, errors
from pages.widgets.state import View

Request = TypeVar("Request")


def controls_beside(
    view: View,
    store: Store,
    controls: Callable[[View, Store], Request | None],
    show: Callable[[View, Request, Store], None],
) -> None:
    """Draw controls, which return None while no data set is chosen, and what they ask for."""
    with errors():
        left, right = st.columns([1, 2.6], gap="large")
        with left:
            request = controls(view, store)
        with right:
            if request is None:
                empty("dataset", "No data set chosen", "Choose at least one data set on the left.")
            else:
                show(view, request, store)
