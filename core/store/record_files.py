"""Reads and writes the small files of a job's folder: whoever reads one gets what the program writes, or an error.

A folder may come from a bundle, from an earlier version or from a failing disk, so nothing in it is
believed unread.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from core import __version__
from core.errors import BadRequest, DamagedArtifact
from core.kinds import KINDS, load
from core.specs.base import JsonObject, canonical_json
from core.specs.reading import is_object, parse_json, read_json
from core.store.files import write_json
from core.store.records import EVENTS, RESULTS, AnyResult, Event, Request
from core.store.status import Status

MAX_BYTES = 64_000_000
"""Of a JSON file in a job's folder; the program writes none that long."""
MAX_LINE = 1_000_000
"""Bytes of an event."""
DIGEST = "sha256"
"""In `spec.json` and `status.json`: checksum of the rest."""
_STATUS = TypeAdapter(Status)
Kind = TypeVar("Kind", bound=BaseModel)


def read_object(path: Path) -> JsonObject:
    """Return the JSON object in a file.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedArtifact: it is no regular file, too long, or holds something else.
    """
    try:
        found = read_json(path, MAX_BYTES)
    except ValueError as error:
        raise DamagedArtifact(f"{path.name} cannot be read ({error})") from None
    if not is_object(found):
        raise DamagedArtifact(f"{path.name} holds a {type(found).__name__}, not an object")
    return found


def write_digested(path: Path, data: JsonObject) -> None:
    """Write a JSON object with a checksum of itself."""
    plain = json.loads(json.dumps(data, default=str))
    write_json(path, {**plain, DIGEST: _digest(plain)})


def read_digested(path: Path) -> JsonObject:
    """Return an object without its checksum, which it need not have: version 0.1.0 wrote none.

    Raises:
        FileNotFoundError, DamagedArtifact: see `read_object`; or it does not match its checksum.
    """
    data = read_object(path)
    told = data.pop(DIGEST, None)
    if told is not None and told != _digest(data):
        raise DamagedArtifact(f"{path.name} does not match its checksum")
    return data


def write_request(path: Path, kind: str, spec: JsonObject, created: float) -> None:
    """Write `spec.json`."""
    write_digested(path, {"kind": kind, "spec": spec, "created": created, "program": __version__})


def read_request(path: Path, believe: bool = True) -> Request:
    """Return a checked `spec.json`, whose spec is one of its kind.

    Args:
        path: of the file.
        believe: whether one that this very program wrote here is not parsed again, which loads the
            priors.

    Raises:
        FileNotFoundError: there is none.
        DamagedArtifact: it is not what the program writes.
    """
    return _request(path, believe, stamp(path))


def read_status(path: Path) -> Status:
    """Return a checked `status.json`.

    Raises:
        FileNotFoundError: there is none.
        DamagedArtifact: it is not what the program writes.
    """
    return _status(path, stamp(path))


def read_result(path: Path, kind: str) -> JsonObject:
    """Return a checked `result.json` of a kind of job.

    Raises:
        FileNotFoundError: there is none.
        DamagedArtifact: it is not what such a job writes.
    """
    return _result(path, kind, stamp(path))


def read_events(path: Path, kind: str) -> Iterator[JsonObject]:
    """Yield the checked lines of `events.jsonl`.

    A half-written last line is left for next time; one in the middle, from a process that was
    killed, is skipped.

    Raises:
        FileNotFoundError: there is none.
        DamagedArtifact: a line that no job of that kind writes.
    """
    records: Mapping[str, type[BaseModel]] = EVENTS if kind == "tune" else {}
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            if not line.endswith(b"\n"):
                if len(line) == MAX_LINE:
                    raise DamagedArtifact(f"{path.name} has a line of over {MAX_LINE:,} bytes")
                return
            try:
                event = parse_json(line)
            except ValueError:
                continue
            name = check(event, Event, path.name).event
            if name in records:
                check(event, records[name], path.name)
            yield event


def check(data: object, record: type[Kind], what: str) -> Kind:
    """Return data as a record.

    Raises:
        DamagedArtifact: it is something else.
    """
    try:
        return record.model_validate(data)
    except ValidationError as error:
        raise DamagedArtifact(f"{what}: {_first(error)}") from None


def stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is written again: what was read of it before holds as long as this stays."""
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=10_000)
def _request(path: Path, believe: bool, _stamp: tuple[int, int, int]) -> Request:
    request = check(read_digested(path), Request, path.name)
    if request.kind not in KINDS or (believe and request.program == __version__):
        return request
    try:
        spec = load(KINDS[request.kind].spec).parse(request.spec)
    except BadRequest as error:
        raise DamagedArtifact(f"{path.name}: {error}") from None
    return request.model_copy(update={"spec": spec.as_json()})


@lru_cache(maxsize=10_000)
def _status(path: Path, _stamp: tuple[int, int, int]) -> Status:
    data = read_digested(path)
    try:
        return _STATUS.validate_python(data)
    except ValidationError as error:
        raise DamagedArtifact(f"{path.name}: {_first(error)}") from None


@lru_cache(maxsize=1_000)
def _result(path: Path, kind: str, _stamp: tuple[int, int, int]) -> JsonObject:
    found = read_object(path)
    check(found, RESULTS.get(kind, AnyResult), path.name)
    return found


def _digest(data: JsonObject) -> str:
    return hashlib.sha256(canonical_json(data).encode("utf-8", "surrogatepass")).hexdigest()


def _first(error: ValidationError) -> str:
    wrong = error.errors(include_url=False)[0]
    where = ".".join(str(part)[:80] for part in wrong["loc"])
    return f"{where}: {wrong['msg']}" if where else wrong["msg"]
