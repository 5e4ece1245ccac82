"""The points of a map and what each of them is, read once for the whole page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.activations.clouds import Cloud
from core.activations.selection import Selection, number, rows_name, split_number
from core.analysis.regions import Region, regions
from core.figures.hover import token_hover
from core.figures.layer import Layer
from core.figures.text import token
from core.jobs.projection import StoredMap
from core.specs import CloudSpec, ProjectionSpec
from core.store import Store
from pages.maps.clouds import labels, map_layers
from pages.maps.overlays import fitted_on, overlay_cloud

HOVER_UP_TO = 20_000
"""Up to this many points, hovering shows each token in context; with more, the token alone."""


@dataclass(frozen=True)
class Points:
    """The points on a map, in one order everywhere.

    Attributes:
        specs: of the clouds.
        names: `rows_name` of each cloud.
        labels: short name of each cloud.
        clouds: themselves, with their points in the full space.
        frame: one row per point: `cloud` (index of its cloud), `number` (its id in figures), and
            the columns of `Cloud.rows`.
        coordinates: (n, 2 or 3) float32 on the map; NaN for a point outside the map's support.
        stored: the map.
        site: of the points.
        background: what the map was fitted on, in grey, unless it was fitted on these points.
    """

    specs: tuple[CloudSpec, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    clouds: tuple[Cloud, ...]
    frame: pd.DataFrame
    coordinates: NDArray[np.float32]
    stored: StoredMap
    site: int | str
    background: tuple[Layer, ...] = ()

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.frame)

    @property
    def numbers(self) -> NDArray[np.int32]:
        """Return (n,) the points' ids in figures."""
        return self.frame["number"].to_numpy(np.int32)

    @cached_property
    def sentences(self) -> pd.Series:
        """Return (n,) each token with the text around it."""
        return self.frame["context_before"].str.cat([self.frame["token"], self.frame["context_after"]])

    @cached_property
    def hover(self) -> list[str]:
        """Return (n,) hover texts: in context, or the tokens alone where there are many."""
        if len(self) <= HOVER_UP_TO:
            return token_hover(self.frame)
        codes, words = pd.factorize(self.frame["token"])
        shown = [token(word) for word in words]
        return [shown[code] for code in codes]

    @cached_property
    def regions(self) -> list[Region]:
        """Return regions of the map with their characteristic tokens."""
        return regions(self.coordinates[self.placed], self.frame["token"][self.placed].tolist())

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Return (n,) which points are inside the map's support."""
        return np.asarray(np.isfinite(self.coordinates).all(axis=1))

    @cached_property
    def hidden(self) -> pd.DataFrame:
        """Return the share that the map's plane does not show (`off_plane`), and `t_squared`."""
        parts = []
        for i, cloud in enumerate(self.clouds):
            rows = self.frame.loc[self.frame["cloud"] == i, "row_id"].to_numpy()
            hidden = self.stored.map.hidden(cloud.points(self.site)[rows])
            parts.append(pd.DataFrame({"off_plane": hidden.share, "t_squared": hidden.t_squared}))
        return pd.concat(parts, ignore_index=True)

    def selected(self, selection: Selection) -> NDArray[np.bool_]:
        """Return (n,) which points are selected."""
        chosen = np.zeros(len(self), dtype=bool)
        clouds, rows = self.frame["cloud"].to_numpy(), self.frame["row_id"].to_numpy()
        for i, name in enumerate(self.names):
            own = clouds == i
            chosen[own] = selection.holds(name, rows[own])
        return chosen

    def name(self, index: int) -> str:
        """Return the name of a point in an address: cloud and row."""
        row = self.frame.iloc[index]
        return f"{self.names[int(row['cloud'])]}:{int(row['row_id'])}"

    def index(self, name: str, row_id: int) -> int | None:
        """Return the index of a cloud's row among the points, or None if it is not among them."""
        if name not in self.names:
            return None
        wanted = number(self.names.index(name), np.array([row_id]))
        found = np.flatnonzero(self.numbers == wanted[0])
        return int(found[0]) if len(found) else None

    def selection(self, chosen: NDArray[np.bool_]) -> Selection:
        """Return chosen points as a selection."""
        return self.selection_of(self.numbers[chosen])

    def selection_of(self, numbers: Sequence[int] | NDArray[np.integer]) -> Selection:
        """Return the selection of some ids in figures; those of other clouds are ignored."""
        clouds, rows = split_number(np.asarray(numbers, np.int64))
        return Selection.of({name: rows[clouds == i].tolist() for i, name in enumerate(self.names)})

    def layers(self) -> list[Layer]:
        """Return one layer per cloud, in its hue."""
        clouds = self.frame["cloud"].to_numpy()
        return [self.layer(clouds == i, label, i) for i, label in enumerate(self.labels)]

    def layer(self, chosen: NDArray[np.bool_], name: str, index: int) -> Layer:
        """Return chosen points as a layer."""
        own = np.flatnonzero(chosen)
        return Layer(
            name=f"{name} ({len(own):,})",
            coordinates=self.coordinates[own],
            role="dataset",
            index=index,
            hover=[self.hover[i] for i in own],
            ids=self.numbers[own],
            group=name,
        )


@st.cache_resource(show_spinner=False, max_entries=6)
def read_points(spec_json: str, map_key: str, _stored: StoredMap, _clouds: Sequence[Cloud], _store: Store) -> Points:  # noqa: ARG001 - part of the cache's key
    """Return the points of a stored map; sessions share them, so they must not be changed.

    Args:
        spec_json: of the map.
        map_key: names the stored map, so that a newer one is read again.
        _stored: the map.
        _clouds: those of the spec, in its order.
        _store: has the overlays of points that the map was not fitted on.
    """
    spec = ProjectionSpec.parse(spec_json)
    names = [rows_name(cloud) for cloud in _clouds]
    kept = [i for i, name in enumerate(names) if names.index(name) == i]
    frames, coordinates = [], []
    for index, i in enumerate(kept):
        shown, positions = overlay_cloud(spec, i, _clouds[i], _stored, _store)
        rows = _clouds[i].rows.iloc[shown]
        frames.append(rows.assign(cloud=index, number=number(index, rows["row_id"].to_numpy())))
        coordinates.append(positions)
    titles = labels(spec.clouds)
    return Points(
        specs=tuple(spec.clouds[i] for i in kept),
        names=tuple(names[i] for i in kept),
        labels=tuple(titles[i] for i in kept),
        clouds=tuple(_clouds[i] for i in kept),
        frame=pd.concat(frames, ignore_index=True),
        coordinates=np.concatenate(coordinates),
        stored=_stored,
        site=spec.site,
        background=background_of(_stored, _clouds, spec, _store),
    )


def background_of(stored: StoredMap, clouds: Sequence[Cloud], spec: ProjectionSpec, store: Store) -> tuple[Layer, ...]:
    """Return what a map was fitted on, in grey, unless that is what is shown."""
    if all(fitted_on(stored, cloud, spec) for cloud in clouds):
        return ()
    layers = map_layers(store.root, stored.artifact.key, stored.map.n_components)
    return tuple(replace(layer, name=f"fitted on: {layer.name}") for layer in layers)
