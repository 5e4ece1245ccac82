"""`atlas`: separability, modality and shape of data sets at each site."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from core.analysis.atlas_terms import QUANTITIES
from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.options import Json, requested
from core.commands.output import Document, emit
from core.jobs.atlas import Atlas, find_atlas
from core.specs import DEFAULT_MODEL, AtlasSpec, CloudSpec, ModelSpec
from core.store import Store


@dataclass(frozen=True)
class AtlasRequest:
    """What an atlas compares, and how much of it; the options of the verb."""

    model: Annotated[str, typer.Option(help="A name, a Hugging Face id or a local folder.")] = DEFAULT_MODEL
    datasets: Annotated[
        str,
        typer.Option(
            help="Data sets, separated by commas: squad, news, math, c4; math:MODULE such as math:algebra__linear_1d; "
            "file:PATH, squad:PATH or c4:PATH for a local file, with columns as file:PATH?text_column=NAME."
        ),
    ] = "squad,news,math"
    sites: Annotated[str, typer.Option(help="'all', or a choice such as 0,5,final.")] = "all"
    samples: Annotated[str, typer.Option(help="Documents or questions of each data set.", metavar="INTEGER")] = "200"
    rows: Annotated[str | None, typer.Option(help="Points of each data set. Default: 5000.", metavar="INTEGER")] = None
    permutations: Annotated[
        str | None, typer.Option(help="Permutations of data sets, for the null. Default: 200.", metavar="INTEGER")
    ] = None
    seed: Annotated[
        str, typer.Option(help="Seed of samples, points, folds, permutations and directions.", metavar="INTEGER")
    ] = "0"

    @property
    def spec(self) -> AtlasSpec:
        """Return the spec of the atlas.

        Raises:
            BadRequest: with each wrong field, its value and its bound.
        """
        model, sites = ModelSpec.parse({"name": self.model}), {"sites": self.sites, "seed": self.seed}
        rows = {} if self.rows is None else {"rows": self.rows}
        clouds = [
            CloudSpec.parse({"model": model, "dataset": dataset, **sites, **rows})
            for dataset in dataset_specs(self.datasets, "--datasets", self.samples, self.seed)
        ]
        more = {} if self.permutations is None else {"n_permutations": self.permutations}
        return AtlasSpec.parse({"model": model, "clouds": clouds, **sites, **more})


@requested
def atlas(request: AtlasRequest, json: Json = False) -> None:
    """Measure separability, modality and shape of the activations on data sets at every site."""
    spec, store = request.spec, Store.default()
    found, cached = ensure(lambda: find_atlas(spec, store), "atlas", spec, store)
    emit({**document(found), "cached": cached}, json, lambda _: lines(found))


def document(found: Atlas) -> Document:
    """Return what the verb reports: `separability`, `modality` and `shape` by site."""
    names = ("model", "names", "n_points", "n_documents", "seconds_a_site")
    explained = dict(zip(found.sites, found.summary["explained"], strict=True))
    return {
        "job": found.job.id,
        **{name: found.summary[name] for name in names},
        "sites": [{"site": site, **found.groups(site), "explained_variance": explained[site]} for site in found.sites],
    }


def lines(found: Atlas) -> list[str]:
    """Return an atlas as lines: a heading per quantity and data set, then one line per site."""
    written = []
    counts = zip(*(found.summary[name] for name in ("names", "n_points", "n_documents")), strict=True)
    written.append("  ".join(f"{name}: {n} points of {documents} documents" for name, n, documents in counts))
    for key, table in found.statistics.groupby(["quantity", "cloud"], sort=False):
        quantity, cloud = (str(part) for part in tuple(key))  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
        written.append(f"{QUANTITIES[quantity].title}, {cloud}")
        written += [f"  {row['site']!s:>6}  {_words(row)}" for row in table.to_dict("records")]
    return written


def _words(row: Mapping[Hashable, Any]) -> str:
    words = f"{row['value']:8.4g} [{row['low']:.4g}, {row['high']:.4g}]"
    if not math.isnan(row["null"]):
        words += f"; null {row['null']:.4g} [{row['null_low']:.4g}, {row['null_high']:.4g}]"
    return words if math.isnan(row["p"]) else f"{words}; p {row['p']:.2g}"
