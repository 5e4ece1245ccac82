"""`runs`: list, show, cancel, resume and delete runs and other jobs."""

from collections.abc import Iterator
from typing import Annotated

import typer

from core.commands.jobs import follow
from core.commands.options import Json
from core.commands.output import Document, emit, local_time
from core.engine import client
from core.store import JobFolder, Store, damaged_folders, find_job, list_jobs
from core.store.endings import ending_of
from core.store.listing import DamagedFolder

runs = typer.Typer(no_args_is_help=True, help="List, show, cancel, resume and delete runs and other jobs.")
Name = Annotated[str, typer.Argument(help="A run or job, or the beginning of its id.", metavar="RUN")]


@runs.command("list")
def list_runs(
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind: tune, capture, projection …")] = None,
    json: Json = False,
) -> None:
    """List runs and jobs, newest first."""
    store = Store.default()
    rows = [_row(job) for job in list_jobs(store, kind)]
    rows += [_damaged(folder) for folder in damaged_folders(store)] if kind is None else []
    emit({"runs": rows}, json, _lines)


@runs.command()
def show(run: Name, json: Json = False) -> None:
    """Show a run: its spec, status and result, and the end of its log."""
    job = find_job(Store.default(), run)
    row = _row(job)
    result = None if row["status"] == "damaged" else job.result()
    emit({**row, "spec": job.spec, "result": result, "log": job.log_tail().splitlines()}, json)


@runs.command()
def cancel(run: Name, json: Json = False) -> None:
    """Stop a run within one step, and keep what it has."""
    store = Store.default()
    job = find_job(store, run)
    client.cancel(job, store)
    emit(_row(job), json)


@runs.command()
def resume(run: Name, json: Json = False) -> None:
    """Continue a run that was cancelled, failed, interrupted or damaged, from its last checkpoint."""
    store = Store.default()
    job = find_job(store, run)
    client.resume(job, store)
    follow(job, store)
    emit(job.result() or _row(job), json)


@runs.command()
def delete(run: Name, json: Json = False) -> None:
    """Delete a run that is not in progress."""
    job = find_job(Store.default(), run, damaged=True)
    job.delete()
    emit({"deleted": job.id}, json)


def _lines(document: Document) -> Iterator[str]:
    rows = document["runs"]
    heading = f"{'RUN':<24} {'KIND':<11} {'STATE':<12} {'STEPS':>11}  {'ENDING':<14}  MESSAGE"
    yield heading if rows else "No runs yet."
    for row in rows:
        steps, message = f"{row['done']}/{row['total']}", row["error"] or row["message"]
        line = f"{row['run']:<24} {row['kind']:<11} {row['status']:<12} {steps:>11}  {row['ending']:<14}  {message}"
        yield line.rstrip()


def _damaged(folder: DamagedFolder) -> Document:
    unknown = {"kind": "unknown", "status": "damaged", "done": 0, "total": 0, "message": "", "ending": ""}
    return {"run": folder.job.id, **unknown, "error": folder.reason, "created": local_time(folder.changed)}


def _row(job: JobFolder) -> Document:
    status = job.status()
    return {
        "run": job.id,
        "kind": job.kind,
        "status": status.state,
        "ending": ending_of(job),
        "done": status.done,
        "total": status.total,
        "message": status.message,
        "error": status.error,
        "created": local_time(status.created),
    }
