"""The Trajectories page's numbers on the texts that are shown: answers, and statistics."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.analysis.trajectory_statistics import (
    DEFINITIONS,
    NULLS,
    SHUFFLED,
    STATISTICS,
    UNIFORM,
    UNIGRAM,
    Pool,
    measure_trajectory,
    shuffles,
    text_table,
)
from core.jobs.trajectory import ANSWER
from core.store import Store
from pages.maps.nearest import stored_clouds
from pages.trajectories_parts.controls import TrajectoryRequest
from pages.trajectories_parts.picture import Part
from pages.widgets.layout import table
from pages.widgets.state import View

N_DRAWS = 200
"""Samples of each null distribution per text."""
TITLES = {name: DEFINITIONS[name].title for name in STATISTICS}


def text_numbers(view: View, request: TrajectoryRequest, parts: Sequence[Part], store: Store) -> pd.DataFrame:
    """Write the statistics of the texts shown, each against the nulls, and return them."""
    st.subheader("How these texts move", anchor=False)
    vocabulary = find_vocabulary(request.map.model, store) if request.site == 0 else None
    near = stored_clouds(request.clouds[:1], store, view.key("nulls"))
    cloud = find_cloud(near[0], store) if near else None
    kept_by = (store.root, cloud.key if cloud else "", vocabulary.key if vocabulary else "")
    tables = []
    for part in parts:
        key = (hashlib.sha256(part.rows.tobytes()).hexdigest(), part.found.job.id, *kept_by)
        numbers = _numbers_of(part.points(request.site), key, request.site, cloud, vocabulary)
        tables.append(part.labelled(numbers, request.site))
    frame = pd.concat(tables, ignore_index=True)
    if frame.empty:
        st.caption("A single token has no steps and no spread.")
        return frame
    table(_readable(frame, parts), column_helps(), height="content")
    st.caption(
        f"Each cell shows the median and the central 95 % of {N_DRAWS} null samples, with the two-sided p of this "
        "trajectory. All lengths are measured in the full space, not on the map. One short text decides little; the "
        "section below measures many documents."
    )
    return frame


@st.cache_data(show_spinner="Drawing null samples …", max_entries=128)
def _numbers_of(
    _points: NDArray[np.float32],
    key: tuple[object, ...],  # noqa: ARG001 - what the cached result is known by
    site: int | str,
    _cloud: Cloud | None,
    _vocabulary: Cloud | None,
) -> pd.DataFrame:
    """Return `text_table` of one trajectory; `key` names everything it is made from."""
    rng = np.random.default_rng(0)
    n, nulls = len(_points), {SHUFFLED: shuffles(_points, rng)}
    pool = None
    if _cloud is not None:
        pool = Pool(_cloud.points(site), _cloud.rows["token_id"].to_numpy())
        nulls[UNIGRAM] = pool.unigram(n, rng)
    if _vocabulary is not None:
        ordinary = np.flatnonzero(~_vocabulary.rows["special"].to_numpy(bool))
        nulls[UNIFORM] = Pool(_vocabulary.points(0)[ordinary], ordinary).uniform(n, rng)
    elif pool is not None:
        nulls[UNIFORM] = pool.uniform(n, rng)
    return text_table(measure_trajectory(_points, nulls, N_DRAWS))


def _readable(frame: pd.DataFrame, parts: Sequence[Part]) -> pd.DataFrame:
    """Return one row per trajectory and statistic, one column per null."""
    rows = []
    for part in parts:
        own = frame.loc[frame["path"] == part.name]
        for statistic in STATISTICS:
            numbers = own.loc[own["statistic"] == statistic]
            if numbers.empty:
                continue
            cells = {row["null"]: _cell(row) for row in numbers.to_dict("records")}
            rows.append(
                {
                    "trajectory": part.name,
                    "tokens": int(numbers["n_points"].iloc[0]),
                    "statistic": TITLES[statistic],
                    "value": short(numbers["value"].iloc[0]),
                    **{null: cells.get(null, "") for null in NULLS},
                }
            )
    return pd.DataFrame(rows)


def _cell(row: dict[Any, Any]) -> str:
    median, low, high = (short(row[name]) for name in ("median", "low", "high"))
    return f"{median} [{low}, {high}], p {row['p']:.2g}"


def short(number: float) -> str:
    """Return a number with as many digits as a trajectory's statistics deserve."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{round(number, 2) + 0.0:.2f}"


def answer_table(parts: Sequence[Part]) -> None:
    """Write each generated answer, and the accepted answers where they are known."""
    rows = []
    for part in {(p.found.job.id, p.number): p for p in parts}.values():
        about, tokens = part.found.summary["texts"][part.number], part.found.tokens
        of_answer = tokens[(tokens["text"] == part.number) & (tokens["part"] == ANSWER)]
        rows.append(
            {
                "prompt": f"of {part.run}" if part.run else "none",
                "question": " ".join(about["text"].split()),
                "answer": about["answer"].strip() or "(nothing)",
                "accepted": " | ".join(about["answers"]),
                "tokens": about["n_answer"],
                "mean probability": float(np.exp(np.log(of_answer["probability"]).mean())),
                "stopped by itself": "yes" if about["ended"] else "no",
            }
        )
    frame = pd.DataFrame(rows)
    if not any(frame["accepted"]):
        frame = frame.drop(columns="accepted")
    table(
        frame,
        {
            "mean probability": "Geometric mean of the probabilities of the answer's tokens, each given all tokens "
            "before it.",
            "stopped by itself": "Whether the model ended the answer, rather than reaching the longest length.",
        },
    )


def column_helps() -> dict[str, str]:
    """Return what the statistics and the nulls are, for the heads of columns."""
    statistics = "  \n".join(f"{DEFINITIONS[name].title}: {DEFINITIONS[name].text}" for name in STATISTICS)
    return {"statistic": statistics, **{name: DEFINITIONS[name].text for name in NULLS}}
