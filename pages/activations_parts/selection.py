"""The selected tokens: taken from the map, kept in the address, undone, and listed in context."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.activations.selection import NOTHING, Selection, keep, recall
from core.figures.text import visible
from core.store import Store
from pages.activations_parts.points import Points
from pages.widgets.layout import errors
from pages.widgets.state import View

SELECTION, MARKED = "selection", "token"
"""Parameters of the address."""
MODES = {"replace": "Replace", "add": "Add", "remove": "Remove"}
ROWS_LISTED = 1000
_DEEPEST = 50


@dataclass
class Held:
    """The selection of a page as a session holds it.

    Attributes:
        text: stands for the selection, see `core.activations.selection.keep`.
        selection: itself.
        earlier: the texts before it, the newest last.
        written: what was last written into the address.
        drawn: what the figure on the page was drawn with. A lasso does not change it: the browser
            has already lit up the points, and a figure that stays the same is not sent again.
        figure: what else the figure depends on.
        turn: goes up whenever the browser must redraw the figure, even one that is the same here;
            the browser keeps its lasso otherwise.
        token: cloud and row of the marked token.
    """

    text: str = ""
    selection: Selection = NOTHING
    earlier: list[str] = field(default_factory=list)
    written: str = ""
    drawn: Selection = NOTHING
    figure: tuple[object, ...] = ()
    turn: int = 0
    token: str = ""


class Selecting:
    """The selection of one page."""

    def __init__(self, view: View, store: Store) -> None:
        """Read the selection from the session or the address."""
        self.view, self.store = view, store
        key = view.key("selecting")
        if key not in st.session_state:
            st.session_state[key] = Held(token=st.query_params.get(MARKED, ""))
        self.held: Held = st.session_state[key]
        asked = st.query_params.get(SELECTION, "")
        if asked and asked != self.held.written:
            self.held.written = asked
            with errors():
                self._hold(asked, recall(asked, store))

    @property
    def selection(self) -> Selection:
        """Return what is selected."""
        return self.held.selection

    def put(self, selection: Selection, drawn: bool = False) -> None:
        """Change the selection, and remember the previous one.

        Args:
            selection: the new one.
            drawn: whether the browser already shows it.
        """
        text = keep(selection, self.store)
        if text != self.held.text:
            self.held.earlier = [*self.held.earlier, self.held.text][-_DEEPEST:]
        if drawn:
            self.held.text, self.held.selection = text, selection
        else:
            self._hold(text, selection)

    def mark(self, index: int | None, points: Points) -> None:
        """Mark one of the points, or none."""
        self.held.token = "" if index is None else points.name(index)

    def marked(self, points: Points) -> int | None:
        """Return the index of the marked token, or None if it is not among the points."""
        name, _, row = self.held.token.rpartition(":")
        return points.index(name, int(row)) if row.isdecimal() else None

    def undo(self) -> None:
        """Go back to the previous selection."""
        with errors():
            text = self.held.earlier.pop()
            self._hold(text, recall(text, self.store))

    def write(self) -> None:
        """Write the selection and the marked token into the address."""
        self.view.write(SELECTION, self.held.text, "")
        self.held.written = self.held.text
        self.view.write(MARKED, self.held.token, "")

    def to_draw(self, *figure: object) -> tuple[Selection, int]:
        """Return the selection to draw the figure with, and the turn it is drawn in.

        Args:
            figure: what else the figure depends on; if that changes, the browser forgets its lasso.
        """
        if figure != self.held.figure:
            self.held.figure = figure
            self._hold(self.held.text, self.held.selection)
        return self.held.drawn, self.held.turn

    def _hold(self, text: str, selection: Selection) -> None:
        self.held.text, self.held.selection, self.held.drawn = text, selection, selection
        self.held.turn += 1


def taken(key: str, points: Points, selecting: Selecting, mode: str) -> Callable[[], None]:
    """Return what a selection on the map does: it replaces the selection, or changes it."""

    def receive() -> None:
        with errors():
            event: Mapping[str, Any] = st.session_state[key]
            chosen = points.selection_of(ids(event))
            if mode == "replace":
                selecting.put(chosen, drawn=True)
            elif chosen.rows:
                changed = selecting.selection | chosen if mode == "add" else selecting.selection - chosen
                selecting.put(changed)

    return receive


def ids(event: Mapping[str, Any]) -> list[int]:
    """Return the ids of the points of a selection event; marks have none."""
    return [int(np.ravel(point["customdata"])[0]) for point in event["selection"]["points"] if "customdata" in point]


def bar(selecting: Selecting) -> str:
    """Draw the controls of the selection, and return what a lasso does to it."""
    n = len(selecting.selection)
    mode = selecting.view.segments("lasso", "A lasso", MODES, label_visibility="collapsed", width="content")
    st.button(
        "Undo",
        icon=":material/undo:",
        on_click=selecting.undo,
        disabled=not selecting.held.earlier,
        key=selecting.view.key("undo"),
        help="Go back to the previous selection.",
    )
    st.button(
        "Clear",
        icon=":material/close:",
        on_click=lambda: selecting.put(NOTHING),
        disabled=not n,
        key=selecting.view.key("clear"),
        help="Clear the selection.",
    )
    return mode


def sentences(points: Points, chosen: np.ndarray) -> pd.DataFrame:
    """Return points in context, one row per point."""
    frame = points.frame.iloc[chosen]
    return pd.DataFrame(
        {
            "data set": [points.labels[cloud] for cloud in frame["cloud"]],
            "document": frame["document"].to_numpy(),
            "position": frame["position"].to_numpy(),
            "before": [visible(text) for text in frame["context_before"]],
            "token": [visible(text) for text in frame["token"]],
            "after": [visible(text) for text in frame["context_after"]],
        }
    )


def linked_table(
    points: Points, chosen: np.ndarray, selecting: Selecting, name: str, more: Mapping[str, Any] | None = None
) -> None:
    """Draw points in context, with further columns in front; picking a row marks its token.

    The first `ROWS_LISTED` of the indices `chosen`, (n,), are listed.
    """
    listed = chosen[:ROWS_LISTED]
    frame = sentences(points, listed)
    for title, values in reversed(list((more or {}).items())):
        frame.insert(0, title, list(values)[: len(listed)])
    key = selecting.view.key(name)

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        selecting.mark(int(listed[rows[0]]) if rows else None, points)

    column = st.column_config
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        width="stretch",
        on_select=picked,
        selection_mode="single-row",
        column_config={
            "data set": column.TextColumn(width=110),
            "document": column.NumberColumn(width=75),
            "position": column.NumberColumn(width=70),
            "distance": column.NumberColumn(width=80, format="%.4g"),
            "before": column.TextColumn(alignment="right", width=300),
            "token": column.TextColumn(alignment="center", width=110),
            "after": column.TextColumn(width=300),
        },
    )
    if len(chosen) > len(listed):
        st.caption(f"These are the first {len(listed):,} of {len(chosen):,}; the download has all of them.")
