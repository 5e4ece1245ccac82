"""The activation atlas as a job: site after site, each kept when it is done. Its reading side is free of torch."""

import math
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from core.activations.clouds import Cloud
from core.analysis.atlas_terms import QUANTITIES
from core.analysis.map_alignment import SmallMap, align
from core.array_types import Indices
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.errors import BadRequest
from core.jobs.context import labels, of_clouds
from core.jobs.made import Made
from core.progress import Progress
from core.specs import FINAL, AtlasSpec, CloudSpec, Site
from core.store import JobFolder, Store, list_succeeded
from core.store.files import disk_errors

if TYPE_CHECKING:
    from core.analysis.atlas_measures import SiteAtlas
    from core.analysis.atlas_plan import AtlasPlan

VERSION = "1"
"""Goes up when the same clouds would give other numbers."""
STATISTICS = "statistics"
DIRECTIONS = "directions"
MAPS = "maps"
POINTS = "points"
_NUMBERS = ("value", "low", "high", "null", "null_low", "null_high", "p")
_FINAL_NUMBER = 2**20
"""Stands for 'final' in a site's seed; no model has so many blocks."""


class AtlasSummary(TypedDict):
    """What was measured; lists are by data set, and `explained` by site: of the small map's two axes."""

    version: str
    model: str
    names: list[str]
    sites: list[Site]
    n_points: list[int]
    n_documents: list[int]
    n_components: int
    explained: list[list[float]]
    seconds_a_site: float | None
    clouds: list[str]


@dataclass(frozen=True)
class Atlas(Made[AtlasSummary]):
    """What was found at all sites."""

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Return the tidy table: site, quantity, cloud, value, low, high, null, null_low, null_high, p."""
        return self._table(STATISTICS)

    @cached_property
    def directions(self) -> pd.DataFrame:
        """Return site, cloud, direction, dip, p, p_holm: every direction the dip was tested along."""
        return self._table(DIRECTIONS)

    @cached_property
    def maps(self) -> pd.DataFrame:
        """Return site, point, x, y: the small maps, each turned onto the one before."""
        return self._table(MAPS)

    @cached_property
    def small_maps(self) -> list[SmallMap]:
        """Return the small maps in the order of the stream, each with its plane's share of the variance."""
        by_site = {site: rows[["x", "y"]].to_numpy(np.float32) for site, rows in self.maps.groupby("site", sort=False)}
        shown = zip(self.sites, self.summary["explained"], strict=True)
        return [SmallMap(site, by_site[site], float(sum(shares))) for site, shares in shown]

    @cached_property
    def points(self) -> pd.DataFrame:
        """Return what the points of the small maps are, the same at every site: dataset (number), row, token."""
        return self._table(POINTS)

    @property
    def sites(self) -> list[Site]:
        """Return the sites, in the order of the stream."""
        return self.summary["sites"]

    def groups(self, site: Site) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
        """Return a site's numbers, JSON-able; what is not known is left out.

        Returns:
            'separability', 'modality' or 'shape' → quantity → data set, pair or 'all' → value, interval, null and p.
        """
        groups: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        for row in self.statistics.loc[self.statistics["site"] == site].to_dict("records"):
            known = {name: row[name] for name in _NUMBERS if not math.isnan(row[name])}
            group = groups.setdefault(QUANTITIES[row["quantity"]].group, {})
            group.setdefault(row["quantity"], {})[row["cloud"]] = known
        return groups

    def _table(self, name: str) -> pd.DataFrame:
        table = pd.read_parquet(self.job.file(f"{name}.parquet"))
        if "site" in table:
            table["site"] = [site if site == FINAL else int(site) for site in table["site"]]
        return table


def find_atlas(spec: AtlasSpec, store: Store) -> Atlas | None:
    """Return what was found for a request, or None."""
    job = find_succeeded("atlas", spec, store)
    return Atlas(job) if job else None


def measured_pace(model: str, store: Store) -> float | None:
    """Return seconds per site and data set of the newest atlas of a model, or None."""
    for _, summary in list_succeeded(store, "atlas"):
        if summary["model"] == model and summary["seconds_a_site"]:
            return summary["seconds_a_site"] / len(summary["names"])
    return None


_KEPT = ("table.parquet", "directions.parquet", "map.npz")
"""Files of a site that was measured before the job was interrupted."""


def half_the_cores() -> threadpool_limits:
    """Return a context in which matrix products take half of the cores.

    A training job may run beside; threads that wait for a core they do not get made the products 30 times slower.
    """
    return threadpool_limits(max(1, (os.cpu_count() or 1) // 2), "blas")


def measure_atlas(spec: AtlasSpec, job: JobFolder, store: Store, progress: Progress) -> AtlasSummary:
    """Capture what is missing, then measure site after site; one that is done is kept and not measured again.

    Chance depends on the seed and the site alone, so that an interrupted job ends with the numbers of an undisturbed
    one, and a site has the same numbers whichever others are asked for.

    Raises:
        BadRequest: a site the model does not have, or texts of fewer than four documents.
        Cancelled: by the progress.
    """
    # Its libraries take a second to import, which readers need not wait for.
    from core.activations.capture import capture
    from core.analysis.atlas_measures import measure_atlas_site
    from core.analysis.atlas_plan import AtlasSettings, plan_atlas

    clouds = [capture(cloud, store, progress)[0] for cloud in spec.clouds]
    sites = _sites(spec, clouds[0])
    names = cloud_names(spec.clouds)
    documents = [np.unique(cloud.rows["group"], return_inverse=True)[1] for cloud in clouds]
    settings = AtlasSettings(**spec.model_dump(include=set(AtlasSettings.__dataclass_fields__)))
    progress(0, 0, "Planning permutations and the null of the dip")
    shared = plan_atlas(names, documents, settings, np.random.default_rng((spec.seed, 0)))
    kept = job.path / f"sites-{VERSION}"
    seconds = []
    for done, site in enumerate(sites):
        progress(done, len(sites), f"Site {site}")
        if all((kept / str(site) / name).is_file() for name in _KEPT):
            continue
        began = time.monotonic()
        with half_the_cores():
            found = measure_atlas_site(
                [cloud.points(site) for cloud in clouds],
                shared,
                np.random.default_rng((spec.seed, 1 + (_FINAL_NUMBER if site == FINAL else int(site)))),
                lambda what, done=done, site=site: progress(done, len(sites), f"Site {site}: {what}"),
            )
        with disk_errors(store.root):
            _keep(kept / str(site), found)
        seconds.append(time.monotonic() - began)
    with disk_errors(store.root):
        explained = _gather(job.path, kept, sites, clouds, shared)
    return {
        "version": VERSION,
        "model": spec.model.name,
        "names": names,
        "sites": sites,
        "n_points": [len(cloud.rows) for cloud in clouds],
        "n_documents": np.bincount(shared.rows.labels).tolist(),
        "n_components": min(spec.n_components, clouds[0].info["d_model"]),
        "explained": explained,
        "seconds_a_site": float(np.median(seconds)) if seconds else None,
        "clouds": [cloud.key for cloud in clouds],
    }


def cloud_names(clouds: Sequence[CloudSpec]) -> list[str]:
    """Return the data sets' labels, numbered where several have the same."""
    return labels([cloud.dataset for cloud in clouds])


def _sites(spec: AtlasSpec, cloud: Cloud) -> list[Site]:
    """Return the sites to measure, in the order of the stream.

    Raises:
        BadRequest: one that the model does not have.
    """
    if spec.sites == "all":
        return list(cloud.sites)
    for site in spec.sites:
        if site not in cloud.sites:
            have = ", ".join(map(str, cloud.sites))
            raise BadRequest(f"{spec.model.name!r} has no site {site!r}; it has: {have}. Choose among those.")
    return [site for site in cloud.sites if site in spec.sites]


def _keep(folder: Path, found: "SiteAtlas") -> None:
    """Write a site so that it is there as a whole or not at all."""
    beside = folder.with_name(f".{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    found.table.to_parquet(beside / "table.parquet", index=False)
    found.directions.to_parquet(beside / "directions.parquet", index=False)
    np.savez(beside / "map.npz", coordinates=found.coordinates, explained=found.explained)
    shutil.rmtree(folder, ignore_errors=True)
    beside.replace(folder)


def _gather(
    folder: Path, kept: Path, sites: Sequence[Site], clouds: Sequence[Cloud], shared: "AtlasPlan"
) -> list[list[float]]:
    """Write the tables of all sites, and return the shares of variance of each small map's two components."""
    for name, file in ((STATISTICS, "table"), (DIRECTIONS, "directions")):
        tables = [pd.read_parquet(kept / str(site) / f"{file}.parquet") for site in sites]
        joined = pd.concat([table.assign(site=str(site)) for site, table in zip(sites, tables, strict=True)])
        joined[["site", *tables[0].columns]].to_parquet(folder / f"{name}.parquet", index=False)
    maps = [np.load(kept / str(site) / "map.npz") for site in sites]
    aligned = align([found["coordinates"] for found in maps])
    n = len(aligned[0])
    every = np.concatenate(aligned)
    names = np.repeat([str(site) for site in sites], n)
    table = {"site": names, "point": np.tile(np.arange(n), len(sites)), "x": every[:, 0], "y": every[:, 1]}
    pd.DataFrame(table).to_parquet(folder / f"{MAPS}.parquet", index=False)
    _drawn_points(clouds, shared).to_parquet(folder / f"{POINTS}.parquet", index=False)
    return [[float(share) for share in found["explained"]] for found in maps]


def _drawn_points(clouds: Sequence[Cloud], shared: "AtlasPlan") -> pd.DataFrame:
    rows = pd.concat([cloud.rows[["token"]].assign(dataset=i) for i, cloud in enumerate(clouds)])
    rows["row"] = rows.groupby("dataset").cumcount()
    chosen: Indices = shared.rows.order[shared.drawn]
    return rows.iloc[chosen].reset_index(drop=True)


ATLAS = Task("atlas", "a", AtlasSpec, measure_atlas, "heavy", keeps=True, version=VERSION, context=of_clouds)
