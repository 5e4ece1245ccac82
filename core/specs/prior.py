"""What every prior's spec has in common, and the list of kinds.

Each prior's own spec stands beside the prior, in its file under `core/priors/`; defining the class
puts its `kind` on the list. `import core.priors` defines them all.
"""

import json
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, SerializeAsAny

from core.errors import BadRequest, UnknownName
from core.specs.base import Spec

_KINDS: dict[str, type["PriorSpec"]] = {}


class PriorSpec(Spec):
    """A prior and its parameters. Subclasses have `kind: Literal[...] = ...` and work with defaults alone."""

    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    needs_reference: ClassVar[bool] = False
    """Whether the prior is fitted on a reference cloud."""
    order: ClassVar[int] = 1000
    """Place on lists of kinds; the simplest first."""

    kind: str

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put the class on the list of kinds."""
        super().__pydantic_init_subclass__(**kwargs)
        _KINDS[cls.model_fields["kind"].default] = cls


def prior_kinds() -> dict[str, type[PriorSpec]]:
    """Return the spec class of each known kind, by `order` and then by name."""
    return dict(sorted(_KINDS.items(), key=lambda item: (item[1].order, item[0])))


def forget_prior_kind(kind: str) -> None:
    """Take a kind off the list again (for tests and plug-ins)."""
    _KINDS.pop(kind, None)


def parse_prior(data: Any) -> PriorSpec:
    """Validate a mapping, a JSON text or a bare kind.

    Raises:
        UnknownName: for a kind that is not on the list.
        BadRequest: for a parameter out of range.
    """
    if isinstance(data, PriorSpec):
        return data
    if isinstance(data, str):
        text = data.strip()
        data = {"kind": text} if not text.startswith("{") else _object(text)
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind not in _KINDS:
        raise UnknownName("prior kind", str(kind), _KINDS)
    return _KINDS[kind].parse(data)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadRequest(
            f'prior {text!r} is not JSON ({error}); write for example \'{{"kind":"exclusion","c":5}}\''
        ) from None
    return value


AnyPrior = Annotated[SerializeAsAny[PriorSpec], BeforeValidator(parse_prior)]
"""A field that takes any known prior."""
