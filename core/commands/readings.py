"""`generalise` and `line`: tuned prompts on data they were not tuned on, and on the way to another prompt."""

from typing import Annotated

import typer

from core.commands.datasets import dataset_specs
from core.commands.jobs import ensure
from core.commands.options import Json
from core.commands.output import emit
from core.jobs.readings import find_elsewhere, find_line, generalise_spec, line_spec
from core.store import Store, find_job


def generalise(
    runs: Annotated[list[str], typer.Argument(help="Runs, by id or by an unambiguous beginning of one.")],
    datasets: Annotated[str, typer.Option(help="Data sets to read, separated by commas: squad,math:arithmetic__mul.")],
    samples: Annotated[int, typer.Option(help="Samples drawn from each; a part is held out and read.")] = 1000,
    seed: Annotated[int, typer.Option(help="Determines which samples are drawn and held out.")] = 0,
    json: Json = False,
) -> None:
    """Read the prompts of runs on other data sets, without tuning."""
    store = Store.default()
    asked = dataset_specs(datasets, "--datasets", str(samples), str(seed))
    read = []
    for job in list({job.id: job for job in (find_job(store, name) for name in runs)}.values()):
        spec = generalise_spec(job, asked)
        found, _ = ensure(lambda spec=spec: find_elsewhere(spec, store), "generalise", spec, store)
        read.append(
            {"run": job.id, "read": {one.label: {"loss": one.loss, "no_prompt": one.no_prompt} for one in found}}
        )
    emit({"datasets": [dataset.label for dataset in asked], "runs": read}, json)


def line(
    first: Annotated[str, typer.Argument(help="Run, by id or by an unambiguous beginning of one.")],
    second: Annotated[str, typer.Argument(help="Run whose prompt is the other end of the line.")],
    points: Annotated[int, typer.Option(help="Prompts on the line, including its two ends.")] = 11,
    json: Json = False,
) -> None:
    """Measure the validation loss along the straight line between the prompts of two runs."""
    store = Store.default()
    one, other = (find_job(store, name) for name in (first, second))
    spec = line_spec(one, other, points)
    found, _ = ensure(lambda: find_line(spec, store), "line", spec, store)
    ends = {"first": one.id, "second": other.id}
    emit({**ends, "shares": list(found.shares), "losses": list(found.losses), "barrier": found.barrier}, json)
