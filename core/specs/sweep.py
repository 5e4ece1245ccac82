"""A sweep: settings that all runs share, and axes; each combination of their values is a run."""

from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field

from core.errors import BadRequest
from core.specs.base import JsonObject, Spec
from core.specs.prior import AnyPrior
from core.specs.reading import is_list, is_object, parse_yaml


def _one_or_more(value: Any) -> Any:
    """Return what stands alone as a tuple of one."""
    if is_list(value):
        return tuple(value)
    return () if value is None else (value,)


def _one_or_more_of_each(value: Any) -> Any:
    if not is_object(value):
        raise ValueError("must map fields to lists of values, such as {n_prompt: [5, 20]}")
    return {name: _one_or_more(values) for name, values in value.items()}


_Axis = BeforeValidator(_one_or_more)


class SweepSpec(Spec, frozen=True):
    """Many runs: all combinations of the axes' values; an empty axis keeps the base's value."""

    name: str = Field(default="", max_length=80, title="Name")
    """For people; it changes no run."""
    base: JsonObject = Field(default_factory=dict, title="Base")
    """Settings of every run, as `tune --spec` takes them, without those that an axis gives."""
    priors: Annotated[tuple[AnyPrior, ...], _Axis] = Field(default=(), title="Priors")
    """Kinds, alone or with parameters: [isotropic, {kind: exclusion, c: 5}]."""
    methods: Annotated[tuple[str | JsonObject, ...], _Axis] = Field(default=(), title="Methods")
    """soft, deep, or fields that go together: [soft, {method: deep, deep_form: kept}]."""
    datasets: Annotated[tuple[str | JsonObject, ...], _Axis] = Field(default=(), title="Data sets")
    """Names, with a module or path after a colon if need be, or fields: [squad,
    'math:arithmetic__mul']. Samples, seed and validation share default to those of the base."""
    learning_rates: Annotated[tuple[float, ...], _Axis] = Field(default=(), title="Learning rates")
    """Numbers; the paper uses 5e-3, 1e-3 and 5e-4."""
    regularisers: Annotated[tuple[str | JsonObject, ...], _Axis] = Field(default=(), title="Regularisers")
    """none, or weights that go together: [none, {spread_weight: 0.1}]; weights not named are 0."""
    seeds: Annotated[tuple[int, ...], _Axis] = Field(default=(), title="Seeds")
    """Each seed determines a prior sample and an order of examples."""
    vary: Annotated[dict[str, tuple[Any, ...]], BeforeValidator(_one_or_more_of_each)] = Field(
        default_factory=dict, title="Further settings"
    )
    """Any other field with its values; a dot leads into a field: {n_prompt: [5, 20], prior.c: [2,
    5]}."""
    compare_seeds: Annotated[tuple[int, ...], _Axis] = Field(default=(), title="Comparison seeds")
    """After every learning rate has been tried on the seeds above, each prior runs on these seeds
    at its own best rate."""
    target: float | None = Field(default=None, gt=0, le=1e6, title="Target loss")
    """Validation loss that steps are counted to; empty: the worst of the best losses on the same
    data."""


def parse_sweep(text: str, source: str = "the sweep") -> SweepSpec:
    """Read a sweep from YAML or JSON.

    Args:
        text: of the file.
        source: its name, for error messages.

    Raises:
        BadRequest: neither YAML nor JSON, no mapping at the top, or a wrong field.
    """
    try:
        data = parse_yaml(text)
    except ValueError as error:
        raise BadRequest(f"{source} cannot be read as YAML or JSON ({error}); correct it there.") from None
    if not isinstance(data, dict):
        raise BadRequest(
            f"{source} holds {type(data).__name__} at its top, not fields; write for example `seeds: [0, 1]`."
        )
    return SweepSpec.parse(data)


def sweep_yaml(spec: SweepSpec) -> str:
    """Return a sweep as YAML that `parse_sweep` reads back, without fields at their defaults."""
    data, plain = spec.as_json(), SweepSpec().as_json()
    given = {name: value for name, value in data.items() if value != plain[name]}
    return yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
