"""Which tokens are nearest to one token, or to a selection, in the full space of a site."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.selection import Selection
from core.analysis.neighbours import Metric, nearest
from pages.activations_parts.points import Points
from pages.widgets.state import View

METRICS: dict[Metric, str] = {"cosine": "Cosine", "euclidean": "Euclidean"}
OF = {"token": "the marked token", "mean": "the selection's mean"}


@dataclass(frozen=True)
class Near:
    """The nearest points.

    Attributes:
        places: (k,) in `Points`, nearest first.
        distances: (k,).
        caption: what was measured.
    """

    places: NDArray[np.int64]
    distances: NDArray[np.float32]
    caption: str


@dataclass(frozen=True)
class Asked:
    """What neighbours are wanted."""

    of: str
    metric: Metric
    others: bool
    k: int


def neighbour_controls(view: View) -> Asked:
    """Draw the controls and return what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = view.segments("near_of", "Nearest to", OF, width="content")
        metric = view.segments("metric", "Distance", METRICS, width="content")
        k = view.number("n_near", "How many", 20, 1, 500, step=10, width=140)
        others = view.switch(
            "others",
            "Other documents only",
            help="Leave out rows of the documents that were asked about.",
            width="content",
        )
    return Asked(of, metric, others, k)


def near(
    points: Points, asked: Asked, site: int | str, place: int | None, chosen: NDArray[np.int64], selection: Selection
) -> Near | None:
    """Return the nearest points of the clouds, all their rows included; None where there is nothing to ask about.

    Args:
        points: of the map.
        asked: what is wanted.
        site: where.
        place: of the marked token, or None.
        chosen: (n,) places of the selected points.
        selection: them by rows, which the search is kept by.
    """
    asking = chosen if asked.of == "mean" else np.array([] if place is None else [place], int)
    if not len(asking):
        return None
    found = _search(
        points.names, site, asked, tuple(asking.tolist()) if asked.of == "token" else selection, asking, points
    )
    rows, distances = found
    known = [points.place(points.names[cloud], row) for cloud, row in rows]
    there = [i for i, at in enumerate(known) if at is not None]
    what = f"{len(asking):,} selected tokens' mean" if asked.of == "mean" else "the marked token"
    n_rows, width = sum(len(cloud.rows) for cloud in points.clouds), points.clouds[0].info["d_model"]
    out = ", documents asked about left out" if asked.others else ""
    caption = (
        f"{METRICS[asked.metric]} distance to {what} at site {site}, in all {width} dimensions, "
        f"among {n_rows:,} rows{out}."
    )
    return Near(np.array([known[i] for i in there], np.int64), distances[there], caption)


@st.cache_data(show_spinner=False, max_entries=32)
def _search(
    names: tuple[str, ...],  # noqa: ARG001 - part of the cache's key, as all that has no underscore
    site: int | str,
    asked: Asked,
    of: object,  # noqa: ARG001
    _asking: NDArray[np.int64],
    _points: Points,
) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
    """Return cloud and row id of the nearest rows, and their distances."""
    frame = _points.frame.iloc[_asking]
    clouds = [cloud.points(site) for cloud in _points.clouds]
    own = [frame.loc[frame["cloud"] == i] for i in range(len(clouds))]
    sums = [
        cloud[rows["row_id"].to_numpy()].sum(axis=0, dtype=np.float64) for cloud, rows in zip(clouds, own, strict=True)
    ]
    point = np.sum(sums, axis=0) / len(frame)
    allowed = []
    for cloud, rows in zip(_points.clouds, own, strict=True):
        out = cloud.rows["row_id"].isin(rows["row_id"])
        if asked.others:
            out |= cloud.rows["document"].isin(rows["document"])
        allowed.append(~out.to_numpy(dtype=bool))
    found = nearest(point, clouds, allowed, asked.k, asked.metric)
    return list(zip(found.clouds.tolist(), found.rows.tolist(), strict=True)), found.distances
