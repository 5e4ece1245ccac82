"""Pages with controls on the left and what they ask for on the right."""

from collections.abc import Callable
from typing import Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.store import Store
from pages.widgets.layout import empty, errors
from pages.widgets.state import View

Request = TypeVar("Request")
Gap = Literal["medium", "large"]


SIDES = "sides"
"""Key of the columns of controls and picture."""


def columns_or_rows(key: str, *sizes: tuple[float, int], gap: Gap = "large") -> list[DeltaGenerator]:
    """Return columns that stand below each other where the window is too narrow for them.

    Args:
        key: of their container.
        sizes: of each column, its share of the width and its least width in rem.
        gap: between them.
    """
    column = f".st-key-{key} > div > .stHorizontalBlock > .stColumn"
    least = [f"{column}:nth-child({i}) {{min-width: min({rem}rem, 100%)}}" for i, (_, rem) in enumerate(sizes, 1)]
    st.html(f"<style>{' '.join(least)}</style>")
    with st.container(key=key):
        return st.columns([share for share, _ in sizes], gap=gap)


def sides(share: float = 2.6) -> list[DeltaGenerator]:
    """Return a column for controls and one for pictures, `share` times as wide."""
    return columns_or_rows(SIDES, (1, 17), (share, 34))


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
