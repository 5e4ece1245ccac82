"""`tune`: one prompt-tuning run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.jobs import run
from core.commands.options import Json, takes
from core.commands.output import emit
from core.errors import BadRequest
from core.priors.docs import prior_help
from core.specs import DatasetSpec, ModelSpec, TuningSpec
from core.store import Store


@takes(tuning=TuningSpec, model=ModelSpec, dataset=DatasetSpec(name="math"))
def tune(
    tuning: dict[str, Any],
    model: dict[str, Any],
    dataset: dict[str, Any],
    prior: Annotated[str | None, typer.Option(help=prior_help(), metavar="JSON")] = None,
    spec: Annotated[Path | None, typer.Option(help="The whole spec as a JSON file.", metavar="FILE.json")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run anew even if this very run is there.")] = False,
    json: Json = False,
) -> None:
    """Tune a prompt from a prior; the same spec gives the same run, shown from the store the second time."""
    chosen = _from_file(spec, tuning, model, dataset, prior) if spec else _from_options(tuning, model, dataset, prior)
    store = Store.default()
    job = run("tune", chosen, store, again=again)
    emit(job.result() or {}, json)


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
