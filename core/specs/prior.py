"""What every prior's spec has in common, and the list of kinds.

Each prior's own spec is defined beside the prior, in its file under `core/priors/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from core.errors import BadRequest, UnknownName, shown
from core.specs.base import JsonObject, Spec
from core.specs.dataset import DatasetSpec
from core.specs.reading import REQUEST_BYTES, is_object, parse_json


@dataclass(frozen=True)
class VocabularyRows:
    """A further input of a fit: rows of the model's embedding matrix.

    Attributes:
        special: whether to include special and unused tokens.
        counted: whether to count how often each occurs in the reference cloud.
        text: only the tokens of this text, in order; empty: all tokens.
    """

    special: bool = True
    counted: bool = False
    text: str = ""


@dataclass(frozen=True)
class SecondCloud:
    """A further input of a fit: token activations on another data set, at the reference's site."""

    dataset: DatasetSpec


@dataclass(frozen=True)
class RunPosterior:
    """A further input of a fit: the tuned prompt of a finished run."""

    run: str


@dataclass(frozen=True)
class Scale:
    """The values that a slider offers for a parameter; others are typed.

    Attributes:
        low: first value.
        high: last value.
        even: whether equal steps add; otherwise they multiply (a logarithmic scale).
    """

    low: float
    high: float
    even: bool = False

    def values(self, n: int = 61) -> list[float]:
        """Return at most n values from the first to the last, rounded to three digits."""
        steps = np.linspace if self.even else np.geomspace
        return list(dict.fromkeys(float(f"{value:.3g}") for value in steps(self.low, self.high, n)))


Further = VocabularyRows | SecondCloud | RunPosterior

PRIORS = {
    "isotropic": "core.priors.isotropic:Isotropic",
    "xavier": "core.priors.xavier:Xavier",
    "gaussian": "core.priors.gaussian:Gaussian",
    "exclusion": "core.priors.exclusion:Exclusion",
    "vocabulary": "core.priors.vocabulary:Vocabulary",
    "interpolation": "core.priors.interpolation:Interpolation",
    "mixture": "core.priors.mixture:Mixture",
    "knn": "core.priors.knn:Knn",
    "vae": "core.priors.vae:Vae",
    "posterior": "core.priors.posterior:Posterior",
}
"""Each kind with its class, the simplest first; a prior is imported when it is first asked for."""


class PriorSpec(Spec, frozen=True):
    """A prior and its parameters; each subclass has a `kind` and works with its defaults alone."""

    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    sliders: ClassVar[Mapping[str, Scale]] = {}
    """Parameters that have a slider beside their field."""
    needs_reference: ClassVar[bool] = False
    """Whether the prior is fitted on a reference cloud."""
    differentiable: ClassVar[bool | tuple[str, str]] = False
    """Whether `log_prob` has a gradient with respect to the vectors; or the one field and value
    with which it has."""
    described_last: ClassVar[tuple[str, ...]] = ("match_trace", "target_trace")

    kind: str
    match_trace: Literal["none", "reference", "value"] = Field(default="none", title="Match the trace")
    """Scale the samples about their mean until their total variance is the reference cloud's, or
    the value below, to tell the effect of location from that of scale."""
    target_trace: float | None = Field(default=None, gt=0, le=1e30, title="Total variance")
    """With 'value' above: target trace of the sample covariance."""

    @property
    def reads_reference(self) -> bool:
        """Return whether a fit with these parameters reads the reference cloud."""
        return self.needs_reference or self.match_trace == "reference"

    def further(self) -> tuple[Further, ...]:
        """Return what a fit needs beside the reference cloud, in the order of `fit`'s arguments."""
        return ()

    @model_validator(mode="after")
    def _check_trace(self) -> Self:
        if (self.match_trace == "value") != (self.target_trace is not None):
            raise ValueError("match_trace 'value' and target_trace go together; give both or neither")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unused(self, handler: SerializerFunctionWrapHandler) -> JsonObject:
        """Leave out an unmatched trace: older specs keep their fingerprint."""
        data = handler(self)
        if self.match_trace == "none":
            for name in self.described_last:
                data.pop(name, None)
        return data


def prior_type(kind: str) -> Any:
    """Return the class, of `core.priors.base.Prior`, of a known kind."""
    return resolve_name(PRIORS[kind])


def prior_kinds() -> dict[str, type[PriorSpec]]:
    """Return the spec class of each known kind, in the order of `PRIORS`."""
    return {kind: prior_type(kind).spec_class for kind in PRIORS}


def require_differentiable(prior: PriorSpec) -> None:
    """Check that `log_prior_weight` can mean something with this prior.

    Raises:
        BadRequest: naming the kind, those whose density has a gradient, and the remedy.
    """
    needed = prior.differentiable
    if needed is True or (needed and getattr(prior, needed[0]) == needed[1]):
        return
    shown = f"{prior.kind!r} with {needed[0]} {getattr(prior, needed[0])!r}" if needed else f"{prior.kind!r}"
    able = {kind: spec.differentiable for kind, spec in prior_kinds().items() if spec.differentiable}
    kinds = ", ".join(kind if need is True else f"{kind} ({' '.join(need)})" for kind, need in able.items() if need)
    raise BadRequest(
        f"The prior {shown} has no log density that a gradient can follow, which log_prior_weight needs; choose one "
        f"of: {kinds}; or set log_prior_weight to 0."
    )


def parse_prior(data: Any) -> PriorSpec:
    """Validate a mapping, a JSON text or a bare kind.

    Raises:
        UnknownName: for an unknown kind.
        BadRequest: for a parameter out of range.
    """
    if isinstance(data, PriorSpec):
        return data
    if isinstance(data, str):
        text = data.strip()
        data = {"kind": text} if not text.startswith("{") else _object(text)
    kind = data.get("kind") if is_object(data) else None
    if not isinstance(kind, str) or kind not in PRIORS:
        raise UnknownName("prior kind", str(kind), PRIORS)
    return prior_type(kind).spec_class.parse(data)


def _object(text: str) -> JsonObject:
    try:
        value = parse_json(text, REQUEST_BYTES)
    except ValueError as error:
        raise BadRequest(
            f'prior {shown(text)} is not JSON ({error}); write for example \'{{"kind":"exclusion","c":5}}\''
        ) from None
    return value


AnyPrior = Annotated[SerializeAsAny[PriorSpec], BeforeValidator(parse_prior)]
"""A field that takes any known prior."""
