"""The map of one site and what looks closer at its points: selection, search, neighbours, other sites, downloads."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.figures.contours import contours
from core.figures.selectable_map import HIT, MARKED, NEIGHBOUR, ring, selectable_map
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec
from core.store import Store
from pages.activations_parts.colours import COLOURS, HELP, annotations_of, offer_annotations
from pages.activations_parts.downloads import downloads
from pages.activations_parts.elsewhere import elsewhere
from pages.activations_parts.neighbours import Near, near, neighbour_controls
from pages.activations_parts.points import Points
from pages.activations_parts.search import Search, search_controls
from pages.activations_parts.selection import Selecting, bar, linked_table, taken
from pages.widgets.clouds import axes
from pages.widgets.layout import errors
from pages.widgets.state import View

PANELS = {
    "selection": "Selected",
    "found": "Found",
    "near": "Nearest",
    "sites": "At other sites",
    "download": "Download",
}
CONFIG = {
    "displaylogo": False,
    "scrollZoom": True,
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "priorscope-activations"},
}
"""Of the map; its camera saves a picture."""


@dataclass(frozen=True)
class Look:
    """What is looked at.

    Attributes:
        points: of the map.
        stored: the map.
        colour: of `COLOURS`.
        annotations: of the points, or None.
        lines: whether lines of equal density are drawn.
        zoom: whether the map shows the selection rather than everything.
        search: what is looked for.
        found: (n,) which points have it.
        chosen: (n,) which points are selected.
        marked: place of the token that is looked at, or None.
        near: its nearest points, or None.
    """

    points: Points
    stored: StoredMap
    colour: str
    annotations: pd.DataFrame | None
    lines: bool
    zoom: bool
    search: Search
    found: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    marked: int | None
    near: Near | None = None


@st.fragment
@errors()
def closer(view: View, spec: ProjectionSpec, store: Store, stored: StoredMap, points: Points) -> None:
    """Draw the map and look closer at its points; what is done here draws this part of the page again, and no other."""
    selecting = Selecting(view, store)
    colour, annotations, lines = colour_controls(view, points, store)
    with st.container(horizontal=True, vertical_alignment="center"):
        search = search_controls(view)
        zoom = points.coordinates.shape[1] == 2 and view.switch(
            "zoom",
            "Zoom to the selection",
            width="content",
            help="Also stays when a token is marked or the site changes.",
        )
    picture = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        panel = view.segments("panel", "Look closer", PANELS, label_visibility="collapsed", width="content")
        mode = bar(selecting)
    look = Look(
        points,
        stored,
        colour,
        annotations,
        lines,
        zoom,
        search,
        search.found(points),
        points.selected(selecting.selection),
        selecting.looked_at(points),
    )
    if panel == "near":
        look = nearest_panel(view, spec, look, selecting)
    elif panel == "selection":
        selection_panel(look, selecting)
    elif panel == "found":
        found_panel(look, selecting)
    elif panel == "sites":
        elsewhere(view, spec, store, points, look.chosen)
    else:
        downloads(view, points, stored, look.chosen, annotations, lambda: figure_of(look, selecting, fresh=True))
    with picture:
        key = view.key("map")
        st.plotly_chart(
            figure_of(look, selecting),
            key=key,
            width="stretch",
            config=CONFIG,
            on_select=taken(key, points, selecting, mode),
        )
    selecting.write()


def colour_controls(view: View, points: Points, store: Store) -> tuple[str, pd.DataFrame | None, bool]:
    """Draw what decides the colours; return the colour, the annotations if they are there, and whether lines are."""
    tokens = points.specs[0].pooling == "token"
    offered = {name: way.title for name, way in COLOURS.items() if tokens or not (way.annotated or name == "token")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = view.segments("colour", "Colour by", offered, width="content", help=HELP)
        lines = points.coordinates.shape[1] == 2 and view.switch(
            "lines",
            "Density",
            help="Lines that hold a quarter, half and three quarters of each colour's points.",
            width="content",
        )
    annotations = annotations_of(points, store) if tokens else None
    if COLOURS[colour].annotated and annotations is None:
        offer_annotations(points, store)
        return "dataset", None, lines
    return colour, annotations, lines


def figure_of(look: Look, selecting: Selecting, fresh: bool = False) -> go.Figure:
    """Return the figure.

    Args:
        look: what is looked at.
        selecting: the selection.
        fresh: whether the figure stands alone, rather than being lit up by the browser after a lasso.
    """
    points = look.points
    frame = points.frame if look.annotations is None else pd.concat([points.frame, look.annotations], axis=1)
    layers = COLOURS[look.colour].layers(points, frame)
    rings = []
    if look.found.any():
        rings.append(ring(f"found ({look.found.sum():,})", points.coordinates[look.found], HIT))
    if look.near is not None and len(look.near.places):
        rings.append(ring("nearest", points.coordinates[look.near.places], NEIGHBOUR))
    if look.marked is not None:
        rings.append(ring("marked", points.coordinates[[look.marked]], MARKED))
    drawn, turn = selecting.to_draw(
        look.stored.artifact.key,
        points.coordinates.shape[1],
        look.colour,
        look.lines,
        look.search,
        look.marked,
        None if look.near is None else look.near.places.tolist(),
        look.zoom and selecting.held.text,
    )
    lit = look.chosen if fresh else points.selected(drawn)
    figure = selectable_map(
        [*points.background, *layers],
        axes(look.stored),
        points.numbers[lit] if lit.any() else None,
        rings,
        look.stored.artifact.key,
        turn,
        points.coordinates[look.chosen & points.placed] if look.zoom else None,
    )
    if look.lines:
        figure.add_traces(contours([layer.subset(layer.placed) for layer in layers]))
    return figure


def selection_panel(look: Look, selecting: Selecting) -> None:
    """List the selected tokens in their sentences."""
    n_here, n_all = int(look.chosen.sum()), len(selecting.selection)
    if not n_all:
        st.caption(
            "Nothing is selected. Drag on the map to draw a lasso (or a box, by its button over the map): Shift adds, "
            "Alt takes away. Scroll to zoom; double-click lets go."
        )
        return
    away = f", {n_all - n_here:,} more of data sets that are not on this map" if n_all > n_here else ""
    st.markdown(f"**{n_here:,} tokens selected**{away}. A row that is picked is marked on the map.")
    linked_table(look.points, np.flatnonzero(look.chosen), selecting, "selected")


def found_panel(look: Look, selecting: Selecting) -> None:
    """List what a search found."""
    if not look.search.text:
        st.caption("Nothing is searched for. Type a token or a text above the map.")
        return
    n, documents = int(look.found.sum()), look.points.frame.loc[look.found, ["cloud", "document"]].drop_duplicates()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{n:,} of {len(look.points):,} tokens found**, in {len(documents):,} documents.", width="content"
        )
        st.button(
            "Select them",
            icon=":material/select_all:",
            key=selecting.view.key("select_found"),
            disabled=not n,
            on_click=lambda: selecting.put(look.points.selection(look.found)),
        )
    if n:
        linked_table(look.points, np.flatnonzero(look.found), selecting, "listed")


def nearest_panel(view: View, spec: ProjectionSpec, look: Look, selecting: Selecting) -> Look:
    """List the nearest tokens in the full space, and return what is looked at with them."""
    asked = neighbour_controls(view)
    chosen = np.flatnonzero(look.chosen)
    found = near(look.points, asked, spec.site, look.marked, chosen, selecting.selection)
    if found is None:
        first = "Mark a token: pick its row in a table." if asked.of == "token" else "Select tokens first."
        st.caption(f"{first} Its nearest tokens are listed here, by distances in the full space.")
        return look
    if asked.of == "token" and look.marked is not None:
        row = look.points.frame.iloc[look.marked]
        st.text(f"{row['context_before']}[{row['token']}]{row['context_after']}")
    linked_table(look.points, found.places, selecting, "nearest", {"distance": found.distances})
    st.caption(found.caption)
    return Look(**{**look.__dict__, "near": found})
