"""Fit a map on reference clouds and keep it: the job behind the pages' pictures. Its reading side is free of torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.activations.clouds import CLOUD, VOCABULARY, Cloud, find_cloud, find_vocabulary, stored_specs
from core.analysis.frozen_maps import VERSION, Map, fit_map
from core.array_types import Float32s, Indices, Ints
from core.engine.tasks import Result, Task
from core.errors import BadRequest
from core.progress import Progress
from core.specs import CloudSpec, ProjectionSpec
from core.specs.base import JsonObject
from core.specs.nearest import Nearest, differences, nearest
from core.store import Artifact, JobFolder, Store
from core.store.vectors import VECTORS, read_vectors

MAP = "map"
"""Kind of the artifacts that hold maps."""
_REFERENCE = "reference.parquet"
_SAME_POINTS = ("method", "n_components", "site", "vocabulary", "joined")
"""Fields in which a map must be equal to stand in for another."""


@dataclass(frozen=True)
class StoredMap:
    """A map with what it was fitted on.

    Attributes:
        artifact: what is stored; its `info` has `n_points`, `n_available`, `seed` and `clouds`.
        map: the map itself.
        reference: one row per point of `map.coordinates`, in the same order: `cloud` (key), `kind`, `row` (index into
            that cloud's rows).
    """

    artifact: Artifact
    map: Map
    reference: pd.DataFrame

    @property
    def spec(self) -> ProjectionSpec:
        """Return what the map was asked for; a t-SNE map that was stopped early asks for the iterations it has."""
        return ProjectionSpec.parse(self.artifact.manifest.spec)

    @property
    def joint(self) -> bool:
        """Return whether it was fitted together with vectors that it shows, and so is not frozen."""
        return bool(self.artifact.info.get("n_joined"))

    def fitted_on(self, key: str) -> tuple[Indices, Float32s]:
        """Return the rows (n,) of a cloud that the map was fitted on, and their coordinates, (n, n_components)."""
        own = (self.reference["cloud"] == key).to_numpy()
        return self.reference.loc[own, "row"].to_numpy(np.intp), np.asarray(self.map.coordinates[own], np.float32)

    def of_tokens(self, token_ids: Ints) -> Float32s:
        """Return where tokens' vocabulary rows lie, (n, n_components); NaN for those it was not fitted on."""
        own = (self.reference["kind"] == VOCABULARY).to_numpy()
        point = pd.Series(np.flatnonzero(own), index=self.reference.loc[own, "row"].to_numpy())
        found = np.full((len(token_ids), self.map.n_components), np.nan, np.float32)
        known = np.isin(token_ids, point.index)
        found[known] = np.asarray(self.map.coordinates)[point[token_ids[known]]]
        return found

    @property
    def joined(self) -> Float32s:
        """Return the coordinates of those vectors in their order, (n, n_components)."""
        return np.asarray(self.map.coordinates[(self.reference["kind"] == VECTORS).to_numpy()])


def find_map(spec: ProjectionSpec, store: Store) -> StoredMap | None:
    """Return the stored map of a spec, or None while it, or a cloud it is fitted on, is not there.

    Raises:
        UnknownName, BadData: no such model, module or file.
    """
    vocabulary = find_vocabulary(spec.model, store) if spec.vocabulary else None
    found = [find_cloud(_at_site(cloud, spec), store) for cloud in spec.clouds]
    clouds = [cloud for cloud in (vocabulary, *found) if cloud is not None]
    if len(clouds) < spec.vocabulary + len(spec.clouds):
        return None
    artifact = store.find(MAP, _key(spec, clouds))
    return _load(artifact) if artifact else None


def nearest_map(spec: ProjectionSpec, store: Store) -> Nearest[ProjectionSpec] | None:
    """Return the stored map that is nearest to a spec among those of its points, by its method; or None.

    Raises:
        UnknownName, BadData: see `find_map`.
    """
    same = [
        one
        for one in stored_specs(store, MAP, ProjectionSpec)
        if all(getattr(one, name) == getattr(spec, name) for name in _SAME_POINTS)
        and len(one.clouds) == len(spec.clouds)
        and not any(list(differences(*pair)) for pair in zip(spec.clouds, one.clouds, strict=True))
    ]
    found = nearest(spec, same)
    return found if found and find_map(found.spec, store) else None


def load_map(key: str, store: Store) -> StoredMap | None:
    """Return a stored map by its key, whether or not the clouds that it was fitted on are there."""
    artifact = store.find(MAP, key)
    return _load(artifact) if artifact else None


def clouds_of(stored: StoredMap, store: Store) -> list[Cloud | None]:
    """Return the clouds that a map was fitted on, in the order of its spec; None for one that was pruned away."""
    spec = stored.spec
    places = [(VOCABULARY, 0)] * spec.vocabulary + [(CLOUD, spec.site)] * len(spec.clouds)
    found = [store.find(kind, key) for (kind, _), key in zip(places, stored.artifact.info["clouds"], strict=True)]
    return [Cloud(artifact, (site,)) if artifact else None for artifact, (_, site) in zip(found, places, strict=True)]


def fit_projection(spec: ProjectionSpec, job: JobFolder, store: Store, progress: Progress) -> Result:
    """Capture what is missing of the clouds, fit the map, and keep it.

    Once somebody says that what is drawn is enough (`JobFolder.enough`), a t-SNE map is kept as it is then: as the map
    of a spec that asks for so many iterations, which gives the same to the bit.

    Returns:
        key, cached, n_points, n_available and n_iterations of the map; the last is 0 on a PCA map.

    Raises:
        BadRequest: too few points, a site the model does not have, or joined vectors that are not in the store.
        Cancelled: by `progress`.
    """
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud

    clouds = [vocabulary_cloud(spec.model, store, progress)] if spec.vocabulary else []
    clouds += [capture(_at_site(cloud, spec), store, progress)[0] for cloud in spec.clouds]
    key = _key(spec, clouds)
    try:
        artifact, cached = store.make(
            MAP,
            key,
            spec.as_json(),
            lambda folder: _build(folder, spec, clouds, store, progress, job.enough),
            progress=progress,
        )
    except _StoppedEarly as stopped:
        drawn = stopped.drawn
        fewer = spec.model_copy(update={"n_iterations": drawn.n_iterations})
        artifact, cached = store.make(MAP, _key(fewer, clouds), fewer.as_json(), lambda folder: _write(folder, drawn))
    job.log(f"map {artifact.key} {'was there' if cached else 'made'}")
    facts = {name: artifact.info.get(name, 0) for name in ("n_points", "n_available", "n_iterations")}
    return {"key": artifact.key, "cached": cached, **facts}


def _at_site(cloud: CloudSpec, spec: ProjectionSpec) -> CloudSpec:
    """Return the cloud of the request, once it is known to have the map's site.

    Raises:
        BadRequest: the cloud has other sites only.
    """
    if cloud.sites != "all" and spec.site not in cloud.sites:
        raise BadRequest(
            f"The map is of site {spec.site!r}, but the cloud on {cloud.dataset.label!r} has only "
            f"{', '.join(map(str, cloud.sites))}; add that site to the cloud or choose one of those."
        )
    return cloud


def _key(spec: ProjectionSpec, clouds: list[Cloud]) -> str:
    return spec.fingerprint(VERSION, *(cloud.key for cloud in clouds))


def _build(
    folder: Path,
    spec: ProjectionSpec,
    clouds: list[Cloud],
    store: Store,
    progress: Progress,
    enough: Callable[[], bool],
) -> JsonObject:
    rng = np.random.default_rng(spec.seed)
    points: list[Float32s] = []
    reference: list[pd.DataFrame] = []
    for cloud in clouds:
        available = cloud.points(spec.site)
        chosen = np.sort(rng.choice(len(available), size=min(spec.n_points, len(available)), replace=False))
        points.append(np.asarray(available[chosen], np.float32))
        reference.append(pd.DataFrame({"cloud": cloud.key, "kind": cloud.kind, "row": chosen}))
    n_points = sum(map(len, points))
    if spec.joined:
        vectors = read_vectors(spec.joined, store)
        points.append(vectors)
        reference.append(pd.DataFrame({"cloud": spec.joined, "kind": VECTORS, "row": np.arange(len(vectors))}))
    progress(0, 0, f"fitting {spec.method}")
    fitted = fit_map(np.concatenate(points), spec, progress, enough)
    info = {
        "n_points": n_points,
        "n_available": sum(len(cloud.rows) for cloud in clouds),
        "n_joined": len(points[-1]) if spec.joined else 0,
        "n_iterations": fitted.tsne.n_iterations if fitted.tsne else 0,
        "seed": spec.seed,
        "clouds": [cloud.key for cloud in clouds],
    }
    drawn = _Drawn(fitted, pd.concat(reference, ignore_index=True), info)
    if fitted.tsne and drawn.n_iterations < spec.n_iterations:
        raise _StoppedEarly(drawn)
    return _write(folder, drawn)


@dataclass(frozen=True)
class _Drawn:
    """A fitted map on its way into the store."""

    map: Map
    reference: pd.DataFrame
    info: JsonObject

    @property
    def n_iterations(self) -> int:
        return self.info["n_iterations"]


class _StoppedEarly(Exception):
    """A person stopped the fit: what is drawn is the map of another spec than the requested one."""

    def __init__(self, drawn: _Drawn) -> None:
        super().__init__()
        self.drawn = drawn


def _write(folder: Path, drawn: _Drawn) -> JsonObject:
    drawn.map.save(folder)
    drawn.reference.to_parquet(folder / _REFERENCE)
    return drawn.info


def _load(artifact: Artifact) -> StoredMap:
    return StoredMap(artifact, Map.load(artifact.folder), pd.read_parquet(artifact.folder / _REFERENCE))


PROJECTION = Task(
    "projection", "p", ProjectionSpec, fit_projection, lambda spec: "heavy" if spec.method == "tsne" else "quick"
)
