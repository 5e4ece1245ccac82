"""The base of all specs: frozen, strict, JSON in and out, fingerprinted."""

import hashlib
import json
from collections.abc import Collection, Set
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from core.errors import LONGEST_SHOWN, BadRequest, shown
from core.specs.reading import REQUEST_BYTES, parse_json

JsonObject = dict[str, Any]
"""A JSON object: names, and values that JSON can hold."""


def _check_path(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds the character NUL, which no path or name has; remove it")
    longest = max(len(part.encode()) for part in text.split("/"))
    if longest > _NAME_BYTES or len(text.encode()) > _PATH_BYTES:
        raise ValueError(
            f"it has {len(text.encode())} bytes, {longest} of them in one name, and a path has at most {_PATH_BYTES} "
            f"and a name {_NAME_BYTES}; shorten it"
        )
    return text


PathText = Annotated[str, AfterValidator(_check_path)]
"""A field that holds a path, or a name that may be one."""
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, title="Seed")]
"""A field of many specs."""
_PATH_BYTES, _NAME_BYTES = 4095, 255
"""What Linux and macOS take, or more."""
_PROBLEMS = 5
"""Wrong fields that a message names."""


@dataclass(frozen=True)
class Choices:
    """Marks a field that takes one name of an open list.

    Attributes:
        names: the list, read whenever the field is described.
    """

    names: Collection[str]


class Spec(BaseModel, frozen=True):
    """Something a person can ask for.

    Fields carry a title and a range, and the docstring below a field describes it; forms, `--help`
    and the documentation are made from them (`core.specs.describe`).
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    described_last: ClassVar[tuple[str, ...]] = ()
    """Fields that forms and documentation show last."""

    @classmethod
    def parse(cls, data: Any) -> Self:
        """Validate a mapping or a JSON text.

        Raises:
            BadRequest: with one line that names the first wrong fields, their values and bounds; or
                why the text is not JSON.
        """
        if isinstance(data, str | bytes):
            data = _from_text(data, cls.__name__)
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise BadRequest(_one_line(cls.__name__, error)) from None

    def as_json(
        self, *, exclude: Set[str] = frozenset(), exclude_defaults: bool = False, exclude_none: bool = False
    ) -> JsonObject:
        """Return the spec as JSON holds it: what `parse` reads back and what files store.

        Args:
            exclude: names of fields to leave out.
            exclude_defaults: whether to leave out fields at their defaults.
            exclude_none: whether to leave out fields without a value.
        """
        return self.model_dump(
            mode="json", exclude=set(exclude), exclude_defaults=exclude_defaults, exclude_none=exclude_none
        )

    def canonical_json(self) -> str:
        """Return JSON with sorted keys and no spaces: equal specs give equal text."""
        return canonical_json(self.as_json())

    def fingerprint(self, *context: str) -> str:
        """Return 16 hex digits for this spec in a context (model revision, algorithm version …)."""
        return fingerprint(type(self).__name__, self.canonical_json(), *context)


def canonical_json(data: Any) -> str:
    """Return JSON with sorted keys and no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fingerprint(*parts: str) -> str:
    """Return 16 hex digits of the SHA-256 over the parts and their lengths."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(f"{len(raw)}:".encode())
        digest.update(raw)
    return digest.hexdigest()[:16]


def _from_text(text: str | bytes, name: str) -> Any:
    try:
        return parse_json(text, REQUEST_BYTES)
    except ValueError as error:
        raise BadRequest(f"{name}: {shown(text)} cannot be read as JSON ({error}); correct it.") from None


def _one_line(name: str, error: ValidationError) -> str:
    found = error.errors(include_url=False)
    problems: list[str] = []
    for item in found[:_PROBLEMS]:
        where = ".".join(str(part)[:LONGEST_SHOWN] for part in item["loc"]) or name
        value = item.get("input")
        got = f" (got {shown(value)})" if not isinstance(value, dict) else ""
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message, got = "there is no such field; remove it or check its spelling", ""
        problems.append(f"{where}: {message}{got}")
    if len(found) > _PROBLEMS:
        problems.append(f"and {len(found) - _PROBLEMS} more wrong fields")
    return "; ".join(problems)
