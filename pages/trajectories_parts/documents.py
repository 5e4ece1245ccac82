"""The Trajectories page's numbers on a data set's documents, which a job measures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.trajectory_statistics import NULLS, STATISTICS, UNIFORM
from core.engine.lookup import find, find_nearest
from core.figures.trajectory_curves import trajectory_curves
from core.jobs.paths import PathTables, find_paths
from core.specs import PathsSpec
from core.specs.base import JsonObject
from core.specs.describe import describe
from core.store import JobFolder, Store, list_succeeded
from pages.trajectories_parts.controls import TrajectoryRequest
from pages.trajectories_parts.numbers import TITLES, column_helps
from pages.widgets.cite import cite_job
from pages.widgets.jobs import start
from pages.widgets.layout import draw, duration, plain, table
from pages.widgets.nearest import shown_instead
from pages.widgets.offers import priced, under_way
from pages.widgets.state import View

CURVES = {"step": "step length, ratio", "gyration": "radius of gyration, ratio", "exponent": "exponent, difference"}


def document_numbers(view: View, request: TrajectoryRequest, store: Store) -> dict[str, pd.DataFrame]:
    """Write the statistics of a data set's documents and return them, or offer to measure them."""
    if not request.clouds:
        return {}
    cloud = request.clouds[0]
    st.subheader(f"How documents move: {plain(cloud.dataset.label)}", anchor=False)
    helps = {field.name: field.help for field in describe(PathsSpec)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = view.number("n_documents", "Documents", 200, 2, 10_000, step=50, help=helps["n_documents"], width=150)
        length = view.number("path_length", "Longest text", 128, 8, 4096, step=32, help=helps["max_length"], width=150)
        sites = view.text(
            "path_sites", "Sites", str(request.site), help="For example 0,10,20,final, or all.", width=260
        )
    spec = PathsSpec.parse(
        {
            "model": cloud.model,
            "dataset": cloud.dataset,
            "sites": "all" if sites.strip() == "all" else sites,
            "n_documents": n,
            "max_length": length,
            "tokens": cloud.tokens.model_copy(update={"pad": False}),
        }
    )
    found = find_paths(spec, store)
    near = find_nearest("paths", spec, store) if found is None else None
    if found is None:
        with shown_instead([near] if near else []):
            _offer(spec, store)
        found = find_paths(near.spec, store) if near else None
    cite_job("paths", near.spec if near else spec)
    return _show_documents(view, found) if found else {}


def _offer(spec: PathsSpec, store: Store) -> None:
    if under_way([find("paths", spec, store)], store):
        return
    cost = _cost(spec, list_succeeded(store, "paths", 20))
    pressed = priced(f"**Not measured yet.** {spec.n_documents} documents{cost}.", "Measure trajectories")
    if pressed and start("paths", spec, store):
        st.rerun()


def _cost(spec: PathsSpec, earlier: Sequence[tuple[JobFolder, JsonObject]]) -> str:
    """Say how long measuring takes, at the pace of the model's earlier jobs."""
    paces = []
    for job, result in earlier:
        if job.spec["model"] == spec.model.as_json():
            work = result["n_documents"] * len(result["sites"]) * job.spec["max_length"]
            paces.append(result["seconds"] / work)
    if not paces or spec.sites == "all":
        return "; the pace is not known yet"
    return f", about {duration(float(np.median(paces)) * spec.n_documents * len(spec.sites) * spec.max_length)}"


def _show_documents(view: View, found: PathTables) -> dict[str, pd.DataFrame]:
    summary, numbers = found.summary, found.table("paths")
    sites = summary["sites"]
    site = sites[0]
    if len(sites) > 1:
        alt = f"Curves over sites: {', '.join(CURVES.values())}, of the documents' trajectories against each null."
        draw(trajectory_curves(numbers, CURVES), view.key("curves"), alt)
        site = view.choice("table_site", "Numbers at site", sites, sites[0], width=200)
    rows = []
    here = numbers.loc[numbers["site"].astype(str) == str(site)]
    for statistic in STATISTICS:
        own = here.loc[here["statistic"] == statistic]
        cells = {null: _interval(own.loc[own["null"] == null]) for null in ("", *NULLS)}
        rows.append({"statistic": TITLES[statistic], "mean": cells.pop(""), **cells})
    table(pd.DataFrame(rows), column_helps())
    far = summary["n_far"].get(str(site), 0)
    sinks = (
        f" {far} tokens at this site exceed ten times the median norm; drop sinks to see their effect." if far else ""
    )
    st.caption(
        f"{summary['n_documents']} documents in {summary['n_groups']} groups, {summary['n_tokens']:,} tokens; "
        f"{summary['n_too_short']} documents were too short. A null's column shows the mean ratio of each document to "
        "its own null samples (for the exponent, the difference) with a 95 % bootstrap interval over groups. The "
        "parentheses give the range of that mean for null samples themselves, and the share of documents below their "
        f"null.{sinks}"
    )
    if site == 0:
        st.markdown(_claim(here))
    return {"paths": numbers, "documents": found.table("documents")}


def _claim(here: pd.DataFrame) -> str:
    """Say whether, as in the paper, trajectories are a little tighter than random walks."""
    row = here[(here["statistic"] == "gyration") & (here["null"] == UNIFORM)].iloc[0]
    verdict = "tighter than" if row["high"] < 1 else "wider than" if row["low"] > 1 else "not distinguishable from"
    return (
        "The paper: standard deviations of trajectories *“tend to be statistically lower than the random walks across "
        f"vocabularies, though close enough to them”*. Here trajectories are **{verdict}** random walks over the "
        f"vocabulary: ratio {row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]."
    )


def _interval(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    row = rows.iloc[0]
    text = f"{row['value']:.4g} [{row['low']:.4g}, {row['high']:.4g}]"
    if row["null"]:
        text += f" (null {row['null_low']:.3g} to {row['null_high']:.3g}; {row['share_below']:.0%} below)"
    return text
