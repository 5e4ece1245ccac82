"""From a sweep to its runs."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal

from core.errors import BadRequest, UnknownName
from core.specs.base import Spec, canonical_json
from core.specs.dataset import DatasetSpec, dataset_fields
from core.specs.describe import describe
from core.specs.prior import PriorSpec
from core.specs.sweep import SweepSpec
from core.specs.tuning import TuningSpec

MAX_CELLS = 1000
NO_REGULARISER = "none"
_KEPT_OF_DATA = ("samples", "seed", "validation_fraction")
"""What a data set on an axis takes over from the base's."""
_NOT_OF_A_GROUP = ("learning_rate", "seed")


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        place: what it is on each axis: prior, method, data, regularisers, learning_rate, seed and what else is varied.
        spec: of the run.
        stage: 'search', or 'compare' where the search chose its rate.
        implied: axes that say nothing beside the further settings, as the regularisers where a weight is varied.
    """

    place: Mapping[str, Any]
    spec: TuningSpec
    stage: Literal["search", "compare"] = "search"
    implied: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """Return what runs have in common that differ in rate and seed alone."""
        data = self.spec.as_json()
        return canonical_json({name: value for name, value in data.items() if name not in _NOT_OF_A_GROUP})

    @property
    def told(self) -> dict[str, Any]:
        """Return the places that say something."""
        return {name: value for name, value in self.place.items() if name not in self.implied}

    @property
    def names(self) -> dict[str, Any]:
        """Return the places of the group that say something."""
        return {name: value for name, value in self.told.items() if name not in _NOT_OF_A_GROUP}


def cells_of(sweep: SweepSpec) -> list[Cell]:
    """Return a sweep's runs in the order of its axes; combinations that ask for the same run are one.

    Raises:
        UnknownName: a field to vary that there is not.
        BadRequest: no prior, a value out of its range, too many combinations, or seeds of the comparison that choose
            the rate as well.
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
            f"Seed {min(both)} is among the seeds that choose the rate and among those of the comparison, which would "
            "flatter it; compare on other seeds."
        )
    places = _places(sweep, specs)
    implied = _implied(places, list(sweep.vary))
    return [Cell(place, spec, implied=implied) for place, spec in zip(places, specs, strict=True)]


def compared_cells(sweep: SweepSpec, cells: Sequence[Cell], rates: Mapping[str, float]) -> list[Cell]:
    """Return the runs on the seeds of the comparison.

    Args:
        sweep: that asks for them.
        cells: of the search.
        rates: the chosen one of each group that has one.
    """
    first = {cell.group: cell for cell in reversed(cells)}
    found = []
    for group, rate in rates.items():
        for seed in sweep.compare_seeds:
            changed = {"learning_rate": rate, "seed": seed}
            spec = TuningSpec.parse({**first[group].spec.as_json(), **changed})
            found.append(replace(first[group], place={**first[group].place, **changed}, spec=spec, stage="compare"))
    return found


def with_fields(spec: TuningSpec, values: Mapping[str, Any]) -> TuningSpec:
    """Return a spec with some fields changed.

    Args:
        spec: all other settings.
        values: by field; a dot leads into what is inside a field, as in 'prior.c'. As the field takes them, or as text.

    Raises:
        UnknownName: no such field.
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
            f"The sweep has {n_cells} combinations, more than the {MAX_CELLS} that one may have; leave out values or "
            "split it."
        )


def _changes(sweep: SweepSpec) -> Iterator[list[dict[str, Any]]]:
    """Yield for each axis the fields that each of its values sets."""
    yield [{"prior": prior} for prior in sweep.priors] or [{}]
    yield [{"method": one} if isinstance(one, str) else one for one in sweep.methods] or [{}]
    yield [{"dataset": _dataset(one, sweep.base)} for one in sweep.datasets] or [{}]
    yield [_weights(one) for one in sweep.regularisers] or [{}]
    yield [{"learning_rate": rate} for rate in sweep.learning_rates] or [{}]
    yield [{"seed": seed} for seed in sweep.seeds] or [{}]


def _dataset(one: str | dict[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    inherited = base.get("dataset")
    kept = {name: inherited[name] for name in _KEPT_OF_DATA if name in inherited} if isinstance(inherited, dict) else {}
    return {**kept, **(dataset_fields(one) if isinstance(one, str) else one)}


def _weights(one: str | dict[str, Any]) -> dict[str, Any]:
    """Return a weight for each regulariser.

    Raises:
        BadRequest: a word that is not 'none'.
        UnknownName: no such regulariser.
    """
    if isinstance(one, str) and one != NO_REGULARISER:
        raise BadRequest(f"Regularisers {one!r} are no weights; write none, or for example {{spread_weight: 0.1}}.")
    given = {} if isinstance(one, str) else one
    for name in given:
        if name not in TuningSpec.regularisers():
            raise UnknownName("regulariser", name, TuningSpec.regularisers())
    return {**dict.fromkeys(TuningSpec.regularisers(), 0.0), **given}


def _places(sweep: SweepSpec, specs: Sequence[TuningSpec]) -> list[dict[str, Any]]:
    datasets = _told_apart([spec.dataset for spec in specs])
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


def _implied(places: Sequence[Mapping[str, Any]], varied: Sequence[str]) -> tuple[str, ...]:
    """Return the axes, one value of which goes with each choice of the further settings."""
    found = []
    for name in ("prior", "method", "data", "regularisers"):
        pairs = {(tuple(place[field] for field in varied), place[name]) for place in places}
        if len({value for _, value in pairs}) > 1 and len({further for further, _ in pairs}) == len(pairs):
            found.append(name)
    return tuple(found)


def _told_apart(datasets: Sequence[DatasetSpec]) -> dict[DatasetSpec, str]:
    names: dict[DatasetSpec, str] = {}
    for dataset in dict.fromkeys(datasets):
        same = sum(other.label == dataset.label for other in names)
        names[dataset] = f"{dataset.label} ({same + 1})" if same else dataset.label
    return names


def _prior_words(prior: PriorSpec) -> str:
    """Return a prior's kind, with what is not at its default."""
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
    """Return a value for a table: a number as it is, all else in words."""
    match value:
        case PriorSpec():
            return _prior_words(value)
        case DatasetSpec():
            return value.label
        case Spec():
            return value.canonical_json()
        case dict():
            return value.get("name") or canonical_json(value)
        case tuple() | list():
            return ", ".join(str(_shown(part)) for part in value)
        case _:
            return value


def _require_field(spec: TuningSpec, path: Sequence[str]) -> None:
    inside: Any = spec
    for depth, name in enumerate(path):
        above = ".".join(path[:depth])
        known = [field.name for field in describe(type(inside))] if isinstance(inside, Spec) else []
        if name not in known:
            raise UnknownName("field", ".".join(path), [f"{above}.{one}" if above else one for one in known] or [above])
        inside = getattr(inside, name)


def _with(data: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Return nested data with one value changed."""
    name, *rest = path
    return {**data, name: _with(data[name], rest, value) if rest else value}
