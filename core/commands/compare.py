"""`compare`: where prompts of several runs ended up, how far they moved, what they are worth."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from core.analysis.definitions import null_words
from core.analysis.quantities import Named, Quantity, each_quantity
from core.commands.jobs import ensure
from core.commands.options import Json
from core.commands.output import emit
from core.jobs.comparison import comparison, require_one_model
from core.jobs.measure import find_measures, measure_spec
from core.store import Store, find_job


def compare(
    runs: Annotated[list[str], typer.Argument(help="Runs, by id or by an unambiguous beginning of one.")],
    worth: Annotated[bool, typer.Option("--worth/--no-worth", help="Measure the worth of each vector.")] = True,
    examples: Annotated[int, typer.Option(help="Validation examples for the worth.")] = 32,
    target: Annotated[
        float | None, typer.Option(help="Loss to count steps to; default: the worst of the runs' best losses.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of null samples, permutations and held-out documents.")] = 0,
    json: Json = False,
) -> None:
    """Measure the posteriors of runs of one model, and put them side by side."""
    store = Store.default()
    jobs = list({job.id: job for job in (find_job(store, name) for name in runs)}.values())
    specs = [measure_spec(job, worth=worth, n_worth=examples, seed=seed) for job in jobs]
    require_one_model(jobs)
    measured = [ensure(lambda spec=spec: find_measures(spec, store), "measure", spec, store)[0] for spec in specs]
    emit(comparison(measured, store, target), json, table)


def table(document: Mapping[str, Any]) -> list[str]:
    """Return a comparison as lines: a heading per run, then one line per quantity."""
    lines = []
    for run in document["runs"]:
        lines.append(f"{run['run']}  {run['prior_name']}, {run['data']}, {_rate(run)}, {run['ending'] or run['state']}")
        lines += [f"  {_place(named):<46} {in_words(named.quantity)}" for named in each_quantity(run)]
    for found in document["prior_retained"]:
        lines.append(f"prior retained, site {found['site']}: {in_words(found['accuracy'])} {found['reason']}".rstrip())
    return lines


def _rate(run: Mapping[str, Any]) -> str:
    if run["learning_rate"] is None:
        return "imported"
    return f"rate {run['learning_rate']:g}{' relative' if run['rate_unit'] == 'relative' else ''}"


def _place(named: Named) -> str:
    where = "" if named.site is None else f", site {named.site}"
    return f"{named.group} {named.name.replace('_', ' ')}{where}" + (f", {named.cloud}" if named.cloud else "")


def in_words(quantity: Quantity) -> str:
    """Return a quantity in words: value, interval, prior sample, nulls, p."""
    words = [_interval(quantity)]
    words += [f"prior sample {quantity['prior']:.4g}"] if "prior" in quantity else []
    words += [f"{null_words(name)} {_interval(null)}" for name, null in quantity.get("nulls", {}).items()]
    words += [f"p {quantity['p']:.2g}"] if "p" in quantity else []
    return "; ".join(words)


def _interval(numbers: Quantity) -> str:
    value = numbers.get("value")
    bounds = [f"{bound:.4g}" if bound is not None else "" for bound in (numbers.get("low"), numbers.get("high"))]
    return ("–" if value is None else f"{value:.4g}") + (f" [{bounds[0]}, {bounds[1]}]" if any(bounds) else "")
