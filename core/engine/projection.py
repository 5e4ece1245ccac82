"""Fit a map on reference clouds and keep it: the job behind the pages' pictures. Its reading side is free of torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.activations.clouds import Cloud, find_cloud, find_vocabulary
from core.analysis.projection import VERSION, Map, fit_map
from core.errors import BadRequest
from core.progress import Progress
from core.specs import CloudSpec, ProjectionSpec
from core.store import Artifact, JobFolder, Store

MAP = "map"
"""Kind of the artifacts that hold maps."""
_REFERENCE = "reference.parquet"


@dataclass(frozen=True)
class StoredMap:
    """A map with what it was fitted on.

    Attributes:
        artifact: what is stored; its `info` has `n_points`, `n_available`, `seed` and `clouds`.
        map: the map itself.
        reference: one row a point of `map.coordinates`, in the same order: `cloud` (key), `kind`, `row` (index into
            that cloud's rows).
    """

    artifact: Artifact
    map: Map
    reference: pd.DataFrame


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


def fit_projection(spec: ProjectionSpec, job: JobFolder, store: Store, progress: Progress) -> dict[str, Any]:
    """Capture what is missing of the clouds, fit the map, and keep it.

    Returns:
        key, cached, n_points and n_available of the map.

    Raises:
        BadRequest: too few points, or a site the model does not have.
        Cancelled: by `progress`.
    """
    from core.activations.capture import capture
    from core.activations.vocabulary import vocabulary_cloud

    clouds = [vocabulary_cloud(spec.model, store, progress)] if spec.vocabulary else []
    clouds += [capture(_at_site(cloud, spec), store, progress)[0] for cloud in spec.clouds]
    artifact, cached = store.make(
        MAP,
        _key(spec, clouds),
        spec.model_dump(mode="json"),
        lambda folder: _build(folder, spec, clouds, progress),
        progress=progress,
    )
    job.log(f"map {artifact.key} {'was there' if cached else 'made'}")
    facts = ("n_points", "n_available")
    return {"key": artifact.key, "cached": cached, **{name: artifact.info[name] for name in facts}}


def _at_site(cloud: CloudSpec, spec: ProjectionSpec) -> CloudSpec:
    """Return the cloud as asked, after a look whether it has the map's site.

    Raises:
        BadRequest: the cloud was asked for at other sites only.
    """
    if cloud.sites != "all" and spec.site not in cloud.sites:
        raise BadRequest(
            f"The map is of site {spec.site!r}, but the cloud on {cloud.dataset.label!r} has only "
            f"{', '.join(map(str, cloud.sites))}; add that site to the cloud or choose one of those."
        )
    return cloud


def _key(spec: ProjectionSpec, clouds: list[Cloud]) -> str:
    return spec.fingerprint(VERSION, *(cloud.key for cloud in clouds))


def _build(folder: Path, spec: ProjectionSpec, clouds: list[Cloud], progress: Progress) -> dict[str, Any]:
    rng = np.random.default_rng(spec.seed)
    points: list[NDArray[np.float32]] = []
    reference: list[pd.DataFrame] = []
    for cloud in clouds:
        available = cloud.points(spec.site)
        chosen = np.sort(rng.choice(len(available), size=min(spec.n_points, len(available)), replace=False))
        points.append(np.asarray(available[chosen], np.float32))
        reference.append(pd.DataFrame({"cloud": cloud.key, "kind": cloud.kind, "row": chosen}))
    progress(0, 0, f"fitting {spec.method}")
    fitted = fit_map(np.concatenate(points), spec, progress)
    fitted.save(folder)
    pd.concat(reference, ignore_index=True).to_parquet(folder / _REFERENCE)
    return {
        "n_points": sum(map(len, points)),
        "n_available": sum(len(cloud.rows) for cloud in clouds),
        "seed": spec.seed,
        "clouds": [cloud.key for cloud in clouds],
    }


def _load(artifact: Artifact) -> StoredMap:
    return StoredMap(artifact, Map.load(artifact.folder), pd.read_parquet(artifact.folder / _REFERENCE))
