"""Random changes of JSON data and of bytes, and cases that are known by a number."""

import copy
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "soon",
    "a" * 5_000,
    "\x00",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    [],
    [1],
    {},
    {"a": 1},
    [[[]]],
)


def numbered(
    name: str, attempt: Callable[[random.Random, Path], Any], rng: random.Random, folder: Path
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield cases that their number alone decides, so that one can be tried again."""
    while True:
        number = rng.getrandbits(48)
        yield f"{name} {number}", partial(attempt, random.Random(number), folder)


def mutated(data: Any, rng: random.Random) -> Any:
    """Return JSON data with one to three odd changes."""
    changed = copy.deepcopy(data)
    for _ in range(rng.randint(1, 3)):
        changed = _change(changed, rng)
    return changed


def mutated_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Return bytes that are flipped, cut, doubled, emptied or replaced."""
    changed = bytearray(raw)
    match rng.randrange(6):
        case 0 if raw:
            changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        case 1 if raw:
            del changed[rng.randrange(len(raw)) :]
        case 2:
            changed += raw
        case 3:
            changed = bytearray(rng.randbytes(rng.randint(0, 300)))
        case 4:
            changed = bytearray(rng.choice([b"[" * 100_000, b"null", b"[1]", b"{}", b"\x80\x04.", b"PK\x03\x04"]))
        case _:
            changed[: len(raw) // 2] = b""
    return bytes(changed)


def _change(data: Any, rng: random.Random) -> Any:
    """Return data with one value replaced, removed or added, at any depth."""
    if isinstance(data, dict) and data and rng.random() < 0.9:
        name = rng.choice(sorted(data))
        roll = rng.random()
        if roll < 0.5:
            return {**data, name: _change(data[name], rng)}
        if roll < 0.8:
            return {**data, name: rng.choice(ODD_VALUES)}
        if roll < 0.9:
            return {key: value for key, value in data.items() if key != name}
        return {**data, rng.choice(["odd", "", "__class__", "created"]): rng.choice(ODD_VALUES)}
    if isinstance(data, list) and data and rng.random() < 0.8:
        at = rng.randrange(len(data))
        return [*data[:at], _change(data[at], rng), *data[at + 1 :]]
    return rng.choice(ODD_VALUES)
