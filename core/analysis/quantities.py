"""A measured number as documents and tables carry it: value, interval, value of the prior sample, nulls and p."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import numpy as np

from core.analysis.intervals import Interval

BEHIND = " behind the norm"
"""Ends the names of groups that are measured as a cut prompt's block sees it."""


class Quantity(TypedDict, total=False):
    """A number of the posterior, or of the change from prior to posterior; what is unknown is left out.

    `low` and `high` are the 95 % interval, `prior` the value of the prior sample, `nulls` null
    distributions by name.
    """

    value: Required[float | None]
    low: float
    high: float
    prior: float
    nulls: dict[str, "Quantity"]
    p: float


@dataclass(frozen=True)
class Named:
    """A quantity and what it is of.

    Attributes:
        group: 'quality', 'displacement', 'collapse', 'place', 'shape', 'speed', 'attention' or
            'worth', or of a cut prompt 'collapse behind the norm' and 'place behind the norm'.
        name: within the group; `group.name` has a definition.
        site: None for the whole run.
        cloud: that vectors are compared with, or the block whose attention it is; None for none.
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
    """Return a quantity without what is unknown; a number that is not finite is unknown."""
    found = _numbers(value)
    if (before := _number(prior)) is not None:
        found["prior"] = before
    drawn = {name: _numbers(null) for name, null in (nulls or {}).items()}
    known = {name: null for name, null in drawn.items() if null["value"] is not None}
    if known:
        found["nulls"] = known
    if (share := _number(p)) is not None:
        found["p"] = share
    return found


def forget_prior(known: Quantity) -> Quantity:
    """Return a quantity without the value of the prior sample."""
    rest = known.copy()
    rest.pop("prior", None)
    return rest


def each_quantity(run: Mapping[str, Any]) -> Iterator[Named]:
    """Yield every quantity of one run's measures, as `core.jobs.measure` writes them."""
    for group in ("quality", "speed"):
        for name, found in run.get(group, {}).items():
            yield Named(group, name, None, None, found)
    for at in run.get("sites", []):
        for group in ("displacement", "collapse", "shape", "worth"):
            for name, found in at.get(group, {}).items():
                yield Named(group, name, at["site"], None, found)
        yield from _placed(at, at["site"], "")
        behind = at.get("behind_norm", {})
        for name, found in behind.get("collapse", {}).items():
            yield Named(f"collapse{BEHIND}", name, at["site"], None, found)
        yield from _placed(behind, at["site"], BEHIND)
    for block, found in run.get("attention", {}).items():
        yield Named("attention", "share", None, f"block {block}", found)
    for name, found in run.get("worth", {}).items():
        yield Named("worth", name, None, None, found)


def _placed(at: Mapping[str, Any], site: int, behind: str) -> Iterator[Named]:
    for cloud, placed in at.get("place", {}).items():
        for name, found in placed.items():
            yield Named(f"place{behind}", name, site, cloud, found)


def _numbers(value: float | Interval | None) -> Quantity:
    """Return a number with its interval, as far as they are known."""
    if not isinstance(value, Interval):
        return {"value": _number(value)}
    found: Quantity = {"value": _number(value.value)}
    if (low := _number(value.low)) is not None:
        found["low"] = low
    if (high := _number(value.high)) is not None:
        found["high"] = high
    return found


def _number(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
