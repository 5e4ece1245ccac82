"""`export`: a run as another program reads it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from core.commands.options import Json
from core.commands.output import emit
from core.exchange.peft_adapter import export_peft
from core.store import Store, find_job

Format = Literal["peft"]
EXPORTERS = {"peft": export_peft}


def export(
    run: Annotated[str, typer.Argument(help="A tuning run, or the beginning of its name.", metavar="RUN")],
    out: Annotated[Path, typer.Option(help="Folder to write into; empty or new.")],
    as_format: Annotated[Format, typer.Option("--format", help="peft: an adapter that PEFT loads.")] = "peft",
    json: Json = False,
) -> None:
    """Write a run's prompt for other programs: an adapter of PEFT's prompt tuning."""
    emit(EXPORTERS[as_format](find_job(Store.default(), run), out), json)
