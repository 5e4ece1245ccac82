"""From a sweep to its runs."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal

from core.errors import BadRequest, UnknownName
from core.specs.base import JsonObject, Spec, canonical_json
from core.specs.dataset import DatasetSpec, dataset_fields
from core.specs.describe import describe
from core.specs.prior import PriorSpec
from core.specs.reading import is_list, is_object
from core.specs.sweep import SweepSpec
from core.specs.tuning import TuningSpec

Settings = Mapping[str, Any]
"""By axis, the value of a run as a table shows it: numbers as they are, all else in words."""
MAX_CELLS = 1000
NO_REGULARISER = "none"
_KEPT_OF_DATA = ("samples", "seed", "validation_fraction")
"""Fields that a data set on an axis takes from the base's data set."""
_NOT_OF_A_GROUP = frozenset({"learning_rate", "seed"})


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        settings: its value on each axis: prior, method, data, regularisers, learning_rate, seed
            and every further setting.
        spec: the run's spec.
        stage: 'search', or 'compare' if the search chose its learning rate.
        implied: axes whose values follow from the further settings, such as the regularisers if a
            weight varies.
    """

    settings: Settings
    spec: TuningSpec
    stage: Literal["search", "compare"] = "search"
    implied: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """Return a key that runs share if they differ in learning rate and seed alone."""
        return canonical_json(self.spec.as_json(exclude=_NOT_OF_A_GROUP))

    @property
    def shown(self) -> Settings:
        """Return the settings without the implied ones."""
        return {name: value for name, value in self.settings.items() if name not in self.implied}

    @property
    def shown_of_group(self) -> Settings:
        """Return the settings that the group shares, without the implied ones."""
        return {name: value for name, value in self.shown.items() if name not in _NOT_OF_A_GROUP}


def cells_of(sweep: SweepSpec) -> list[Cell]:
    """Return a sweep's runs in the order of its axes, each run once.

    Raises:
        UnknownName: an unknown field to vary.
        BadRequest: no prior, a value out of its range, too many combinations, or a comparison seed
            that is also a search seed.
    """
    _require_sound(sweep)
    found: dict[str, TuningSpec] = {}
    for changes in itertools.product(*_changes(sweep)):
        spec = TuningSpec.parse(reduce(lambda data, change: {**data, **change}, changes, sweep.base))
        for further in itertools.product(*sweep.vary.values()):
            varied = with_fields(spec, dict(zip(sweep.vary, further, strict=True)))
            found.setdefault(varied.canonical_json(), varied)
    specs = list(found.values())
    both = {spec.seed for spec in specs} & set(sweep.compare_seeds)
    if both:
        raise BadRequest(
            f"Seed {min(both)} is among the seeds that choose the learning rate and among the comparison seeds, which "
            "would flatter that rate; compare on other seeds."
        )
    settings = _settings(sweep, specs)
    implied = _implied(settings, list(sweep.vary))
    return [Cell(own, spec, implied=implied) for own, spec in zip(settings, specs, strict=True)]


def compared_cells(sweep: SweepSpec, cells: Sequence[Cell], rates: Mapping[str, float]) -> list[Cell]:
    """Return the runs on the comparison seeds.

    Args:
        sweep: the sweep.
        cells: the runs of the search.
        rates: the chosen learning rate of each group that has one.
    """
    first = {cell.group: cell for cell in reversed(cells)}
    found: list[Cell] = []
    for group, rate in rates.items():
        for seed in sweep.compare_seeds:
            changed = {"learning_rate": rate, "seed": seed}
            spec = TuningSpec.parse({**first[group].spec.as_json(), **changed})
            found.append(
                replace(first[group], settings={**first[group].settings, **changed}, spec=spec, stage="compare")
            )
    return found


def with_fields(spec: TuningSpec, values: Mapping[str, object]) -> TuningSpec:
    """Return a spec with some fields changed.

    Args:
        spec: all other settings.
        values: by field, as the field takes them or as text; a dot leads into a field: 'prior.c'.

    Raises:
        UnknownName: an unknown field.
        BadRequest: a value out of its range.
    """
    data = spec.as_json()
    for field, value in values.items():
        path = field.split(".")
        _require_field(spec, path)
        data = _with(data, path, value)
    return TuningSpec.parse(data)


def _require_sound(sweep: SweepSpec) -> None:
    axes = (sweep.priors, sweep.methods, sweep.datasets, sweep.learning_rates, sweep.regularisers, sweep.seeds)
    if not sweep.priors and "prior" not in sweep.base and "prior" not in sweep.vary:
        raise BadRequest("The sweep names no prior; give `priors: [isotropic]`, or one in `base`.")
    for field, values in sweep.vary.items():
        if not values:
            raise BadRequest(f"No value of {field} is given; give at least one.")
    rates = len(sweep.learning_rates or (1,))
    n_search = math.prod(len(axis) or 1 for axis in (*axes, *sweep.vary.values()))
    n_cells = n_search + n_search // (rates * len(sweep.seeds or (1,))) * len(sweep.compare_seeds)
    if n_cells > MAX_CELLS:
        raise BadRequest(
            f"The sweep has {n_cells} combinations, more than the limit of {MAX_CELLS}; leave out values or split it."
        )


def _changes(sweep: SweepSpec) -> Iterator[list[JsonObject]]:
    """Yield, for each axis, the fields that each of its values sets."""
    yield [{"prior": prior} for prior in sweep.priors] or [{}]
    yield [{"method": one} if isinstance(one, str) else one for one in sweep.methods] or [{}]
    yield [{"dataset": _dataset(one, sweep.base)} for one in sweep.datasets] or [{}]
    yield [_weights(one) for one in sweep.regularisers] or [{}]
    yield [{"learning_rate": rate} for rate in sweep.learning_rates] or [{}]
    yield [{"seed": seed} for seed in sweep.seeds] or [{}]


def _dataset(one: str | JsonObject, base: JsonObject) -> JsonObject:
    inherited = base.get("dataset")
    kept = {name: inherited[name] for name in _KEPT_OF_DATA if name in inherited} if is_object(inherited) else {}
    return {**kept, **(dataset_fields(one) if isinstance(one, str) else one)}


def _weights(one: str | JsonObject) -> JsonObject:
    """Return a weight for each regulariser.

    Raises:
        BadRequest: a word other than 'none'.
        UnknownName: an unknown regulariser.
    """
    if isinstance(one, str) and one != NO_REGULARISER:
        raise BadRequest(f"Regularisers {one!r} are not weights; write none, or for example {{spread_weight: 0.1}}.")
    given = {} if isinstance(one, str) else one
    for name in given:
        if name not in TuningSpec.regularisers():
            raise UnknownName("regulariser", name, TuningSpec.regularisers())
    return {**dict.fromkeys(TuningSpec.regularisers(), 0.0), **given}


def _settings(sweep: SweepSpec, specs: Sequence[TuningSpec]) -> list[Settings]:
    datasets = _dataset_words([spec.dataset for spec in specs])
    return [
        {
            "prior": _prior_words(spec.prior),
            "method": _method_words(spec),
            "data": datasets[spec.dataset],
            "regularisers": _weight_words(spec),
            "learning_rate": spec.learning_rate,
            "seed": spec.seed,
            **{field: _shown(reduce(getattr, field.split("."), spec)) for field in sweep.vary},
        }
        for spec in specs
    ]


def _implied(settings: Sequence[Settings], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the axes whose value follows from the further settings."""
    found: list[str] = []
    for name in ("prior", "method", "data", "regularisers"):
        pairs = {(tuple(own[field] for field in varied), own[name]) for own in settings}
        if len({value for _, value in pairs}) > 1 and len({further for further, _ in pairs}) == len(pairs):
            found.append(name)
    return tuple(found)


def _dataset_words(datasets: Sequence[DatasetSpec]) -> dict[DatasetSpec, str]:
    names: dict[DatasetSpec, str] = {}
    for dataset in dict.fromkeys(datasets):
        same = sum(other.label == dataset.label for other in names)
        names[dataset] = f"{dataset.label} ({same + 1})" if same else dataset.label
    return names


def _prior_words(prior: PriorSpec) -> str:
    """Return a prior's kind and the parameters that are not at their defaults."""
    given = prior.as_json(exclude_defaults=True)
    words = [f"{name} {_shown(value)}" for name, value in given.items() if name != "kind"]
    return f"{prior.kind} ({', '.join(words)})" if words else prior.kind


def _method_words(spec: TuningSpec) -> str:
    if spec.method == "soft":
        return "soft"
    fields = TuningSpec.model_fields
    values = {name: getattr(spec, name) for name in spec.deep_fields}
    words = [
        f"{(fields[name].title or name).lower()} {_shown(value)}"
        for name, value in values.items()
        if value != fields[name].default
    ]
    return ", ".join(["deep", *words])


def _weight_words(spec: TuningSpec) -> str:
    weights = {name: getattr(spec, name) for name in spec.regularisers()}
    words = [
        f"{name.removesuffix('_weight').replace('_', ' ')} {weight:g}" for name, weight in weights.items() if weight
    ]
    return ", ".join(words) or NO_REGULARISER


def _shown(value: Any) -> Any:
    """Return a value for a table: numbers as they are, all else in words."""
    match value:
        case PriorSpec():
            return _prior_words(value)
        case DatasetSpec():
            return value.label
        case Spec():
            return value.canonical_json()
        case _ if is_object(value):
            return value.get("name") or canonical_json(value)
        case _ if is_list(value):
            return ", ".join(str(_shown(part)) for part in value)
        case _:
            return value


def _require_field(spec: TuningSpec, path: Sequence[str]) -> None:
    inside: object = spec
    for depth, name in enumerate(path):
        above = ".".join(path[:depth])
        known = [field.name for field in describe(type(inside))] if isinstance(inside, Spec) else []
        if name not in known:
            raise UnknownName("field", ".".join(path), [f"{above}.{one}" if above else one for one in known] or [above])
        inside = getattr(inside, name)


def _with(data: JsonObject, path: Sequence[str], value: object) -> JsonObject:
    """Return nested data with one value changed."""
    name, *rest = path
    return {**data, name: _with(data[name], rest, value) if rest else value}
