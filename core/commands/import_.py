"""`import`: runs from elsewhere, to be looked at beside those made here."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.options import Json, takes
from core.commands.output import emit
from core.errors import BadRequest
from core.exchange.bundle_import import import_bundle, is_bundle
from core.exchange.peft_import import import_peft
from core.specs import DatasetSpec, ModelSpec
from core.store import Store


@takes(model=ModelSpec, dataset=DatasetSpec(name="math"))
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="A bundle (folder or .zip), or the folder of an adapter of PEFT's prompt tuning.", metavar="SOURCE"
        ),
    ],
    model: dict[str, Any],
    dataset: dict[str, Any],
    json: Json = False,
) -> None:
    """Bring in runs from elsewhere; they appear on Compare. Nothing is unpickled, and nothing of theirs is run."""
    store = Store.default()
    if not source.exists():
        raise BadRequest(f"There is no file or folder {str(source)!r}; name a bundle or an adapter's folder.")
    if source.is_file() or is_bundle(source):
        if model or dataset:
            raise BadRequest("A bundle says itself what model and data its runs had; leave --model and --dataset out.")
        emit(import_bundle(source, store), json)
    else:
        emit(import_peft(source, store, model or None, dataset or None), json)
