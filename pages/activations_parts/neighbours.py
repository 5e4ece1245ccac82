"""The nearest neighbours of one token, or of a selection's mean, in the full space of a site."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.neighbours import Metric, nearest
from pages.activations_parts.points import Points
from pages.widgets.state import View

METRICS: dict[Metric, str] = {"cosine": "Cosine", "euclidean": "Euclidean"}
OF = {"token": "the marked token", "mean": "the selection's mean"}


@dataclass(frozen=True)
class Neighbours:
    """Nearest neighbours, nearest first: (k,) indices in `Points`, their distances, and in words what was measured."""

    indices: NDArray[np.int64]
    distances: NDArray[np.float32]
    caption: str


@dataclass(frozen=True)
class NeighbourRequest:
    """Which neighbours to find: of what, by which distance, from which documents, how many."""

    of: str
    metric: Metric
    others: bool
    k: int


def neighbour_controls(view: View) -> NeighbourRequest:
    """Draw the controls and return what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = view.segments("near_of", "Nearest to", OF, width="content")
        metric = view.segments("metric", "Distance", METRICS, width="content")
        k = view.number("n_near", "How many", 20, 1, 500, step=10, width=140)
        others = view.switch(
            "others", "Other documents only", help="Leave out all tokens from the same documents.", width="content"
        )
    return NeighbourRequest(of, metric, others, k)


def find_neighbours(
    points: Points, request: NeighbourRequest, site: int | str, asking: NDArray[np.int64]
) -> Neighbours:
    """Return the nearest neighbours of the mean of `asking`, (n,) indices, among the clouds' rows."""
    rows, distances = _search(points.names, site, request, points.numbers[asking].tobytes(), asking, points)
    known = [points.index(points.names[cloud], row) for cloud, row in rows]
    on_map = [i for i, index in enumerate(known) if index is not None]
    what = f"the mean of {len(asking):,} selected tokens" if request.of == "mean" else "the marked token"
    n_rows, d_model = sum(len(cloud.rows) for cloud in points.clouds), points.clouds[0].info["d_model"]
    out = ", without the same documents" if request.others else ""
    caption = (
        f"{METRICS[request.metric]} distance to {what} at site {site}, in all {d_model} dimensions, among "
        f"{n_rows:,} rows{out}."
    )
    return Neighbours(np.array([known[i] for i in on_map], np.int64), distances[on_map], caption)


@st.cache_data(show_spinner=False, max_entries=32)
def _search(
    names: tuple[str, ...],  # noqa: ARG001 - part of the cache's key, like every argument without an underscore
    site: int | str,
    request: NeighbourRequest,
    asked_about: bytes,  # noqa: ARG001 - the ids of `_asking`
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
        if request.others:
            out |= cloud.rows["document"].isin(rows["document"])
        allowed.append(~out.to_numpy(dtype=bool))
    found = nearest(point, clouds, allowed, request.k, request.metric)
    return list(zip(found.clouds.tolist(), found.rows.tolist(), strict=True)), found.distances
