"""`tune`: one prompt-tuning run, or one for each value of a setting."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.commands.files import read_text
from core.commands.jobs import run
from core.commands.options import Given, Json, requested, takes
from core.commands.output import emit
from core.commands.sweep import do_runs
from core.errors import BadRequest, Failed
from core.jobs.outcomes import outcome
from core.jobs.sweep import standings
from core.priors.docs import prior_help
from core.specs import DatasetSpec, ModelSpec, SweepSpec, TuningSpec
from core.store import Store


@dataclass(frozen=True)
class TuneRequest:
    """Where the run's settings come from, and whether to vary one; options of the verb."""

    prior: Annotated[str | None, typer.Option(help=prior_help(), metavar="JSON")] = None
    spec: Annotated[Path | None, typer.Option(help="The whole spec as a JSON file.", metavar="FILE.json")] = None
    again: Annotated[bool, typer.Option("--again", help="Run once more even if the same run exists.")] = False
    vary: Annotated[
        str | None,
        typer.Option(help="A setting to vary, such as spread_weight or prior.c, with one run per value of --values."),
    ] = None
    values: Annotated[str | None, typer.Option(help="Values of --vary, separated by commas.", metavar="A,B,…")] = None


@takes(tuning=TuningSpec, model=ModelSpec, dataset=DatasetSpec(name="math"))
@requested
def tune(request: TuneRequest, tuning: Given, model: Given, dataset: Given, json: Json = False) -> None:
    """Tune a prompt from a prior; for the same spec, a second call reads the same run."""
    given = {**tuning, **({"model": model} if model else {}), **({"dataset": dataset} if dataset else {})}
    if request.prior is not None:
        given["prior"] = request.prior
    chosen = _from_file(request.spec, given) if request.spec else _from_options(given)
    store = Store.default()
    if request.vary is None and request.values is None:
        emit(run("tune", chosen, store, again=request.again).result() or {}, json)
    elif request.vary and request.values:
        _vary(chosen, request, store, json)
    else:
        raise BadRequest("--vary and --values go together, as in --vary spread_weight --values 0,0.1,1; give both.")


def _vary(spec: TuningSpec, request: TuneRequest, store: Store, json: bool) -> None:
    """Do a sweep of one axis and show all its runs, including those that failed.

    Raises:
        Failed: some runs did not succeed; the others are shown.
    """
    field = str(request.vary)
    given = tuple(value.strip() for value in str(request.values).split(","))
    sweep = SweepSpec(base=spec.as_json(), vary={field: given})
    submitted = do_runs(sweep, standings(sweep, store), store, retry=True, again=request.again)
    rows = [{"value": one.cell.settings[field], **outcome(one)} for one in submitted]
    for row in rows:
        row.pop("evaluations", None)
    emit({"field": field, "runs": rows}, json)
    failed = [row for row in rows if row["status"] != "succeeded"]
    if failed:
        named = ", ".join(f"{field} {row['value']} ({row['status']})" for row in failed)
        raise Failed(f"{len(failed)} of {len(rows)} runs did not succeed: {named}; the others are shown.")


def _from_options(given: dict[str, object]) -> TuningSpec:
    if "prior" not in given:
        raise BadRequest('tune needs a prior: give --prior, for example \'{"kind":"exclusion","c":5}\', or --spec.')
    if isinstance(dataset := given.get("dataset"), dict):
        given = {**given, "dataset": {"name": "math", **dataset}}
    return TuningSpec.parse(given)


def _from_file(path: Path, given: dict[str, object]) -> TuningSpec:
    if given:
        raise BadRequest(f"--spec {path} holds the whole request; leave out the other options.")
    return TuningSpec.parse(read_text(path, "spec file"))
