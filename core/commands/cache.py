"""`cache`: list, verify and prune what is stored."""

from typing import Annotated

import typer

from core.commands.options import Json
from core.commands.output import emit, local_time, show_progress
from core.errors import DamagedArtifact
from core.store import Store
from core.store.maintenance import Entry, cache_entries, leftovers, verify_all, without_checksums
from core.store.maintenance import prune as prune_entries

cache = typer.Typer(no_args_is_help=True, help="List, verify and prune what is stored.")
Kind = Annotated[str | None, typer.Option(help="Only artifacts of this kind: model, dataset, cloud, map …")]


@cache.command("list")
def list_cache(kind: Kind = None, json: Json = False) -> None:
    """List what is stored, largest first."""
    store = Store.default()
    _show(store, "entries", cache_entries(store, kind), json)


@cache.command()
def verify(json: Json = False) -> None:
    """Read and check every artifact, run and job; damaged ones are set aside or marked, and can be made again."""
    store = Store.default()
    checked = verify_all(store, show_progress)
    problems = [problem for _, problem in checked if problem]
    emit(
        {
            "checked": len(checked),
            "damaged": problems,
            "without_checksums": without_checksums(store),
            "leftovers": [str(entry.folder.relative_to(store.root)) for entry in leftovers(store)],
        },
        json,
    )
    if problems:
        raise DamagedArtifact(
            f"{len(problems)} of {len(checked)} artifacts, runs and jobs are damaged and set aside; "
            "request them again to restore them."
        )


@cache.command()
def prune(
    kind: Kind = None,
    older_than_days: Annotated[float | None, typer.Option(help="Only what has been unused for this many days.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only show what would be deleted.")] = False,
    json: Json = False,
) -> None:
    """Delete what can be made again; runs are never deleted."""
    store = Store.default()
    age = None if older_than_days is None else older_than_days * 86_400
    gone = prune_entries(store, kind, age, dry_run=not yes)
    _show(store, "deleted" if yes else "would_delete", gone, json)


def _show(store: Store, title: str, entries: list[Entry], as_json: bool) -> None:
    total = sum(entry.bytes for entry in entries)
    lines = [f"{one.bytes / 1e6:10,.1f} MB  {one.kind:<11} {one.key:<18} {one.description}" for one in entries]
    lines.append(f"{total / 1e6:10,.1f} MB  {title.replace('_', ' ')}: {len(entries)} in {store.root}")
    names = ("kind", "key", "bytes", "created", "description")
    rows = [{name: getattr(one, name) for name in names} | {"created": local_time(one.created)} for one in entries]
    emit({"folder": str(store.root), "bytes": total, title: rows}, as_json, lambda _: lines)
