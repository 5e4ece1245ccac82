"""`tune`: one prompt-tuning run, or one a value of a setting."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.jobs import run
from core.commands.options import Json, takes
from core.commands.output import ProgressLine, emit
from core.errors import BadRequest, Cancelled, Failed
from core.jobs.outcomes import outcome
from core.jobs.sweep import cancel_runs, follow_runs, standings, submit_runs
from core.priors.docs import prior_help
from core.specs import DatasetSpec, ModelSpec, SweepSpec, TuningSpec
from core.store import Store


@takes(tuning=TuningSpec, model=ModelSpec, dataset=DatasetSpec(name="math"))
def tune(
    tuning: dict[str, Any],
    model: dict[str, Any],
    dataset: dict[str, Any],
    prior: Annotated[str | None, typer.Option(help=prior_help(), metavar="JSON")] = None,
    spec: Annotated[Path | None, typer.Option(help="The whole spec as a JSON file.", metavar="FILE.json")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run anew even if this very run is there.")] = False,
    vary: Annotated[
        str | None,
        typer.Option(help="A setting to vary, such as spread_weight or prior.c; a run for each of --values."),
    ] = None,
    values: Annotated[str | None, typer.Option(help="Of --vary, separated by commas.", metavar="A,B,…")] = None,
    json: Json = False,
) -> None:
    """Tune a prompt from a prior; the same spec gives the same run, shown from the store the second time."""
    chosen = _from_file(spec, tuning, model, dataset, prior) if spec else _from_options(tuning, model, dataset, prior)
    store = Store.default()
    if vary is None and values is None:
        emit(run("tune", chosen, store, again=again).result() or {}, json)
    elif vary and values:
        _vary(chosen, vary, values, store, again, json)
    else:
        raise BadRequest("--vary and --values go together, as in --vary spread_weight --values 0,0.1,1; give both.")


def _vary(spec: TuningSpec, field: str, values: str, store: Store, again: bool, json: bool) -> None:
    """Do a sweep of one axis and show all its runs, those that failed too.

    Raises:
        Failed: some run did not succeed; the others are shown.
    """
    given = tuple(value.strip() for value in values.split(","))
    found = standings(SweepSpec(base=spec.as_json(), vary={field: given}), store)
    submitted = submit_runs(found, store, retry=True, again=again)
    try:
        follow_runs(submitted, ProgressLine())
    except KeyboardInterrupt:
        cancel_runs(submitted, store)
        raise Cancelled("The runs were cancelled; the same command goes on with them.") from None
    rows = [{"value": one.cell.place[field], **outcome(one)} for one in submitted]
    for row in rows:
        row.pop("evaluations", None)
    emit({"field": field, "runs": rows}, json)
    failed = [row for row in rows if row["status"] != "succeeded"]
    if failed:
        named = ", ".join(f"{field} {row['value']} ({row['status']})" for row in failed)
        raise Failed(f"{len(failed)} of {len(rows)} runs did not succeed: {named}; the others are shown.")


def _from_options(
    tuning: dict[str, Any], model: dict[str, Any], dataset: dict[str, Any], prior: str | None
) -> TuningSpec:
    if prior is None:
        raise BadRequest('tune needs a prior: give --prior, for example \'{"kind":"exclusion","c":5}\', or --spec.')
    whole: dict[str, Any] = {**tuning, "prior": prior, "model": model}
    if dataset:
        whole["dataset"] = {"name": "math", **dataset}
    return TuningSpec.parse(whole)


def _from_file(
    path: Path, tuning: dict[str, Any], model: dict[str, Any], dataset: dict[str, Any], prior: str | None
) -> TuningSpec:
    if tuning or model or dataset or prior:
        raise BadRequest(f"--spec {path} holds the whole request; leave the other options out.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"The spec file {str(path)!r} cannot be read ({error}); check its path.") from None
    return TuningSpec.parse(text)
