"""The fields of a spec as people see them: the source of forms, `--help` and documentation."""

import types
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from core.specs.base import Choices, Spec
from core.specs.reading import is_list


@dataclass(frozen=True)
class Field:
    """One field of a spec.

    Attributes:
        name: as in the spec and in JSON.
        title: for labels.
        help: one line.
        kind: 'choice', 'boolean', 'integer', 'number', 'text' or 'spec'.
        default: None if required or optional without a value.
        optional: whether None is a value.
        choices: the values of a choice.
        minimum: bound or None.
        maximum: bound or None.
        open_minimum: whether the minimum itself is excluded.
        open_maximum: whether the maximum itself is excluded.
    """

    name: str
    title: str
    help: str
    kind: Literal["choice", "boolean", "integer", "number", "text", "spec"]
    default: Any
    optional: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False

    @property
    def option(self) -> str:
        """Return the field's name on a command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def range(self) -> str:
        """Return the allowed values in words; empty if there is no bound."""
        if self.choices:
            return " | ".join(str(choice) for choice in self.choices)
        parts: list[str] = []
        if self.minimum is not None:
            parts.append(f"{'>' if self.open_minimum else '≥'} {self.minimum:g}")
        if self.maximum is not None:
            parts.append(f"{'<' if self.open_maximum else '≤'} {self.maximum:g}")
        return ", ".join(parts)


def describe(spec: type[Spec]) -> list[Field]:
    """Return the fields of a spec in their order, without `kind`."""
    names = sorted(spec.model_fields, key=lambda name: name in spec.described_last)
    fields = [_field(name, spec.model_fields[name]) for name in names]
    return [field for field in fields if field.name != "kind"]


def _field(name: str, info: FieldInfo) -> Field:
    annotation, optional = _without_none(info.annotation)
    minimum: Any = None
    maximum: Any = None
    open_minimum = open_maximum = False
    for item in info.metadata:
        match item:
            case Ge(ge=value):
                minimum = value
            case Gt(gt=value):
                minimum, open_minimum = value, True
            case Le(le=value):
                maximum = value
            case Lt(lt=value):
                maximum, open_maximum = value, True
            case _:
                pass
    default = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if is_list(default):
        default = ",".join(map(str, default))
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    choices = next((tuple(item.names) for item in info.metadata if isinstance(item, Choices)), choices)
    return Field(
        name=name,
        title=info.title or name.replace("_", " ").capitalize(),
        help=" ".join((info.description or "").split()),
        kind="choice" if choices else _kind(annotation),
        default=default,
        optional=optional,
        choices=choices,
        minimum=minimum,
        maximum=maximum,
        open_minimum=open_minimum,
        open_maximum=open_maximum,
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _kind(annotation: Any) -> Literal["choice", "boolean", "integer", "number", "text", "spec"]:
    if isinstance(annotation, type):
        if issubclass(annotation, Spec):
            return "spec"
        for base, kind in ((bool, "boolean"), (int, "integer"), (float, "number")):
            if issubclass(annotation, base):
                return kind  # pyright: ignore[reportReturnType]
    return "text"
