"""Downloads of the map: its points as a table, the figure as a page of its own."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.figures.page import page
from pages.activations_parts.points import Points
from pages.widgets.state import View
from pages.widgets.tables import download

COLUMNS = {
    "dataset": "name of the data set",
    "cloud": "identifies the rows of a cloud, whichever sites were captured",
    "row_id": "row in that cloud, the same at every site",
    "site": "where the residual stream was read: k enters block k, 'final' leaves the last block",
    "component_1": "first coordinate on the map; component_2 and component_3 are the others",
    "selected": "whether the point is selected",
    "document": "number of the text in its data set; `record` is its id, `group` the unit that splits keep together",
    "position": "position of the token in its text, from 0",
    "token": "text of the token, with `token_id`, `context_before` and `context_after`",
    "special": "whether the tokenizer reserves the token; `first`, `pad` and `sink` are flags of the same kind",
    "norm": "length of the activation at the site where norms are measured",
    "count": "occurrences of the token in all texts read; annotated tokens also have `part`, `rank` and `surprise`",
}
"""The documented columns of the tables, whose names are a contract."""
WHAT = {"all": "All points on the map", "selected": "The selection"}


def table(
    points: Points, chosen: NDArray[np.bool_], site: int | str, annotations: pd.DataFrame | None, only: bool
) -> pd.DataFrame:
    """Return points with all that is known about them; `only` keeps the `chosen` ones, (n,)."""
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
    chosen: NDArray[np.bool_],
    annotations: pd.DataFrame | None,
    figure: Callable[[], go.Figure],
) -> None:
    """Draw the download buttons of points and of the map as it is on screen; `chosen` is (n,).

    A file is written only when its button is pressed.
    """
    what = view.segments("what", "Points", WHAT, width="content") if chosen.any() else "all"
    name = f"priorscope-site-{points.site}-{points.stored.artifact.key[:8]}"
    with st.container(horizontal=True):
        download("Points", lambda: table(points, chosen, points.site, annotations, what == "selected"), name)
        st.download_button(
            "Figure as HTML",
            lambda: page(figure(), name).encode(),
            f"{name}.html",
            "text/html",
            icon=":material/download:",
            key=view.key("download.html"),
            on_click="ignore",
        )
    st.caption(
        "The HTML file contains Plotly and works offline. The camera button above the map saves a PNG. Columns: "
        + "; ".join(f"`{column}` {words}" for column, words in COLUMNS.items())
        + "."
    )
