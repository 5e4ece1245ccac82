"""Lay points on a stored map and keep where they lie: a job. Its reading side is free of torch."""

from pathlib import Path

import numpy as np

from core.activations.clouds import Cloud, find_cloud
from core.analysis.frozen_maps import Overlay
from core.array_types import Float32s, Indices
from core.engine.tasks import Result, Task
from core.errors import BadRequest
from core.jobs.projection import StoredMap, load_map
from core.progress import Progress
from core.specs.base import JsonObject
from core.specs.projection import PlacementSpec
from core.store import JobFolder, Store
from core.store.vectors import read_vectors

PLACEMENT = "placement"
"""Kind of the artifacts that hold where points lie on a map."""
VERSION = "1"
"""Goes up when the same points would have other coordinates on the same map."""
_PARTS = ("coordinates", "inside", "off_plane", "off_plane_share", "t_squared")


def find_placement(spec: PlacementSpec, store: Store) -> Overlay | None:
    """Return where points lie on a map as it was kept, or None while it, the cloud or the map is not there."""
    found = find_cloud(spec.cloud, store) if spec.cloud else None
    if spec.cloud and found is None:
        return None
    artifact = store.find(PLACEMENT, _key(spec, found))
    if artifact is None:
        return None
    parts = {name: np.load(artifact.folder / f"{name}.npy", allow_pickle=False) for name in _PARTS}
    return Overlay(**parts)


def place(spec: PlacementSpec, job: JobFolder, store: Store, progress: Progress) -> Result:
    """Lay points on a map that stays as it is, and keep where they lie.

    Returns:
        key, cached, n_points and n_inside.

    Raises:
        BadRequest: the map or the vectors are not in the store, or of another width.
        Cancelled: by `progress`.
    """
    from core.activations.capture import capture

    cloud = capture(spec.cloud, store, progress)[0] if spec.cloud else None
    stored = load_map(spec.map, store)
    if stored is None:
        raise BadRequest(f"The map {spec.map!r} is no longer in the store; draw it again.")
    points = points_of(spec, cloud, store)
    artifact, cached = store.make(
        PLACEMENT,
        _key(spec, cloud),
        spec.as_json(),
        lambda folder: _build(folder, stored, points, progress),
        progress=progress,
    )
    job.log(f"placement {artifact.key} {'was there' if cached else 'made'}")
    return {"key": artifact.key, "cached": cached, **artifact.info}


def points_of(spec: PlacementSpec, cloud: Cloud | None, store: Store) -> Float32s:
    """Return the points to overlay on the map, (n, d).

    Raises:
        BadRequest: the vectors are not in the store, or the cloud does not have the site.
    """
    if cloud is None:
        return read_vectors(spec.vectors, store)
    return np.asarray(cloud.points(spec.site)[rows_of(spec, cloud)], np.float32)


def rows_of(spec: PlacementSpec, cloud: Cloud) -> Indices:
    """Return which rows of the cloud are overlaid on the map, in ascending order."""
    n = len(cloud.rows)
    rng = np.random.default_rng(spec.seed)
    return np.sort(rng.choice(n, size=min(spec.n_points, n), replace=False))


def _key(spec: PlacementSpec, cloud: Cloud | None) -> str:
    return spec.fingerprint(VERSION, cloud.key if cloud else "")


def _build(folder: Path, stored: StoredMap, points: Float32s, progress: Progress) -> JsonObject:
    placed = stored.map.overlay(points, progress)
    for name in _PARTS:
        np.save(folder / f"{name}.npy", getattr(placed, name), allow_pickle=False)
    return {"n_points": len(points), "n_inside": int(placed.inside.sum())}


PLACE = Task("place", "l", PlacementSpec, place, "quick")
