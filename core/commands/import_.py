"""`import`: runs from elsewhere, to compare with those made here."""

from pathlib import Path
from typing import Annotated

import typer

from core.commands.options import Given, Json, takes
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
            help="A bundle (folder or .zip), or the folder of a prompt-tuning adapter of PEFT.", metavar="SOURCE"
        ),
    ],
    model: Given,
    dataset: Given,
    json: Json = False,
) -> None:
    """Import runs from elsewhere; they appear on Compare. Nothing is unpickled or executed."""
    store = Store.default()
    if not source.exists():
        raise BadRequest(f"There is no file or folder {str(source)!r}; name a bundle or an adapter's folder.")
    if source.is_file() or is_bundle(source):
        if model or dataset:
            raise BadRequest("A bundle names the model and data of its runs itself; leave out --model and --dataset.")
        emit(import_bundle(source, store), json)
    else:
        emit(import_peft(source, store, model or None, dataset or None), json)
