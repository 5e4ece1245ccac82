"""Token hygiene as a job: one capture of every token, the statistics with each filter. Reading it needs no torch."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from core.activations.clouds import Cloud
from core.analysis.hygiene_measures import AS_CHOSEN, Variant, chosen_rows, measure_variant, variants
from core.analysis.intrinsic import distinct_rows
from core.analysis.pca import fit_pca
from core.engine.lookup import find_succeeded
from core.engine.tasks import Task
from core.jobs.atlas import cloud_names, half_the_cores
from core.jobs.context import of_clouds
from core.jobs.made import Made
from core.progress import Progress
from core.specs import HygieneSpec, Site
from core.store import JobFolder, Store
from core.store.files import disk_errors

VERSION = "1"
"""Goes up when the same clouds would give other numbers."""
TABLE = "variants.parquet"
MAP = "map.parquet"
MAX_DRAWN = 3000
"""Points of a data set on the map."""
_DRAWN = [*("token", "context_before", "context_after", "document", "position"), *("pad", "special", "first", "sink")]


class HygieneSummary(TypedDict):
    """What was measured; `kinds` counts the points of each data set, and `explained` is of the map's two axes."""

    version: str
    names: list[str]
    variants: list[str]
    kinds: list[dict[str, int]]
    median_norm: list[float]
    norm_site: Site
    sink_ratio: float
    explained: list[float]
    clouds: list[str]


@dataclass(frozen=True)
class Hygiene(Made[HygieneSummary]):
    """What was found with each filter."""

    @cached_property
    def table(self) -> pd.DataFrame:
        """Return variant, statistic, cloud, value, low, high, p, n and difference from the filter as chosen."""
        return pd.read_parquet(self.job.file(TABLE))

    @cached_property
    def map(self) -> pd.DataFrame:
        """Return the points of the map with padding left in: dataset (number), x, y, token, context, flags."""
        return pd.read_parquet(self.job.file(MAP))


def find_hygiene(spec: HygieneSpec, store: Store) -> Hygiene | None:
    """Return what was found for a request, or None."""
    job = find_succeeded("hygiene", spec, store)
    return Hygiene(job) if job else None


def measure_hygiene(spec: HygieneSpec, job: JobFolder, store: Store, progress: Progress) -> HygieneSummary:
    """Capture every token at one site, and measure with the filter as chosen and with each of its switches turned.

    All variants are subsets of the same sample of tokens, so that differences are the filter's doing and not chance's.

    Raises:
        BadRequest: too few points or documents are left by a filter.
        Cancelled: by the progress.
    """
    from core.activations.capture import capture

    clouds = [capture(cloud, store, progress)[0] for cloud in spec.clouds]
    names = cloud_names(spec.clouds)
    asked = variants(spec.tokens, spec.sink_ratio)
    tables = []
    for done, variant in enumerate(asked):
        progress(done, len(asked), f"Measuring with {variant.name}")
        kept = [_kept(cloud, spec, variant) for cloud in clouds]
        with half_the_cores():
            rows = measure_variant(
                names,
                [cloud.points(spec.site)[mine] for cloud, mine in zip(clouds, kept, strict=True)],
                [
                    pd.factorize(cloud.rows["group"], sort=True)[0][mine]
                    for cloud, mine in zip(clouds, kept, strict=True)
                ],
                np.random.default_rng(spec.seed),
            )
        tables.append(pd.DataFrame(rows).assign(variant=variant.name))
    with disk_errors(store.root):
        _with_differences(pd.concat(tables, ignore_index=True)).to_parquet(job.path / TABLE, index=False)
        explained = _write_map(job.path, spec, clouds)
    return {
        "version": VERSION,
        "names": names,
        "variants": [variant.name for variant in asked],
        "kinds": [_kinds(cloud, spec) for cloud in clouds],
        "median_norm": [cloud.info["median_norm"] for cloud in clouds],
        "norm_site": clouds[0].info["norm_site"],
        "sink_ratio": spec.sink_ratio,
        "explained": explained,
        "clouds": [cloud.key for cloud in clouds],
    }


def _kept(cloud: Cloud, spec: HygieneSpec, variant: Variant) -> np.ndarray:
    return chosen_rows(cloud.points(spec.site), cloud.rows, variant, cloud.info["median_norm"])


def _with_differences(table: pd.DataFrame) -> pd.DataFrame:
    key = ["statistic", "cloud"]
    chosen = table.loc[table["variant"] == AS_CHOSEN, [*key, "value"]].rename(columns={"value": "chosen"})
    joined = table.merge(chosen, on=key, how="left", validate="many_to_one")
    return joined.assign(difference=joined["value"] - joined["chosen"]).drop(columns="chosen")


def _kinds(cloud: Cloud, spec: HygieneSpec) -> dict[str, int]:
    """Return how many of a data set's points are of each kind."""
    special, first, pad, norm = (cloud.rows[name].to_numpy() for name in ("special", "first", "pad", "norm"))
    return {
        "points": len(pad),
        "special": int((special & ~pad).sum()),
        "first": int(first.sum()),
        "pad": int(pad.sum()),
        "sinks": int((norm > spec.sink_ratio * cloud.info["median_norm"]).sum()),
        "duplicates": len(pad) - len(distinct_rows(cloud.points(spec.site))),
    }


def _write_map(folder: Path, spec: HygieneSpec, clouds: list[Cloud]) -> list[float]:
    """Write principal components of the filter as chosen but with padding left in; return their shares of variance."""
    with_pad = Variant("padding kept", spec.tokens.model_copy(update={"pad": True}))
    kept = [_kept(cloud, spec, with_pad) for cloud in clouds]
    points = [cloud.points(spec.site)[mine] for cloud, mine in zip(clouds, kept, strict=True)]
    pca = fit_pca(np.concatenate(points), 2)
    tables = []
    for number, (cloud, mine, part) in enumerate(zip(clouds, kept, points, strict=True)):
        rng = np.random.default_rng((spec.seed, number))
        drawn = np.sort(rng.permutation(len(part))[:MAX_DRAWN])
        x, y = pca.transform(part[drawn], 2).T
        tables.append(cloud.rows.loc[mine, _DRAWN].iloc[drawn].assign(dataset=number, x=x, y=y))
    pd.concat(tables, ignore_index=True).to_parquet(folder / MAP, index=False)
    return [float(share) for share in pca.explained]


HYGIENE = Task("hygiene", "h", HygieneSpec, measure_hygiene, "heavy", keeps=True, version=VERSION, context=of_clouds)
