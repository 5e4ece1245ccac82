"""Read JSON and YAML that came from outside: bounded in size, depth, digits and aliases, and Unicode.

What is read here can be shown, stored and fingerprinted. For anything else there is a `ValueError`
that says why in a few words; the caller names the file or option, and the remedy.
"""

import json
import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from core.errors import shown

DOCUMENT_BYTES = 16_000_000
"""Largest JSON document; a file of a person's data may be larger, see `limit`."""
REQUEST_BYTES = 1_000_000
"""Largest JSON text of a spec."""
YAML_BYTES = 100_000
"""Largest YAML text, which takes a second to read; a sweep has at most 1000 runs."""
MAX_DEPTH = 64
"""Levels of lists and objects within one another."""
MAX_DIGITS = 300
"""Digits of an integer: as many as a float can hold."""
MAX_VALUES = 50_000
"""Values of a YAML document, counted again wherever an alias repeats them."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_STANDARD = "tag:yaml.org,2002:"
_TAGS = frozenset(_STANDARD + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "merge"))


class Unreadable(ValueError):
    """A text that is not taken; the message is a reason in a few words."""


def parse_json(text: str | bytes, limit: int | None = DOCUMENT_BYTES) -> Any:
    """Return the value of a JSON text.

    Args:
        text: UTF-8 if bytes.
        limit: bytes that it may have; None: any number, for data that was measured before.

    Raises:
        ValueError: it is too large or too deep, an integer is too long, a text is not Unicode
            (`Unreadable`); or it is not JSON (`json.JSONDecodeError`) or not UTF-8.
    """
    _require_size(len(text), limit)
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    try:
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise _too_deep() from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _require_shallow(value)
    if _SURROGATE.search(text):
        _require_unicode(value)
    return value


def read_json(path: Path, limit: int | None = DOCUMENT_BYTES) -> Any:
    """Return the value of a JSON file.

    Raises:
        OSError: it cannot be opened.
        ValueError: see `parse_json` and `read_bytes`.
    """
    return parse_json(read_bytes(path, limit), limit)


def parse_yaml(text: str, limit: int = YAML_BYTES) -> Any:
    """Return the value of a YAML text, of the kinds that JSON has; what looks like a date is text.

    Raises:
        ValueError: it is too large, too deep or repeats too much, has values or names of other
            kinds, an integer is too long or a text is not Unicode (`Unreadable`); or it is not
            YAML, in one line.
    """
    _require_size(len(text), limit)
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a `SafeLoader`, with bounds
    except yaml.YAMLError as error:
        raise Unreadable(" ".join(str(error).split())) from None
    _require_unicode(value)
    return value


def read_bytes(path: Path, limit: int | None) -> bytes:
    """Return the bytes of a regular file, which is measured before it is read.

    Raises:
        OSError: it cannot be opened.
        Unreadable: it is a folder, a pipe or a device, or larger than the limit.
    """
    # A pipe that nobody writes to is opened at once; on a regular file the flag means nothing.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is a pipe or a device, not a regular file")
        _require_size(found.st_size, limit)
        return file.read(-1 if limit is None else limit) or b""


class _Loader(yaml.SafeLoader):
    """Reads what JSON can hold, with the bounds of this module kept while it reads."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._extents: dict[int, tuple[int, int]] = {}
        """By node: number of values and levels, with whatever its aliases repeat."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read a node and what is below it."""
        self._depth += 1
        if self._depth > MAX_DEPTH + 1:
            raise _too_deep()
        alias = self.check_event(yaml.AliasEvent) is True  # pyright: ignore[reportUnknownMemberType]
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None:
            return None
        if not alias:
            self._extents[id(node)] = self._extent(node)
        elif id(node) not in self._extents:
            raise Unreadable("an alias stands within what it repeats")
        return node

    def _extent(self, node: yaml.Node) -> tuple[int, int]:
        if node.tag not in _TAGS:
            kind = shown(node.tag.removeprefix(_STANDARD))
            raise Unreadable(f"a value of the kind {kind} cannot be taken; write text")
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        below = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
        extents = [self._extents[id(part)] for part in below]
        n_values = 1 + sum(values for values, _ in extents)
        levels = 1 + max((levels for _, levels in extents), default=0)
        if n_values > MAX_VALUES:
            raise Unreadable(f"with its aliases written out it holds more than {MAX_VALUES} values")
        if levels > MAX_DEPTH:
            raise _too_deep()
        return n_values, levels

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return an integer, of any base that YAML has."""
        _require_digits(node.value)
        return super().construct_yaml_int(node)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return a number."""
        _require_digits(node.value)
        return super().construct_yaml_float(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return an object, whose names are text."""
        found = super().construct_mapping(node, deep)
        wrong = [name for name in found if not isinstance(name, str)]
        if wrong:
            raise Unreadable(f"the name {shown(wrong[0])} is not text; put it in quotes")
        return found


_Loader.add_constructor(f"{_STANDARD}int", _Loader.construct_yaml_int)
_Loader.add_constructor(f"{_STANDARD}float", _Loader.construct_yaml_float)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != f"{_STANDARD}timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is an object, as JSON has them."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a list, as JSON has them, or a tuple."""
    return isinstance(value, list | tuple)


def _require_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise Unreadable(f"it has {size} bytes, and {limit} are allowed")


def _require_digits(text: str) -> None:
    if len(text) > MAX_DIGITS:
        raise Unreadable(f"a number has {len(text)} digits, and {MAX_DIGITS} are allowed")


def _integer(text: str) -> int:
    _require_digits(text)
    return int(text)


def _containers(values: Iterable[object]) -> list[object]:
    return [value for value in values if isinstance(value, dict | list)]


def _below(value: object) -> list[object]:
    """Return the objects and lists that an object or a list holds."""
    if is_object(value):
        return _containers(value.values())
    return _containers(value) if is_list(value) else []


def _require_shallow(value: object) -> None:
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = [below for above in level for below in _below(above)]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> Unreadable:
    return Unreadable(f"it nests lists and objects over {MAX_DEPTH} levels deep")


def _require_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        wrong = ord(error.object[error.start])
        raise Unreadable(f"a text holds half a character, U+{wrong:04X}, which is not Unicode text") from None
