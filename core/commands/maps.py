"""`maps`: list, show, name and rename maps, and remove names."""

from collections.abc import Iterator
from typing import Annotated

import typer

from core.commands.options import Json
from core.commands.output import Document, emit, local_time
from core.errors import BadRequest
from core.jobs.projection import MAP, StoredMap, clouds_of, load_map
from core.store import Store
from core.store.names import Named, find_name, forget_name, give_name, list_names, rename

maps = typer.Typer(no_args_is_help=True, help="List, show, name and rename maps. A named map is never pruned.")
Name = Annotated[str, typer.Argument(help="Name of a map.", metavar="NAME")]
NewName = Annotated[str, typer.Argument(help="Its new name.", metavar="NAME")]


@maps.command("list")
def list_maps(json: Json = False) -> None:
    """List the maps that have names."""
    store = Store.default()
    rows = [_row(named, store) for named in list_names(store, MAP)]
    emit({"maps": rows}, json, _lines)


@maps.command()
def show(name: Name, json: Json = False) -> None:
    """Show a map: its spec, what it was fitted on, and which of that is missing."""
    store = Store.default()
    named = find_name(store, MAP, name)
    stored = load_map(named.key, store)
    emit({**_row(named, store), "spec": named.spec, "fit": _fit(stored, store) if stored else None}, json)


@maps.command("name")
def name_map(
    key: Annotated[str, typer.Argument(help="Key of a stored map; `cache list --kind map` shows them.", metavar="KEY")],
    name: NewName,
    json: Json = False,
) -> None:
    """Name a stored map, by its key."""
    store = Store.default()
    stored = load_map(key, store)
    if stored is None:
        raise BadRequest(f"There is no map {key!r} in the store; `python -m core cache list --kind map` shows them.")
    require_frozen(stored)
    emit(_row(give_name(store, MAP, name, key, stored.artifact.manifest.spec), store), json)


@maps.command("rename")
def rename_map(name: Name, new: NewName, json: Json = False) -> None:
    """Give a map another name."""
    store = Store.default()
    emit(_row(rename(store, MAP, name, new), store), json)


@maps.command()
def delete(name: Name, json: Json = False) -> None:
    """Remove a map's name; the map itself stays until `cache prune`."""
    gone = forget_name(Store.default(), MAP, name)
    emit({"deleted": gone.name, "key": gone.key}, json)


def require_frozen(stored: StoredMap) -> None:
    """Check that a map may have a name.

    Raises:
        BadRequest: it is a joint fit, on which nothing else can be overlaid fairly.
    """
    if stored.joint:
        raise BadRequest(
            f"The map {stored.artifact.key!r} is a joint fit with {stored.artifact.info['n_joined']} vectors, so it is "
            "not frozen and cannot be named; name the map that was fitted without them."
        )


def _lines(document: Document) -> Iterator[str]:
    rows = document["maps"]
    yield f"{'NAME':<40} {'KEY':<17} {'METHOD':<6} {'SITE':>5}  MODEL" if rows else "No map has a name yet."
    for row in rows:
        gone = "" if row["stored"] else "  (no longer in the store)"
        yield f"{row['map']:<40} {row['key']:<17} {row['method']:<6} {row['site']:>5}  {row['model']}{gone}"


def _row(named: Named, store: Store) -> Document:
    spec = named.spec
    return {
        "map": named.name,
        "key": named.key,
        "method": spec["method"],
        "site": spec["site"],
        "model": spec["model"]["name"],
        "stored": store.folder(MAP, named.key).exists(),
        "named": local_time(named.created),
    }


def _fit(stored: StoredMap, store: Store) -> Document:
    missing = [
        key
        for key, cloud in zip(stored.artifact.info["clouds"], clouds_of(stored, store), strict=True)
        if cloud is None
    ]
    near = stored.map.tsne
    return {
        **{name: stored.artifact.info[name] for name in ("n_points", "n_available", "seed")},
        "explained_variance": [float(share) for share in stored.map.pca.explained[:3]],
        "divergence": near.divergence if near else None,
        "clouds_missing": missing,
    }
