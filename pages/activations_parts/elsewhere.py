"""The selected tokens on the maps of other sites; a cloud has the same rows at every site."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import find_cloud
from core.figures.cloud_map import map_axes
from core.figures.selectable_map import SiteMap, sites_figure
from core.jobs.projection import StoredMap
from core.specs import FINAL, ProjectionSpec
from core.store import Store
from pages.activations_parts.points import Points, read_points
from pages.maps.clouds import find_picture, need_map
from pages.widgets.layout import draw
from pages.widgets.state import View

MOST = 4


def elsewhere(view: View, spec: ProjectionSpec, store: Store, points: Points, chosen: NDArray[np.bool_]) -> None:
    """Draw small maps of other sites, with the selected tokens highlighted."""
    known = captured_sites(points)
    others = [str(site) for site in known if site != spec.site]
    if not others:
        st.caption(
            "No other site of these data sets is captured. Choose a site on the left and capture every site at once."
        )
        return
    picked = view.several("sites", "Sites", others, _spread(others), max_selections=MOST, width=520)
    maps = []
    for name in picked:
        site = FINAL if name == FINAL else int(name)
        found = site_map(spec, site, store)
        if found is None:
            continue
        stored, there = found
        ids = there.numbers[there.selected(points.selection(chosen))] if chosen.any() else None
        maps.append(SiteMap(f"site {name}", there.layers(), map_axes(stored.map), ids))
    if maps:
        n = int(chosen.sum())
        draw(sites_figure(maps), view.key("elsewhere"), "Maps of other sites side by side, selected tokens highlighted")
        what = f"The {n:,} selected tokens" if n else "All tokens, because none are selected,"
        st.caption(f"{what} on the principal components of each site, fitted on the same rows at every site.")


def captured_sites(points: Points) -> list[int | str]:
    """Return the sites that every cloud was captured at, in the order of the stream."""
    held = [set(cloud.info["sites"]) for cloud in points.clouds]
    common = set.intersection(*held)
    return [*sorted(site for site in common if isinstance(site, int)), *([FINAL] if FINAL in common else [])]


def site_map(spec: ProjectionSpec, site: int | str, store: Store) -> tuple[StoredMap, Points] | None:
    """Return the PCA map of a site with its points; None while its job runs."""
    clouds = tuple(cloud.model_copy(update={"sites": (site,)}) for cloud in spec.clouds)
    there = ProjectionSpec(
        model=spec.model, site=site, clouds=clouds, n_points=spec.n_points, seed=spec.seed, method="pca"
    )
    found = [find_cloud(cloud, store) for cloud in clouds]
    stored = find_picture(there, store) or need_map(there, store)
    if stored is None or None in found:
        return None
    kept = [cloud for cloud in found if cloud is not None]
    return stored, read_points(there.canonical_json(), stored.artifact.key, stored, kept, store)


def _spread(sites: list[str]) -> list[str]:
    """Return up to `MOST` sites, evenly spread from the first to the last."""
    chosen = np.linspace(0, len(sites) - 1, min(MOST, len(sites))).round().astype(int)
    return [sites[i] for i in np.unique(chosen)]
