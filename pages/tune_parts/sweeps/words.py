"""Names of the runs of a sweep: only what differs between them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.specs.cells import NO_REGULARISER

_NUMBERED = {"learning_rate": "rate", "seed": "seed"}


def varying(places: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of places that are not the same for all runs."""
    return [name for name in places[0] if len({place.get(name) for place in places}) > 1] if places else []


def words_of(place: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return places of these names, numbers with what they are; the first of all where there is none."""
    shown = {name: value for name, value in place.items() if name in names} or dict(list(place.items())[:1])
    return " · ".join(_word(name, value) for name, value in shown.items())


def _word(name: str, value: Any) -> str:
    if name == "regularisers" and value == NO_REGULARISER:
        return "no regulariser"
    if isinstance(value, str):
        return value
    return f"{_NUMBERED.get(name, name.replace('_', ' '))} {value:g}"


def n_runs(n: int) -> str:
    """Return a number of runs in words."""
    return "1 run" if n == 1 else f"{n} runs"
