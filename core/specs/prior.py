"""What every prior's spec has in common, and the list of kinds.

Each prior's own spec stands beside the prior, in its file under `core/priors/`; defining the class
puts its `kind` on the list. `import core.priors` defines them all.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from core.errors import BadRequest, UnknownName
from core.specs.base import Spec
from core.specs.dataset import DatasetSpec


@dataclass(frozen=True)
class VocabularyRows:
    """Wanted beside the reference cloud: rows of the model's embedding matrix.

    Attributes:
        special: whether special and unused tokens are among them.
        counted: whether it must be known how often each occurs in the reference cloud.
        text: only the tokens of this text, in their order; empty: all.
    """

    special: bool = True
    counted: bool = False
    text: str = ""


@dataclass(frozen=True)
class SecondCloud:
    """Wanted beside the reference cloud: token activations on another data set, at the reference's site."""

    dataset: DatasetSpec


@dataclass(frozen=True)
class RunPosterior:
    """Wanted beside the reference cloud: the prompt vectors that a finished run ended with."""

    run: str


Further = VocabularyRows | SecondCloud | RunPosterior

_KINDS: dict[str, type["PriorSpec"]] = {}


class PriorSpec(Spec):
    """A prior and its parameters. Subclasses have `kind: Literal[...] = ...` and work with defaults alone."""

    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    needs_reference: ClassVar[bool] = False
    """Whether the prior is fitted on a reference cloud."""
    order: ClassVar[int] = 1000
    """Place on lists of kinds; the simplest first."""
    described_last: ClassVar[tuple[str, ...]] = ("match_trace", "target_trace")

    kind: str
    match_trace: Literal["none", "reference", "value"] = Field(
        default="none",
        title="Match the trace",
        description="Scale the samples about their mean until their total variance is the reference cloud's, or the "
        "value below, so that place and scale are not confused.",
    )
    target_trace: float | None = Field(
        default=None,
        gt=0,
        le=1e30,
        title="Total variance",
        description="With 'value' above: the trace of the covariance that samples shall have.",
    )

    @property
    def reads_reference(self) -> bool:
        """Return whether a fit with these parameters reads the reference cloud."""
        return self.needs_reference or self.match_trace == "reference"

    def further(self) -> tuple[Further, ...]:
        """Return what a fit needs beside the reference cloud, in the order in which `fit` takes it."""
        return ()

    @model_validator(mode="after")
    def _check_trace(self) -> Self:
        if (self.match_trace == "value") != (self.target_trace is not None):
            raise ValueError("match_trace 'value' and target_trace go together; give both or neither")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an unmatched trace out: the spec keeps the fingerprint it had before there was a choice."""
        data = handler(self)
        if self.match_trace == "none":
            for name in self.described_last:
                data.pop(name, None)
        return data

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
    if not isinstance(kind, str) or kind not in _KINDS:
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
