"""The map of one site, with selection, search, neighbours, other sites and downloads."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.figures.cloud_map import map_axes
from core.figures.contours import contours
from core.figures.layer import Layer
from core.figures.map_words import label_regions, leave_out_far
from core.figures.selectable_map import HIT, MARKED, NEIGHBOUR, selectable_map
from core.jobs.projection import StoredMap
from core.specs import ProjectionSpec
from core.store import Store
from pages.activations_parts.colours import COLOURS, HELP, annotations_of, offer_annotations
from pages.activations_parts.downloads import downloads
from pages.activations_parts.elsewhere import elsewhere
from pages.activations_parts.neighbours import Neighbours, find_neighbours, neighbour_controls
from pages.activations_parts.points import Points
from pages.activations_parts.search import Search, search_controls
from pages.activations_parts.selection import Selecting, bar, linked_table, taken
from pages.maps.words import words_switch
from pages.widgets.layout import counted, draw, errors
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
"""Of the map, whose camera button saves a picture."""


@dataclass(frozen=True)
class Shown:
    """What the map shows.

    Attributes:
        points: the points of the map.
        stored: the map.
        colour: key of `COLOURS`.
        annotations: the points' annotations, or None.
        lines: whether lines of equal density are drawn.
        words: whether regions are labelled.
        zoom: whether the axes cover the selection rather than everything.
        search: the search.
        found: (n,) which points the search finds.
        chosen: (n,) which points are selected.
        marked: index of the marked point, or None.
        neighbours: its nearest neighbours, or None.
    """

    points: Points
    stored: StoredMap
    colour: str
    annotations: pd.DataFrame | None
    lines: bool
    words: bool
    zoom: bool
    search: Search
    found: NDArray[np.bool_]
    chosen: NDArray[np.bool_]
    marked: int | None
    neighbours: Neighbours | None = None


@st.fragment
@errors()
def closer(view: View, spec: ProjectionSpec, store: Store, stored: StoredMap, points: Points) -> None:
    """Draw the map and look closer at its points; widgets in here rerun this part alone."""
    selecting = Selecting(view, store)
    colour, annotations, lines, words = colour_controls(view, points, store)
    with st.container(horizontal=True, vertical_alignment="center"):
        search = search_controls(view)
        zoom = points.coordinates.shape[1] == 2 and view.switch(
            "zoom",
            "Zoom to the selection",
            width="content",
            help="The zoom stays when you mark a token or change the site.",
        )
    picture = st.container()
    with st.container(horizontal=True, vertical_alignment="center"):
        panel = view.segments("panel", "Look closer", PANELS, label_visibility="collapsed", width="content")
        mode = bar(selecting)
    shown = Shown(
        points,
        stored,
        colour,
        annotations,
        lines,
        words,
        zoom,
        search,
        search.found(points),
        points.selected(selecting.selection),
        selecting.marked(points),
    )
    if panel == "near":
        shown = nearest_panel(view, spec, shown, selecting)
    elif panel == "selection":
        selection_panel(shown, selecting)
    elif panel == "found":
        found_panel(shown, selecting)
    elif panel == "sites":
        elsewhere(view, spec, store, points, shown.chosen)
    else:
        downloads(view, points, shown.chosen, annotations, lambda: figure_of(shown, selecting, fresh=True))
    with picture:
        key = view.key("map")
        receive = taken(key, points, selecting, mode)
        alt = (
            f"Map of the activations of {', '.join(points.labels)} at site {points.site}; the panel below lists points."
        )
        draw(figure_of(shown, selecting), key, alt, config=CONFIG, on_select=receive)
    selecting.write()


def colour_controls(view: View, points: Points, store: Store) -> tuple[str, pd.DataFrame | None, bool, bool]:
    """Draw the controls of the colours.

    Returns:
        the colour, the annotations if there are any, whether density lines are drawn, and whether regions are labelled.
    """
    tokens = points.specs[0].pooling == "token"
    offered = {name: one.title for name, one in COLOURS.items() if tokens or not (one.annotated or name == "token")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        colour = view.segments("colour", "Colour by", offered, width="content", help=HELP)
        lines = points.coordinates.shape[1] == 2 and view.switch(
            "lines",
            "Density",
            help="Lines that enclose a quarter, half and three quarters of the points of each colour.",
            width="content",
        )
        words = tokens and points.coordinates.shape[1] == 2 and words_switch(view)
    annotations = annotations_of(points, store) if tokens else None
    if COLOURS[colour].annotated and annotations is None:
        offer_annotations(points, store)
        return "dataset", None, lines, words
    return colour, annotations, lines, words


def figure_of(shown: Shown, selecting: Selecting, fresh: bool = False) -> go.Figure:
    """Return the figure.

    Args:
        shown: what the map shows.
        selecting: the selection.
        fresh: whether the figure stands alone; otherwise the browser lights up a lasso in it.
    """
    points = shown.points
    frame = points.frame if shown.annotations is None else pd.concat([points.frame, shown.annotations], axis=1)
    layers = COLOURS[shown.colour].layers(points, frame)
    near = None if shown.neighbours is None else shown.neighbours.indices
    rings = []
    if shown.found.any():
        rings.append(Layer(f"found ({shown.found.sum():,})", points.coordinates[shown.found], mark=HIT))
    if near is not None and len(near):
        rings.append(Layer("nearest", points.coordinates[near], mark=NEIGHBOUR))
    if shown.marked is not None:
        rings.append(Layer("marked", points.coordinates[[shown.marked]], mark=MARKED))
    drawn, turn = selecting.to_draw(
        shown.stored.artifact.key,
        points.coordinates.shape[1],
        shown.colour,
        shown.lines,
        shown.words,
        shown.search,
        shown.marked,
        None if near is None else near.tolist(),
        shown.zoom and selecting.held.text,
    )
    lit = shown.chosen if fresh else points.selected(drawn)
    figure = selectable_map(
        [*points.background, *layers],
        map_axes(shown.stored.map),
        points.numbers[lit] if lit.any() else None,
        rings,
        shown.stored.artifact.key,
        turn,
        points.coordinates[shown.chosen & points.placed] if shown.zoom else None,
    )
    if shown.lines:
        figure.add_traces(contours([layer.subset(layer.placed) for layer in layers]))
    if not shown.zoom:
        leave_out_far(figure, points.coordinates[points.placed])
    if shown.words:
        label_regions(figure, points.regions)
    return figure


def selection_panel(shown: Shown, selecting: Selecting) -> None:
    """List the selected tokens in context."""
    n_here, n_all = int(shown.chosen.sum()), len(selecting.selection)
    if not n_all:
        st.caption(
            "Nothing is selected. Drag on the map to draw a lasso, or a box with the box button above the map; hold "
            "Shift to add and Alt to remove. Scroll to zoom; double-click to clear the selection."
        )
        return
    away = f", {n_all - n_here:,} more in data sets that are not on this map" if n_all > n_here else ""
    st.markdown(f"**{counted(n_here, 'token')} selected**{away}. Pick a row to mark its token on the map.")
    linked_table(shown.points, np.flatnonzero(shown.chosen), selecting, "selected")


def found_panel(shown: Shown, selecting: Selecting) -> None:
    """List what a search found."""
    if not shown.search.text:
        st.caption("Type a token or a text above the map to search for it.")
        return
    points, n = shown.points, int(shown.found.sum())
    n_documents = len(points.frame.loc[shown.found, ["cloud", "document"]].drop_duplicates())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{n:,} of {len(points):,} tokens found** in {counted(n_documents, 'document')}.", width="content"
        )
        st.button(
            "Select them",
            icon=":material/select_all:",
            key=selecting.view.key("select_found"),
            disabled=not n,
            on_click=lambda: selecting.put(points.selection(shown.found)),
        )
    if n:
        linked_table(points, np.flatnonzero(shown.found), selecting, "listed")


def nearest_panel(view: View, spec: ProjectionSpec, shown: Shown, selecting: Selecting) -> Shown:
    """List the nearest neighbours in the full space, and return what the map shows with them."""
    request, points = neighbour_controls(view), shown.points
    if request.of == "mean":
        asking = np.flatnonzero(shown.chosen)
    else:
        asking = np.array([] if shown.marked is None else [shown.marked], int)
    if not len(asking):
        first = "Pick a row in a table to mark its token." if request.of == "token" else "Select tokens first."
        st.caption(f"{first} Its nearest neighbours, by distance in the full space, are listed here.")
        return shown
    found = find_neighbours(points, request, spec.site, asking)
    if request.of == "token":
        row = points.frame.iloc[asking[0]]
        st.text(f"{row['context_before']}[{row['token']}]{row['context_after']}")
    linked_table(points, found.indices, selecting, "nearest", {"distance": found.distances})
    st.caption(found.caption)
    return replace(shown, neighbours=found)
