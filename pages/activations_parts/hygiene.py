"""How each kind of token changes the numbers and the picture of one site."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis.atlas_terms import ALL
from core.analysis.hygiene_measures import AS_CHOSEN, TITLES
from core.figures.cloud_map import map_figure, pca_axes
from core.figures.hover import token_hover
from core.figures.layer import Layer
from core.figures.palette import Mark
from core.jobs.hygiene import Hygiene, find_hygiene
from core.specs import HygieneSpec, ProjectionSpec
from core.specs.model import short_name
from core.store import Store
from pages.activations_parts.site import left_out
from pages.widgets.costs import captures_cost
from pages.widgets.layout import draw, errors, plain, table
from pages.widgets.offers import need_result
from pages.widgets.state import View
from pages.widgets.tables import download

PAD = Mark("#2B2F38", "x", "x", 6, 0.9)
_SHOW = {"difference": "Change", "value": "Value", "both": "Value and interval"}


def token_hygiene(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the table and the map with padding kept, or offer to measure them."""
    ratio = view.number(
        "sinks_above", "Sinks exceed", 10.0, 1.01, 1e6, help="This multiple of the median norm at the middle site."
    )
    if spec.clouds[0].pooling == "mean":
        st.info("This view always uses single tokens.", icon=":material/info:")
    asked = hygiene_spec(spec, ratio)
    with errors():
        title = ":material/cleaning_services: The effect of each kind of token has not been measured yet"
        found = need_result("hygiene", asked, find_hygiene, store, title, cost, "Measure token hygiene")
        if found:
            _kinds(found)
            _numbers(view, found)
            _picture(spec, found)


def hygiene_spec(spec: ProjectionSpec, sink_ratio: float) -> HygieneSpec:
    """Return the request for a map's data sets and site; each switch starts from its filter."""
    cloud = spec.clouds[0]
    datasets = [cloud.dataset for cloud in spec.clouds]
    shared = {"rows": max(100, cloud.rows), "max_length": cloud.max_length, "seed": spec.seed, "tokens": cloud.tokens}
    return HygieneSpec.parse(
        {"model": spec.model, "site": spec.site, "datasets": datasets, "sink_ratio": sink_ratio, **shared}
    )


def cost(asked: HygieneSpec, store: Store) -> str:
    """Say what measuring token hygiene costs."""
    words = "One more capture at this site keeps every token, padding included, so that each filter keeps a part of it."
    needed = captures_cost(asked.clouds, store)
    return (
        f"{words} It takes {needed}; then each of seven token filters takes some seconds to measure."
        if needed
        else words
    )


def _kinds(found: Hygiene) -> None:
    """Write how many tokens there are of each kind."""
    summary = found.summary
    rows = [
        {"data set": name, **counts, "median norm": median}
        for name, counts, median in zip(summary["names"], summary["kinds"], summary["median_norm"], strict=True)
    ]
    kinds = pd.DataFrame(rows)
    table(
        kinds,
        {
            "sinks": f"Norm above {summary['sink_ratio']:g} times the median norm at site {summary['norm_site']}.",
            "duplicates": "Points that coincide with another point at this site.",
        },
    )
    download("Kinds of tokens", kinds, "kinds")


def _numbers(view: View, found: Hygiene) -> None:
    shown = view.segments("change", "Show", _SHOW)
    wide = wide_table(found, shown)
    table(wide, height="content")
    download("All numbers", found.table, "hygiene")
    st.caption(
        "The first column uses the filter on the left; each further column flips one of its switches. All are subsets "
        "of one sample of every token, so only the filter causes a change. Values have a 95 % interval over "
        "documents; changes have none. LDA accuracy is measured on held-out documents."
    )


def wide_table(found: Hygiene, shown: str) -> pd.DataFrame:
    """Return one row per statistic and data set, one column per token filter.

    It holds values, their difference from the first column, or both a value and its interval.
    """
    long = found.table
    if shown == "both":
        cells = [f"{row['value']:.4g} [{row['low']:.4g}, {row['high']:.4g}]" for row in long.to_dict("records")]
    elif shown == "difference":
        cells = long["value"].where(long["variant"] == AS_CHOSEN, long["difference"])
    else:
        cells = long["value"]
    ranks = {name: i for i, name in enumerate([*TITLES, ALL, *found.summary["names"]])}
    wide = long.assign(cell=cells).pivot(index=["statistic", "cloud"], columns="variant", values="cell")
    wide = wide[found.summary["variants"]].reset_index()
    wide = wide.sort_values(["statistic", "cloud"], key=lambda names: names.map(ranks))
    wide["statistic"] = [TITLES[statistic] for statistic in wide["statistic"]]
    return wide.rename(columns={"cloud": "data set"}).rename_axis(columns=None)


def _picture(spec: ProjectionSpec, found: Hygiene) -> None:
    """Draw the map with padding kept."""
    points = found.map
    pad = points["pad"].to_numpy(bool)
    names = found.summary["names"]
    layers = [
        _layer(name, points.loc[~pad & (points["dataset"] == number).to_numpy()], number)
        for number, name in enumerate(names)
    ]
    padded = _layer("padding", points.loc[pad], 0)
    layers.append(replace(padded, role="reference", mark=PAD))
    explained = found.summary["explained"]
    alt = f"Map of site {spec.site} with padding kept: {len(points):,} points of {', '.join(names)}, padding marked."
    draw(map_figure(layers, pca_axes(np.array(explained), 2), revision=found.job.id), "hygiene.map", alt)
    share = f"{pad.mean():.0%}" if pad.any() else "none"
    st.caption(
        f"Principal components of site {spec.site} of {plain(short_name(spec.model.name))} fitted with padding kept, "
        f"which makes up {share} of the {len(points):,} points drawn; otherwise the filter on the left applies. "
        f"{left_out(spec.clouds[0].tokens.model_copy(update={'pad': True}))} Each text was padded to the longest of "
        "the eight in its batch; the paper's Figure 3 has such a tail."
    )


def _layer(name: str, rows: pd.DataFrame, index: int) -> Layer:
    return Layer(
        name=f"{name} ({len(rows):,})",
        coordinates=rows[["x", "y"]].to_numpy(np.float32),
        role="dataset",
        index=index,
        hover=token_hover(rows),
    )
