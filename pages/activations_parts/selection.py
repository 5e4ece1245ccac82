"""Which tokens are selected: taken from the map, kept in the address, undone, and listed in their sentences."""

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
"""The address's parameters."""
MODES = {"replace": "Replace", "add": "Add", "remove": "Remove"}
ROWS_LISTED = 1000
_DEEPEST = 50


@dataclass
class Held:
    """The selection of a page as a session holds it.

    Attributes:
        text: stands for the selection, see `core.activations.selection.keep`.
        selection: itself.
        earlier: texts before it, the newest last.
        written: what was put into the address last.
        drawn: what the figure on the page was drawn with. A lasso leaves it as it is: the browser has lit up the points
            by itself, and a figure that stays the same is not sent again.
        figure: what else decided that figure.
        turn: goes up whenever the browser has to draw the figure anew, though it may look the same to us: it does not
            forget a lasso otherwise.
        token: cloud and row of the one that is looked at.
    """

    text: str = ""
    selection: Selection = NOTHING
    earlier: list[str] = field(default_factory=list)
    written: str = ""
    drawn: Selection = NOTHING
    figure: tuple[Any, ...] = ()
    turn: int = 0
    token: str = ""


class Selecting:
    """The selection of one page."""

    def __init__(self, view: View, store: Store) -> None:
        """Take up what the session or the address has."""
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
        """Select, and remember what was selected before.

        Args:
            selection: from now on.
            drawn: whether the browser shows it already.
        """
        text = keep(selection, self.store)
        if text != self.held.text:
            self.held.earlier = [*self.held.earlier, self.held.text][-_DEEPEST:]
        if drawn:
            self.held.text, self.held.selection = text, selection
        else:
            self._hold(text, selection)

    def look_at(self, place: int | None, points: Points) -> None:
        """Look at one token by its place among the points, or at none."""
        self.held.token = "" if place is None else points.name(place)

    def looked_at(self, points: Points) -> int | None:
        """Return the place of the token that is looked at, or None if there is none among the points."""
        name, _, row = self.held.token.rpartition(":")
        return points.place(name, int(row)) if row.isdecimal() else None

    def undo(self) -> None:
        """Go back to what was selected before."""
        with errors():
            text = self.held.earlier.pop()
            self._hold(text, recall(text, self.store))

    def write(self) -> None:
        """Put the selection into the address."""
        self.view.write(SELECTION, self.held.text, "")
        self.held.written = self.held.text
        self.view.write(MARKED, self.held.token, "")

    def to_draw(self, *figure: Any) -> tuple[Selection, int]:
        """Return the selection that the figure is to be drawn with, and the turn it is drawn in.

        Args:
            figure: whatever else decides it; where that has changed, the browser knows nothing of a lasso before.
        """
        if figure != self.held.figure:
            self.held.figure = figure
            self._hold(self.held.text, self.held.selection)
        return self.held.drawn, self.held.turn

    def _hold(self, text: str, selection: Selection) -> None:
        self.held.text, self.held.selection, self.held.drawn = text, selection, selection
        self.held.turn += 1


def taken(key: str, points: Points, selecting: Selecting, mode: str) -> Callable[[], None]:
    """Return what is done when points were selected on the map: they replace the selection, or change it."""

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
    """Return the ids of the points of a selection event; marks without an id are none."""
    return [int(np.ravel(point["customdata"])[0]) for point in event["selection"]["points"] if "customdata" in point]


def bar(selecting: Selecting) -> str:
    """Draw what changes the selection, and return what a lasso does."""
    n = len(selecting.selection)
    mode = selecting.view.segments("lasso", "A lasso", MODES, label_visibility="collapsed", width="content")
    st.button(
        "Undo",
        icon=":material/undo:",
        on_click=selecting.undo,
        disabled=not selecting.held.earlier,
        key=selecting.view.key("undo"),
        help="Back to what was selected before.",
    )
    st.button(
        "Clear",
        icon=":material/close:",
        on_click=lambda: selecting.put(NOTHING),
        disabled=not n,
        key=selecting.view.key("clear"),
        help="Select nothing.",
    )
    return mode


def sentences(points: Points, chosen: np.ndarray) -> pd.DataFrame:
    """Return points in their sentences, one row a point, for a person to read."""
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
    """Draw points in their sentences; a row that is picked becomes the token that is looked at.

    Args:
        points: of the map.
        chosen: (n,) places in `points`; the first `ROWS_LISTED` are listed.
        selecting: told of the pick.
        name: of the table.
        more: further columns, each (n,), shown first.
    """
    listed = chosen[:ROWS_LISTED]
    frame = sentences(points, listed)
    for title, values in reversed(list((more or {}).items())):
        frame.insert(0, title, list(values)[: len(listed)])
    key = selecting.view.key(name)

    def picked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        selecting.look_at(int(listed[rows[0]]) if rows else None, points)

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
        st.caption(f"The first {len(listed):,} of {len(chosen):,} are listed; the download has them all.")
