"""`export`: runs for other programs, or for this one on another machine."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from core.commands.options import Json
from core.commands.output import Document, emit
from core.exchange.bundle import export_bundle
from core.exchange.peft_adapter import export_peft, exportable
from core.exchange.tensorboard_log import export_tensorboard
from core.store import JobFolder, Store, find_job

Format = Literal["peft", "bundle", "tensorboard"]


def export(
    runs: Annotated[
        list[str], typer.Argument(help="Tuning runs, by id or by an unambiguous beginning of one.", metavar="RUN…")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write, empty or new; for a bundle also NAME.zip.")],
    as_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="peft: an adapter that PEFT loads; bundle: everything about the runs, for `import` elsewhere; "
            "tensorboard: curves and prompts for `tensorboard --logdir`.",
        ),
    ] = "peft",
    json: Json = False,
) -> None:
    """Write runs for other programs or machines; each of several adapters gets its own folder."""
    store = Store.default()
    jobs = list({job.id: job for job in (find_job(store, name) for name in runs)}.values())
    if as_format == "bundle":
        emit(export_bundle(jobs, out, store), json)
    elif as_format == "tensorboard":
        emit(export_tensorboard(jobs, out), json)
    else:
        emit(_adapters(jobs, out), json)


def _adapters(jobs: list[JobFolder], out: Path) -> Document:
    if len(jobs) == 1:
        return export_peft(jobs[0], out)
    for job in jobs:
        exportable(job)
    return {"format": "peft", "adapters": [export_peft(job, out / job.id) for job in jobs]}
