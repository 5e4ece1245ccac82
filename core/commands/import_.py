"""`import`: runs from elsewhere, to be looked at beside those made here."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.commands.options import Json, takes
from core.commands.output import emit
from core.exchange.peft_import import import_peft
from core.specs import DatasetSpec, ModelSpec
from core.store import Store


@takes(model=ModelSpec, dataset=DatasetSpec(name="math"))
def import_(
    source: Annotated[
        Path, typer.Argument(help="An adapter of PEFT's prompt tuning: its folder.", metavar="FOLDER", exists=True)
    ],
    model: dict[str, Any],
    dataset: dict[str, Any],
    json: Json = False,
) -> None:
    """Bring in runs from elsewhere; they appear on Compare. Nothing is unpickled, and nothing of theirs is run."""
    emit(import_peft(source, Store.default(), model or None, dataset or None), json)
