"""Names that people give to artifacts: what has a name is kept from `cache prune` until the name is removed."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from core.errors import BadRequest, DamagedArtifact, UnknownName
from core.specs.base import JsonObject
from core.specs.reading import read_json
from core.store.artifacts import Store
from core.store.files import disk_errors, write_json
from core.store.read_only import require_writable

LONGEST = 80
_FOLDER = "names"


@dataclass(frozen=True)
class Named:
    """An artifact with its name.

    Attributes:
        name: unique among its kind, whatever its capitals.
        kind: of the artifact.
        key: of the artifact.
        spec: JSON of what it was asked for, from which it can be made again.
        created: when it was named, in seconds since the epoch.
    """

    name: str
    kind: str
    key: str
    spec: JsonObject
    created: float


def list_names(store: Store, kind: str) -> list[Named]:
    """Return everything of a kind that has a name, in the order of the names.

    Raises:
        DamagedArtifact: the list of names cannot be read.
    """
    path = store.root / _FOLDER / f"{kind}.json"
    if not path.exists():
        return []
    try:
        found = [Named(**entry) for entry in read_json(path)]
    except (ValueError, TypeError) as error:
        raise DamagedArtifact(
            f"The names of {kind}s in {path} cannot be read ({error}); correct that file, or delete it with the names."
        ) from None
    return sorted(found, key=lambda named: named.name.casefold())


def find_name(store: Store, kind: str, name: str) -> Named:
    """Return what has a name, whatever its capitals.

    Raises:
        UnknownName: nothing has it.
    """
    return _find(list_names(store, kind), kind, name)


def name_of(store: Store, kind: str, key: str) -> str:
    """Return the name of an artifact; empty if it has none."""
    return next((named.name for named in list_names(store, kind) if named.key == key), "")


def give_name(store: Store, kind: str, name: str, key: str, spec: JsonObject) -> Named:
    """Name an artifact that is in the store; one that had a name gets the new one.

    Raises:
        BadRequest: an empty or too long name, one that is taken, or an artifact that is not there.
    """
    name = _check(name, kind)
    if store.find(kind, key) is None:
        raise BadRequest(f"The {kind} {key!r} is not in the store, so it cannot be named; draw it again.")
    with _changing(store, kind) as names:
        _require_free(names, kind, name, key)
        names[:] = [named for named in names if named.key != key]
        given = Named(name, kind, key, spec, time.time())
        names.append(given)
    return given


def rename(store: Store, kind: str, old: str, new: str) -> Named:
    """Give something another name.

    Raises:
        UnknownName: nothing has the old one.
        BadRequest: the new one is empty, too long or taken.
    """
    new = _check(new, kind)
    with _changing(store, kind) as names:
        before = _find(names, kind, old)
        _require_free(names, kind, new, before.key)
        after = replace(before, name=new)
        names[names.index(before)] = after
    return after


def forget_name(store: Store, kind: str, name: str) -> Named:
    """Take a name away; the artifact stays until it is pruned.

    Raises:
        UnknownName: nothing has it.
    """
    with _changing(store, kind) as names:
        gone = _find(names, kind, name)
        names.remove(gone)
    return gone


def named_artifacts(store: Store) -> set[tuple[str, str]]:
    """Return kind and key of everything that has a name."""
    kinds = [path.stem for path in (store.root / _FOLDER).glob("*.json")]
    return {(kind, named.key) for kind in kinds for named in list_names(store, kind)}


@contextmanager
def _changing(store: Store, kind: str) -> Generator[list[Named]]:
    """Give the list of names, and write what became of it; nobody else changes it meanwhile."""
    require_writable("Changing a name")
    folder = store.root / _FOLDER
    with store.lock(f"names-{kind}", timeout=10), disk_errors(store.root):
        folder.mkdir(exist_ok=True)
        names = list_names(store, kind)
        yield names
        write_json(folder / f"{kind}.json", [asdict(named) for named in names])


def _check(name: str, kind: str) -> str:
    clean = name.strip()
    if not clean or len(clean) > LONGEST or not clean.isprintable():
        raise BadRequest(
            f"A {kind} cannot be named {name!r}; give 1 to {LONGEST} characters on one line, not only blanks."
        )
    return clean


def _require_free(names: list[Named], kind: str, name: str, key: str) -> None:
    taken = [named for named in names if named.name.casefold() == name.casefold() and named.key != key]
    if taken:
        raise BadRequest(f"The name {name!r} is taken by another {kind} ({taken[0].key}); choose another name.")


def _find(names: list[Named], kind: str, name: str) -> Named:
    wanted = name.strip().casefold()
    for named in names:
        if named.name.casefold() == wanted:
            return named
    known = [named.name for named in names]
    raise UnknownName(f"{kind} name", name, known or ["(none yet)"])
