"""Command-line options from specs and request classes: a new field is an option at once."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from typing import Annotated, Any, get_type_hints

import typer

from core.specs.base import Spec
from core.specs.describe import Field, describe

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


Given = dict[str, str]
"""What a person gave of a group's fields; values stay text, which the spec checks."""
Command = Callable[..., None]


def requested(command: Command) -> Command:
    """Give a command the options of its request.

    The command's first parameter is a frozen dataclass whose fields are annotated as options; each
    becomes an option of its own, in the same order.
    """
    (name, request), *rest = inspect.signature(command, eval_str=True).parameters.items()
    hints, own = get_type_hints(request.annotation, include_extras=True), fields(request.annotation)

    def run(**values: Any) -> None:
        command(**{name: request.annotation(**{field.name: values.pop(field.name) for field in own})}, **values)

    made = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in own
    ]
    return _dressed(run, command, [*made, *(parameter for _, parameter in rest)])


def takes(**groups: Spec | type[Spec]) -> Callable[[Command], Command]:
    """Give a command one option for each simple field of the named specs.

    The command receives a `Given` for each group. Values stay text until the spec checks them, so
    command line and forms refuse a wrong value in the same words. A group's field `name` becomes
    `--<group>`. A name that the command or an earlier group has already becomes
    `--<group>-<field>`. A group given as a spec shows that spec's values as the defaults.
    """

    def decorate(command: Command) -> Command:
        own = [p for p in inspect.signature(command).parameters.values() if p.name not in groups]
        options = _options(groups, {name for parameter in own for name in _names(parameter)})
        extra = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option, field))
            for key, (_, option, field) in options.items()
        ]

        def run(**values: Any) -> None:
            given: dict[str, Given] = {group: {} for group in groups}
            for key, (group, _, field) in options.items():
                value = values.pop(key)
                if value is not None:
                    given[group][field.name] = value
            command(**values, **given)

        run.options = options  # pyright: ignore[reportFunctionMemberAccess]
        return _dressed(run, command, [*own, *extra])

    return decorate


def _dressed(run: Command, command: Command, parameters: list[inspect.Parameter]) -> Command:
    """Return a function named like a command, with parameters that Typer makes options of."""
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def arguments(command: Command, **groups: Spec) -> list[str]:
    """Return the options that give specs to a command: names, and what is not the default."""
    found = []
    for group, option, field in command.options.values():  # pyright: ignore[reportFunctionMemberAccess]
        value = getattr(groups[group], field.name) if group in groups else None
        if value is not None and (field.name == "name" or value != field.default):
            found += [option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    return found


def _names(parameter: inspect.Parameter) -> list[str]:
    """Return the options of a parameter of a command."""
    for note in getattr(parameter.annotation, "__metadata__", ()):
        if getattr(note, "param_decls", None):
            return list(note.param_decls)
    return ["--" + parameter.name.replace("_", "-")]


def _options(groups: dict[str, Spec | type[Spec]], taken: set[str]) -> dict[str, tuple[str, str, Field]]:
    """Return parameter name → (group, option, field), each option once and none that is taken."""
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
