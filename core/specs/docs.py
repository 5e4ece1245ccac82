"""What the documentation says about specs: tables of their fields, and the page of all specs."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import core.specs
from core.specs.base import Spec
from core.specs.describe import Field, describe
from core.specs.prior import PriorSpec

_INTRODUCTION = """# Specs

The requests that the program understands, as JSON: `python -m core make KIND SPEC` takes one, the `spec.json` of every
run and job holds one, and pages cite them. Forms, command-line options and this page are made from the same fields. A
field that is left out takes its default; an unknown field is refused. Priors are in [priors.md](../priors.md).
"""


def field_table(fields: list[Field], spec: type[Spec] | None = None) -> str:
    """Return a table of fields: name, title, values, default, meaning.

    Args:
        fields: from `describe`.
        spec: where they come from; if given, fields that hold specs link to their section.
    """
    head = ["| parameter | title | values | default | meaning |", "|---|---|---|---|---|"]
    rows = [
        f"| `{field.name}` | {field.title} | {_linked(field, spec).replace('|', 'or')} | {default(field)} | "
        f"{field.help.replace('|', 'or')} |"
        for field in fields
    ]
    return "\n".join([*head, *rows, ""])


def values(field: Field) -> str:
    """Return the values of a field in words."""
    if field.choices:
        return field.range
    return f"{field.kind} {field.range}".strip()


def default(field: Field) -> str:
    """Return a field's default in words."""
    if isinstance(field.default, Spec):
        return "its defaults"
    return "empty" if field.default in (None, "") else str(field.default)


def spec_page(specs: list[type[Spec]], kinds: dict[str, type[Spec]]) -> str:
    """Return `docs/reference/specs.md`.

    Args:
        specs: the specs to describe, in this order.
        kinds: kinds of job, each with the spec it takes.
    """
    sections: list[str] = []
    for spec in specs:
        jobs = [f"`{kind}`" for kind, taken in kinds.items() if taken is spec]
        note = f" Taken by {', '.join(jobs)} jobs." if jobs else ""
        summary = (spec.__doc__ or "").strip().splitlines()[0]
        sections.append(f"## {spec.__name__}\n\n{summary}{note}\n\n{field_table(describe(spec), spec)}")
    return "\n".join([_INTRODUCTION, *sections])


def documented_specs() -> list[type[Spec]]:
    """Return every spec of the program except priors, by file, whatever was imported before."""
    for module in pkgutil.iter_modules(core.specs.__path__):
        importlib.import_module(f"{core.specs.__name__}.{module.name}")
    found = [spec for spec in _below(Spec) if spec.__module__.startswith("core.") and not issubclass(spec, PriorSpec)]
    return sorted(found, key=lambda spec: (spec.__module__, found.index(spec)))


def _below(spec: type[Spec]) -> Iterator[type[Spec]]:
    for child in spec.__subclasses__():
        yield child
        yield from _below(child)


def _linked(field: Field, spec: type[Spec] | None) -> str:
    """Return the values of a field, with links to the specs among them."""
    inner = list(dict.fromkeys(_specs_in(spec.model_fields[field.name].annotation))) if spec else []
    if not inner:
        return values(field)
    names = ", ".join(
        "[a prior](../priors.md)" if issubclass(part, PriorSpec) else f"[{part.__name__}](#{part.__name__.lower()})"
        for part in inner
    )
    return f"list of {names}" if field.kind == "text" else names


def _specs_in(annotation: Any) -> Iterator[type[Spec]]:
    if get_origin(annotation) is None:
        if isinstance(annotation, type) and issubclass(annotation, Spec):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _specs_in(part)
