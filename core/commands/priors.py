"""`priors`: list the kinds of prior."""

from typing import Annotated

import typer

from core.commands.options import Json
from core.commands.output import Document, emit
from core.specs import PriorSpec, parse_prior, prior_kinds
from core.specs.describe import describe


def priors(
    kind: Annotated[str | None, typer.Argument(help="One kind; by default all.")] = None, json: Json = False
) -> None:
    """List the kinds of prior with their parameters."""
    chosen = prior_kinds() if kind is None else {kind: type(parse_prior(kind))}
    emit({name: _describe(spec) for name, spec in chosen.items()}, json)


def _describe(spec: type[PriorSpec]) -> Document:
    return {
        "title": spec.title,
        "summary": spec.summary,
        "parameters": {
            field.name: {"default": field.default, "range": field.range, "help": field.help} for field in describe(spec)
        },
    }
