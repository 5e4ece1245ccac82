"""`export`: runs as another program, or this one on another machine, reads them."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.commands.options import Json
from core.commands.output import emit
from core.exchange.bundle import export_bundle
from core.exchange.peft_adapter import export_peft, exportable
from core.exchange.tensorboard_log import export_tensorboard
from core.store import JobFolder, Store, find_job

Format = Literal["peft", "bundle", "tensorboard"]


def export(
    runs: Annotated[list[str], typer.Argument(help="Tuning runs, by id or by the beginning of one.", metavar="RUN…")],
    out: Annotated[Path, typer.Option(help="Folder to write into, empty or new; of a bundle also NAME.zip.")],
    as_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="peft: an adapter that PEFT loads; bundle: all that the runs are, for `import` elsewhere; "
            "tensorboard: curves and prompts for `tensorboard --logdir`.",
        ),
    ] = "peft",
    json: Json = False,
) -> None:
    """Write runs for other programs or other machines; several adapters go into a folder each."""
    store = Store.default()
    jobs = list({job.id: job for job in (find_job(store, name) for name in runs)}.values())
    if as_format == "bundle":
        emit(export_bundle(jobs, out, store), json)
    elif as_format == "tensorboard":
        emit(export_tensorboard(jobs, out), json)
    else:
        emit(_adapters(jobs, out), json)


def _adapters(jobs: list[JobFolder], out: Path) -> dict[str, Any]:
    if len(jobs) == 1:
        return export_peft(jobs[0], out)
    for job in jobs:
        exportable(job)
    return {"format": "peft", "adapters": [export_peft(job, out / job.id) for job in jobs]}
