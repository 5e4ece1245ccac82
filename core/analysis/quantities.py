"""A measured number as documents and tables carry it: value, interval, the prior sample's own value, nulls, p."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.analysis.intervals import Interval

Quantity = dict[str, Any]
"""`value` (of the posterior, or of the way there), and where there are such: `low` and `high` (95 % interval), `prior`
(the prior sample's value), `nulls` (by name, each with `value` and perhaps `low` and `high`), `p`."""


@dataclass(frozen=True)
class Named:
    """A quantity and where it belongs.

    Attributes:
        group: 'quality', 'displacement', 'collapse', 'place', 'shape', 'speed' or 'worth'.
        name: within the group; `group.name` has a definition.
        site: None where it is of the whole run.
        cloud: the cloud vectors are placed in; None where there is none.
        quantity: the number.
    """

    group: str
    name: str
    site: int | None
    cloud: str | None
    quantity: Quantity


def quantity(
    value: float | Interval | None,
    prior: float | None = None,
    nulls: Mapping[str, float | Interval | None] | None = None,
    p: float | None = None,
) -> Quantity:
    """Return a quantity without what is not known; a number that is not finite is not known."""
    found: Quantity = {"value": None, **_numbers(value)}
    if (before := _number(prior)) is not None:
        found["prior"] = before
    known = {name: _numbers(null) for name, null in (nulls or {}).items() if _numbers(null)}
    if known:
        found["nulls"] = known
    if (share := _number(p)) is not None:
        found["p"] = share
    return found


def each_quantity(run: Mapping[str, Any]) -> Iterator[Named]:
    """Yield every quantity of one run's measures, as `core.jobs.measure` writes them."""
    for group in ("quality", "speed"):
        for name, found in run.get(group, {}).items():
            yield Named(group, name, None, None, found)
    for at in run.get("sites", []):
        for group in ("displacement", "collapse", "shape", "worth"):
            for name, found in at.get(group, {}).items():
                yield Named(group, name, at["site"], None, found)
        for cloud, placed in at.get("place", {}).items():
            for name, found in placed.items():
                yield Named("place", name, at["site"], cloud, found)
    for name, found in run.get("worth", {}).items():
        yield Named("worth", name, None, None, found)


def _numbers(value: float | Interval | None) -> dict[str, float]:
    fields = vars(value) if isinstance(value, Interval) else {"value": value}
    return {name: number for name, raw in fields.items() if (number := _number(raw)) is not None}


def _number(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
