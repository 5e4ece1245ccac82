"""One setting of a run varied: a run a value, each by its own fingerprint, and what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from core.analysis.displacement import displacement
from core.engine import client
from core.errors import BadRequest, PriorscopeError, UnknownName
from core.specs import Spec, TuningSpec
from core.specs.describe import describe
from core.store import JobFolder, Status, Store
from core.store.prompts import read_prompts


@dataclass(frozen=True)
class Cell:
    """One value's run.

    Attributes:
        value: of the varied field; a prior, model or data set as it was given.
        spec: of the run.
        job: its folder; None where the run could not be queued.
        error: why it could not.
    """

    value: Any
    spec: TuningSpec
    job: JobFolder | None = None
    error: str = ""


def grid(spec: TuningSpec, field: str, values: Sequence[Any]) -> list[TuningSpec]:
    """Return a spec for each value of one field, in their order.

    Args:
        spec: all other settings.
        field: of the spec; a dot leads into what is inside a field, as in 'prior.c' and 'dataset.seed'.
        values: as the field takes them, also as text.

    Raises:
        UnknownName: no such field.
        BadRequest: no value, a value out of its range, or two that ask for the same run.
    """
    path = field.split(".")
    _require_field(spec, path)
    if not values:
        raise BadRequest(f"No value of {field} is given; give at least one, separated by commas.")
    specs = [TuningSpec.parse(_with(spec.model_dump(mode="json"), path, value)) for value in values]
    known: dict[str, Any] = {}
    for value, cell in zip(values, specs, strict=True):
        other = known.setdefault(cell.canonical_json(), value)
        if other is not value:
            raise BadRequest(f"{field} {other} and {value} ask for the same run; give values that differ.")
    return specs


def submit_grid(spec: TuningSpec, field: str, values: Sequence[Any], store: Store, again: bool = False) -> list[Cell]:
    """Queue the run of each value; a run that is there already is not made again.

    A value whose run is refused does not keep the others from being queued.

    Args:
        spec: all other settings.
        field: see `grid`.
        values: see `grid`.
        store: the cache folder.
        again: make a further run of each.

    Raises:
        UnknownName, BadRequest: see `grid`; nothing is queued then.
    """
    cells = []
    for given, one in zip(values, grid(spec, field, values), strict=True):
        value = _shown(given, one, field)
        try:
            cells.append(Cell(value, one, client.submit("tune", one, store, again)))
        except PriorscopeError as error:
            cells.append(Cell(value, one, error=str(error)))
    return cells


def wait_grid(cells: Sequence[Cell], on_status: Callable[[JobFolder, Status], None]) -> None:
    """Follow the runs to their ends, one after the other."""
    for cell in cells:
        if cell.job:
            job = cell.job
            client.wait(job, lambda status, job=job: on_status(job, status))


def cell_row(cell: Cell) -> dict[str, Any]:
    """Return what came of a value's run.

    Returns:
        value, run, status, and as far as they are known: validation, baseline, displacement, regularisers, error.
    """
    if cell.job is None:
        return {"value": cell.value, "run": None, "status": "refused", "error": cell.error}
    status, result = cell.job.status(), cell.job.result() or {}
    row: dict[str, Any] = {"value": cell.value, "run": cell.job.id, "status": status.state}
    if status.state != "succeeded":
        return {**row, "error": status.error} if status.error else row
    moved = displacement_of(cell.job)
    found = {name: result[name] for name in ("validation", "baseline", "regularisers") if name in result}
    return {**row, **found, **({"displacement": moved} if moved else {})}


def displacement_of(job: JobFolder) -> dict[str, float] | None:
    """Return how far a run's vectors have travelled, at all its sites together; None before there is a prompt.

    Returns:
        medians over the vectors: angle (degrees), distance, norm before and after.
    """
    prompts = read_prompts(job)
    if prompts is None:
        return None
    d_model = prompts.vectors.shape[-1]
    moved = displacement(prompts.vectors[0].reshape(-1, d_model), prompts.vectors[-1].reshape(-1, d_model))
    parts = {
        "angle_median": moved.angle,
        "distance_median": moved.distance,
        "norm_before_median": moved.norm_before,
        "norm_after_median": moved.norm_after,
    }
    return {name: float(np.median(values)) for name, values in parts.items()}


def _shown(given: Any, spec: TuningSpec, field: str) -> Any:
    """Return a value as the spec has it; one that stands for a spec itself as it was given."""
    value = reduce(getattr, field.split("."), spec)
    return given if isinstance(value, Spec) else value


def _require_field(spec: TuningSpec, path: Sequence[str]) -> None:
    inside: Any = spec
    for depth, name in enumerate(path):
        above = ".".join(path[:depth])
        known = [field.name for field in describe(type(inside))] if isinstance(inside, Spec) else []
        if name not in known:
            raise UnknownName("field", ".".join(path), [f"{above}.{one}" if above else one for one in known] or [above])
        inside = getattr(inside, name)


def _with(data: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Return nested data with one value changed."""
    name, *rest = path
    return {**data, name: _with(data[name], rest, value) if rest else value}
