"""What is on the map, to take away: points as a table, the figure as a page of its own."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.figures.page import page
from core.jobs.projection import StoredMap
from pages.activations_parts.points import Points
from pages.widgets.state import View
from pages.widgets.tables import PARQUET, csv, parquet

COLUMNS = {
    "dataset": "name of the data set",
    "cloud": "names the rows of a cloud, whichever sites were captured",
    "row_id": "row in that cloud, the same at every site",
    "site": "place in the residual stream: k enters block k, 'final' leaves the last",
    "component_1": "first coordinate on the map (component_2, component_3 the others)",
    "selected": "whether the point is in the selection",
    "document": "number of the text in its data set, with `record` its id and `group` what it is split by",
    "position": "of the token in its text, from 0",
    "token": "text of the token, with `token_id`, `context_before` and `context_after`",
    "special": "reserved by the tokenizer; `first`, `pad` and `sink` likewise say what the token is",
    "norm": "length of the activation at the site where norms are taken",
    "count": "of the token in all texts read; with `part`, `rank` and `surprise` where tokens are annotated",
}
"""Columns of the tables, documented; the names stay."""
WHAT = {"all": "All points on the map", "selected": "The selection"}


def table(
    points: Points, chosen: NDArray[np.bool_], site: int | str, annotations: pd.DataFrame | None, only: bool
) -> pd.DataFrame:
    """Return points with everything that is known of them.

    Args:
        points: of the map.
        chosen: (n,) which are selected.
        site: of the map.
        annotations: further columns, or None.
        only: the selected ones alone.
    """
    frame = points.frame.drop(columns=["cloud", "number"])
    first = pd.DataFrame(
        {
            "dataset": [points.labels[cloud] for cloud in points.frame["cloud"]],
            "cloud": [points.names[cloud] for cloud in points.frame["cloud"]],
            "row_id": frame["row_id"],
            "site": str(site),
            **{f"component_{k + 1}": column for k, column in enumerate(points.coordinates.T)},
            "selected": chosen,
        }
    )
    parts = [first, frame.drop(columns="row_id")] + ([annotations] if annotations is not None else [])
    whole = pd.concat(parts, axis=1)
    return whole.loc[chosen].reset_index(drop=True) if only else whole


def downloads(
    view: View,
    points: Points,
    stored: StoredMap,
    chosen: NDArray[np.bool_],
    annotations: pd.DataFrame | None,
    figure: Callable[[], go.Figure],
) -> None:
    """Draw the buttons; nothing is made before one is pressed.

    Args:
        view: of the page.
        points: of the map.
        stored: the map.
        chosen: (n,) which points are selected.
        annotations: further columns, or None.
        figure: draws the map as it is on screen.
    """
    what = view.segments("what", "Points", WHAT, width="content") if chosen.any() else "all"
    site = points.specs[0].sites[0]
    name = f"priorscope-site-{site}-{stored.artifact.key[:8]}"

    def rows() -> pd.DataFrame:
        return table(points, chosen, site, annotations, what == "selected")

    def html() -> bytes:
        return page(figure(), name).encode()

    with st.container(horizontal=True):
        for title, ending, make, mime in (
            ("Points as CSV", "csv", lambda: csv(rows()), "text/csv"),
            ("Points as Parquet", "parquet", lambda: parquet(rows()), PARQUET),
            ("Figure as HTML", "html", html, "text/html"),
        ):
            st.download_button(
                title,
                make,
                f"{name}.{ending}",
                mime,
                icon=":material/download:",
                key=view.key(f"download.{ending}"),
                on_click="ignore",
            )
    st.caption(
        "The HTML file holds plotly itself and needs no network. The camera over the map saves a PNG. Columns: "
        + "; ".join(f"`{column}` {words}" for column, words in COLUMNS.items())
        + "."
    )
