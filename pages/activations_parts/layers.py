"""All sites at once: a strip of small maps, and curves of quantities over sites."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.analysis.atlas_terms import QUANTITIES
from core.errors import BadRequest
from core.figures.atlas_curves import curves_figure
from core.figures.film import PLANES_DIFFER, film_figure
from core.figures.strip import site_of_trace, strip_figure
from core.jobs.atlas import Atlas, find_atlas, measured_pace
from core.sources.models import describe_model
from core.specs import AtlasSpec, ProjectionSpec
from core.specs.model import short_name
from core.store import JobFolder, Store
from pages.widgets.costs import captures_cost
from pages.widgets.forms import spec_fields
from pages.widgets.layout import Point, draw, duration, errors, plain, size, table
from pages.widgets.offers import need_result
from pages.widgets.state import View
from pages.widgets.tables import download

SETTINGS = ("n_components", "n_folds", "n_permutations", "n_neighbours", "n_map")
FIRST = ["lda_accuracy", "neighbour_purity", "energy", "dip", "two_nn_dimension", "kurtosis_principal"]
MAPS = {"film": "One after another", "strip": "Side by side"}
_DOCUMENTS = "SQuAD's documents are its articles."
_KEPT_PER_SITE = 40_000
"""Bytes of a site's tables and small map."""


def all_sites(view: View, spec: ProjectionSpec, store: Store) -> None:
    """Draw the strip and the curves, or offer to measure them, with the cost, and show the job."""
    with st.expander("How the sites are measured"):
        settings = spec_fields(view, AtlasSpec, SETTINGS)
    asked = atlas_spec(spec, settings)
    with errors():
        title = ":material/layers: These sites have not been measured yet"
        found = need_result("atlas", asked, find_atlas, store, title, cost, "Measure all sites")
        if found:
            _show(view, spec, found)


def atlas_spec(spec: ProjectionSpec, settings: Mapping[str, object]) -> AtlasSpec:
    """Return the request for an atlas of a map's clouds at every site.

    Raises:
        BadRequest: more data sets than an atlas takes.
    """
    clouds = [cloud.model_copy(update={"sites": "all"}) for cloud in spec.clouds]
    return AtlasSpec.parse({"model": spec.model, "clouds": clouds, "seed": spec.seed, **settings})


def cost(asked: AtlasSpec, store: Store) -> str:
    """Say what an atlas costs."""
    n_layers = describe_model(asked.model, store).n_layers
    words = ["One job measures the sites one after another. If you stop it, it resumes where it stopped."]
    if needed := captures_cost(asked.clouds, store):
        words.append(f"Missing activations are captured first ({needed}).")
    pace = measured_pace(asked.model.name, store)
    if n_layers is None:
        words.append("The number of sites is not known until the model is on this machine.")
    elif pace is None:
        words.append(f"**{n_layers + 1} sites**; the pace is not known yet.")
    else:
        n = (n_layers + 1) * len(asked.clouds)
        words.append(f"**{n_layers + 1} sites** take about {duration(pace * n)}, at the pace of an earlier atlas.")
    if n_layers is not None:
        words.append(f"The results take {size((n_layers + 1) * _KEPT_PER_SITE)}.")
    return " ".join(words)


def _show(view: View, spec: ProjectionSpec, found: Atlas) -> None:
    path, n = str(found.job.path), len(found.summary["names"])
    if view.segments("maps", "Maps", MAPS, label_visibility="collapsed") == "film":
        played: Any = film(path, spec.site)
        alt = "One map of all sites, with a slider from site to site."
        draw(played, view.key("film"), alt)
        n_drawn = sum(len(trace.hovertext) for trace in played.data)
        st.caption(f"{_points_words(spec, found, n_drawn)} {PLANES_DIFFER} {_DOCUMENTS}")
    else:
        draw(
            strip(path, spec.site),
            view.key("strip"),
            "A small map of each site, in the order of the stream.",
            lambda point: _open(view, site_of_trace(point["curve_number"], found.sites, n)),
        )
        st.caption(_strip_caption(spec, found))
    quantities = view.several(
        "quantities", "Curves", list(QUANTITIES), _there(FIRST, found), format_func=lambda name: QUANTITIES[name].title
    )
    chosen = _there(quantities, found)
    if not chosen:
        st.info("Choose at least one quantity that these data sets have; separability needs two data sets.")
        return
    figure, alt = curves(path, tuple(chosen), spec.site), "Curves of the chosen quantities over sites."
    draw(figure, view.key("curves"), alt, lambda point: _open(view, _site(point)))
    st.caption(
        "Bars are 95 % intervals over documents, bands each curve's null distribution. Open points have p > 0.05, "
        "uncorrected for the number of sites. A pair's line has the colour of one data set and its points that of the "
        "other. Click a point to open its site."
    )
    with st.expander("What the curves are"):
        st.markdown("\n".join(f"- **{QUANTITIES[name].title}**: {QUANTITIES[name].help}" for name in chosen))
    _tables(found, chosen)


def _there(quantities: list[str], found: Atlas) -> list[str]:
    measured = set(found.statistics["quantity"])
    return [quantity for quantity in quantities if quantity in measured]


def _tables(found: Atlas, quantities: list[str]) -> None:
    with st.expander("Numbers"):
        shown = found.statistics.loc[found.statistics["quantity"].isin(quantities)]
        table(shown.assign(site=shown["site"].astype(str)))
        with st.container(horizontal=True):
            download("All statistics", found.statistics, "atlas")
            download("Directions of the dip test", found.directions, "atlas-directions")


def _points_words(spec: ProjectionSpec, found: Atlas, n_drawn: int) -> str:
    summary = found.summary
    counts = ", ".join(
        f"{plain(name)} ({points:,} points of {documents} documents)"
        for name, points, documents in zip(summary["names"], summary["n_points"], summary["n_documents"], strict=True)
    )
    return (
        f"First two principal components of each site of {plain(short_name(spec.model.name))}, fitted at that site on "
        f"all of {counts}. Every map draws the same {n_drawn:,} points (seed {spec.seed})."
    )


def _strip_caption(spec: ProjectionSpec, found: Atlas) -> str:
    return (
        f"{_points_words(spec, found, len(found.points))} The number beside "
        "a site is the share of variance shown. Each map is centred, scaled by its inner half and rotated or mirrored "
        "to match the one before (Procrustes): position, size and direction mean "
        "nothing, and zooming into one map zooms into all. If points leave their frame, a few tokens of large norm "
        f"dominate the plane; double-click to see everything. {_DOCUMENTS} Click a point to open its site."
    )


def _site(point: Point) -> int | str:
    """Return the site of a point of the curves."""
    site = point["customdata"]
    text = str(site[0] if isinstance(site, list) else site)
    return int(text) if text.isdecimal() else text


def _open(view: View, site: int | str | None) -> None:
    """Choose a site on the left and show its map."""
    if site is not None:
        view.choose("site", site)
        view.choose("show", "site")


@st.cache_data(show_spinner=False, max_entries=8)
def strip(path: str, chosen: int | str) -> go.Figure:
    """Return the strip of an atlas, which is built once."""
    found = _read(path)
    datasets, tokens = found.points["dataset"].to_numpy(), found.points["token"].tolist()
    return strip_figure(found.small_maps, found.summary["names"], datasets, tokens, chosen, revision=path)


@st.cache_data(show_spinner=False, max_entries=8)
def film(path: str, chosen: int | str) -> go.Figure:
    """Return the film of an atlas, which is built once and begins at the chosen site, if that was measured."""
    found = _read(path)
    datasets, tokens = found.points["dataset"].to_numpy(), found.points["token"].tolist()
    active = found.sites.index(chosen) if chosen in found.sites else 0
    return film_figure(found.small_maps, found.summary["names"], datasets, tokens, active, revision=path)


@st.cache_data(show_spinner=False, max_entries=16)
def curves(path: str, quantities: tuple[str, ...], chosen: int | str) -> go.Figure:
    """Return the curves of an atlas, which are built once."""
    found = _read(path)
    return curves_figure(found.statistics, quantities, found.summary["names"], found.sites, chosen, revision=path)


def _read(path: str) -> Atlas:
    found = Atlas(JobFolder(Path(path)))
    if not found.summary:
        raise BadRequest(f"The atlas {found.job.id} has lost its result; measure the sites again.")
    return found
