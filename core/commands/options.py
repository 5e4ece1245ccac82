"""Command-line options made from specs, so that a new field is an option at once."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from core.specs.base import Spec
from core.specs.describe import Field, describe

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


def takes(**groups: Spec | type[Spec]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option for each simple field of the named specs.

    The command receives one dictionary a group, holding only what the person gave; values stay text
    and are checked by the spec, so that a shell and a form say the same of a wrong value. A group's
    field `name` becomes `--<group>`; a name that an earlier group took becomes `--<group>-<field>`.
    So does one that the command has itself. A group given as a spec rather than a class shows that spec's
    values as the defaults.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(command).parameters.values() if p.name not in groups]
        fields = _options(groups, {name for parameter in own for name in _names(parameter)})
        extra = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option, field))
            for key, (_, option, field) in fields.items()
        ]

        def run(**values: Any) -> None:
            given: dict[str, dict[str, Any]] = {group: {} for group in groups}
            for key, (group, _, field) in fields.items():
                value = values.pop(key)
                if value is not None:
                    given[group][field.name] = value
            command(**values, **given)

        run.__name__ = command.__name__
        run.__doc__ = command.__doc__
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + extra
        run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        run.options = fields  # pyright: ignore[reportFunctionMemberAccess]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


def arguments(command: Callable[..., None], **groups: Spec) -> list[str]:
    """Return the options that give a command the simple fields of specs: names, and what differs from its default.

    Args:
        command: that `takes` decorated.
        groups: a spec a group, as the command takes them.
    """
    found = []
    for group, option, field in command.options.values():  # pyright: ignore[reportFunctionMemberAccess]
        value = getattr(groups[group], field.name) if group in groups else None
        if value is not None and (field.name == "name" or value != field.default):
            found += [option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return found


def _names(parameter: inspect.Parameter) -> list[str]:
    """Return the options that a parameter of a command stands for."""
    for note in getattr(parameter.annotation, "__metadata__", ()):
        if getattr(note, "param_decls", None):
            return list(note.param_decls)
    return ["--" + parameter.name.replace("_", "-")]


def _options(groups: dict[str, Spec | type[Spec]], taken: set[str]) -> dict[str, tuple[str, str, Field]]:
    """Return parameter name → (group, option, field), each option once and none of those that are taken."""
    found: dict[str, tuple[str, str, Field]] = {}
    taken = set(taken)
    for group, spec in groups.items():
        for field in _fields(spec):
            if field.kind == "spec" or field.name == "prior":
                continue
            option = f"--{group}" if field.name == "name" else field.option
            if option in taken:
                option = f"--{group}{field.option[1:]}"
            taken.add(option)
            found[f"{group}_{field.name}"] = (group, option, field)
    return found


def _fields(spec: Spec | type[Spec]) -> list[Field]:
    if isinstance(spec, Spec):
        return [replace(field, default=getattr(spec, field.name)) for field in describe(type(spec))]
    return describe(spec)


def _annotation(option: str, field: Field) -> Any:
    words = [field.help, f"({field.range})" if field.range else ""]
    if field.default is not None:
        words.append(f"Default: {field.default}.")
    return Annotated[
        str | None,
        typer.Option(
            option, help=" ".join(word for word in words if word), metavar=field.kind.upper(), show_default=False
        ),
    ]
