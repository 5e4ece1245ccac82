"""`atlas`: how well data sets can be told apart at each site, whether their clouds have one mode, and their shape."""

import math
from typing import Annotated, Any

import typer

from core.analysis.atlas_terms import QUANTITIES
from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.options import Json
from core.commands.output import emit
from core.jobs.atlas import Atlas, find_atlas
from core.specs import DEFAULT_MODEL, AtlasSpec, CloudSpec, ModelSpec
from core.store import Store


def atlas(
    model: Annotated[str, typer.Option(help="A name, a Hugging Face id or a local folder.")] = DEFAULT_MODEL,
    datasets: Annotated[
        str,
        typer.Option(
            help="Data sets, separated by commas: squad, news, math, c4; math:MODULE such as math:algebra__linear_1d; "
            "file:PATH, squad:PATH or c4:PATH for a local file."
        ),
    ] = "squad,news,math",
    sites: Annotated[str, typer.Option(help="'all', or a choice such as 0,5,final.")] = "all",
    samples: Annotated[str, typer.Option(help="Documents or questions of each data set.", metavar="INTEGER")] = "200",
    rows: Annotated[str | None, typer.Option(help="Points of each data set. Default: 5000.", metavar="INTEGER")] = None,
    permutations: Annotated[
        str | None, typer.Option(help="Of data sets over documents, for the null. Default: 200.", metavar="INTEGER")
    ] = None,
    seed: Annotated[
        str, typer.Option(help="Decides samples, points, folds, permutations and directions.", metavar="INTEGER")
    ] = "0",
    json: Json = False,
) -> None:
    """Measure separability, modality and shape of the activations on data sets at every site."""
    asked = {"model": model, "sites": sites, "samples": samples, "seed": seed, "rows": rows}
    spec = atlas_spec(datasets, {name: value for name, value in asked.items() if value is not None}, permutations)
    store = Store.default()
    found, cached = ensure(lambda: find_atlas(spec, store), "atlas", spec, store)
    if json:
        emit({**document(found), "cached": cached}, True)
        return
    for line in lines(found):
        typer.echo(line)


def atlas_spec(datasets: str, asked: dict[str, Any], permutations: str | None = None) -> AtlasSpec:
    """Return the request for an atlas.

    Args:
        datasets: as a person writes them.
        asked: `model`, `sites`, `samples`, `seed`, `rows`, as far as given.
        permutations: of the null.

    Raises:
        BadRequest: with each wrong field, its value and its bound.
    """
    model = ModelSpec.parse({"name": asked["model"]})
    shared = {name: asked[name] for name in ("sites", "rows", "seed") if name in asked}
    clouds = [
        CloudSpec.parse({"model": model, "dataset": dataset, **shared})
        for dataset in dataset_specs(datasets, "--datasets", asked["samples"], asked["seed"])
    ]
    more = {} if permutations is None else {"n_permutations": permutations}
    return AtlasSpec.parse({"model": model, "clouds": clouds, "sites": asked["sites"], "seed": asked["seed"], **more})


def document(found: Atlas) -> dict[str, Any]:
    """Return an atlas as the verb reports it: one entry a site, with `separability`, `modality` and `shape`."""
    names = ("model", "names", "n_points", "n_documents", "seconds_a_site")
    explained = dict(zip(found.sites, found.summary["explained"], strict=True))
    return {
        "job": found.job.id,
        **{name: found.summary[name] for name in names},
        "sites": [{"site": site, **found.groups(site), "explained_variance": explained[site]} for site in found.sites],
    }


def lines(found: Atlas) -> list[str]:
    """Return an atlas as lines: a heading a quantity and data set, a site a line."""
    written = []
    counts = zip(*(found.summary[name] for name in ("names", "n_points", "n_documents")), strict=True)
    written.append("  ".join(f"{name}: {n} points of {documents} documents" for name, n, documents in counts))
    for key, table in found.statistics.groupby(["quantity", "cloud"], sort=False):
        quantity, cloud = (str(part) for part in tuple(key))  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
        written.append(f"{QUANTITIES[quantity].title}, {cloud}")
        written += [f"  {row['site']!s:>6}  {_words(row)}" for row in table.to_dict("records")]
    return written


def _words(row: dict[str, Any]) -> str:
    words = f"{row['value']:8.4g} [{row['low']:.4g}, {row['high']:.4g}]"
    if not math.isnan(row["null"]):
        words += f"; null {row['null']:.4g} [{row['null_low']:.4g}, {row['null_high']:.4g}]"
    return words if math.isnan(row["p"]) else f"{words}; p {row['p']:.2g}"
