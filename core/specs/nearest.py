"""Which of the stored requests is nearest to one that is not stored, and what differs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeGuard, TypeVar, cast

from core.errors import shown
from core.specs.base import Spec
from core.specs.dataset import DatasetSpec
from core.specs.model import ModelSpec

S = TypeVar("S", bound=Spec)
_TEXTS = ("name", "module", "path", "dataset", "datasets", "clouds")
"""Fields that say which texts are read."""
_LONGEST = 40
"""Characters of a value in words."""


@dataclass(frozen=True)
class Difference:
    """A field in which a stored request differs from what was asked for.

    Attributes:
        path: of the field, such as 'clouds.0.dataset.samples'.
        title: for people.
        stored: its value in the store.
        asked: its value as asked for.
    """

    path: str
    title: str
    stored: object
    asked: object

    @property
    def of_texts(self) -> bool:
        """Return whether it means other texts: another data set, or another number of them."""
        return self.path.rpartition(".")[2] in _TEXTS

    @property
    def words(self) -> str:
        """Return the difference in words, such as 'samples 150 instead of 200'."""
        return f"{self.title[:1].lower()}{self.title[1:]} {_words(self.stored)} instead of {_words(self.asked)}"


@dataclass(frozen=True)
class Nearest(Generic[S]):
    """A stored request and how it differs from what was asked for.

    Attributes:
        spec: that is stored.
        differences: a field each.
    """

    spec: S
    differences: tuple[Difference, ...]

    @property
    def of_other_texts(self) -> bool:
        """Return whether a data set differs."""
        return any(one.of_texts for one in self.differences)

    @property
    def words(self) -> str:
        """Return all differences in words, each once; a data set's are one."""
        return ", ".join(dict.fromkeys(one.words for one in _of_whole_datasets(self.differences)))


def nearest(asked: S, stored: Iterable[S]) -> Nearest[S] | None:
    """Return the stored request of the same model and kind that differs in the fewest fields, or None.

    Those on the same data sets come before all others.

    Requests that name no model of their own, such as those on two runs, stand for themselves alone.

    Args:
        asked: what is not stored.
        stored: requests, the newest first; of several that are as near it is the first.
    """
    model = _model(asked)
    same = [one for one in stored if model and type(one) is type(asked) and _model(one) == model]
    found = [Nearest(one, tuple(differences(asked, one))) for one in same]
    return min(found, key=lambda one: (one.of_other_texts, len(one.differences)), default=None)


def holds(stored: Sequence[int | str] | str, asked: Sequence[int | str] | str) -> bool:
    """Return whether sites are among those that are stored, where 'all' stands for every site."""
    return stored == "all" or (asked != "all" and set(asked) <= set(stored))


def differences(asked: Spec, stored: Spec, path: str = "") -> Iterator[Difference]:
    """Yield the fields in which two specs of one class differ, in the order of the fields.

    Sites that are stored beside those asked for are no difference.
    """
    for name, field in type(asked).model_fields.items():
        mine, other = getattr(asked, name), getattr(stored, name)
        if isinstance(asked, DatasetSpec) and isinstance(stored, DatasetSpec) and name == "name":
            mine, other = asked.label, stored.label
        yield from _compared(mine, other, f"{path}{name}", field.title or name.replace("_", " ").capitalize())


def _compared(asked: Any, stored: Any, path: str, title: str) -> Iterator[Difference]:
    if asked == stored or (path.rpartition(".")[2] == "sites" and holds(stored, asked)):
        return
    if isinstance(asked, Spec) and type(asked) is type(stored):
        yield from differences(asked, stored, f"{path}.")
    elif _are_specs(asked) and _are_specs(stored) and len(asked) == len(stored):
        for i, (one, other) in enumerate(zip(asked, stored, strict=True)):
            yield from _compared(one, other, f"{path}.{i}", title)
    else:
        yield Difference(path, title, stored, asked)


def _are_specs(value: object) -> TypeGuard[tuple[Spec, ...]]:
    parts = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
    return bool(parts) and all(isinstance(one, Spec) for one in parts)


def _model(spec: Spec) -> tuple[str, str | None] | None:
    """Return name and revision of a request's model."""
    model = getattr(spec, "model", None)
    return (model.name, model.revision) if isinstance(model, ModelSpec) else None


def _of_whole_datasets(found: Sequence[Difference]) -> list[Difference]:
    """Leave out what only follows from another data set: its module, difficulty and file."""
    others = {one.path.removesuffix("name") for one in found if one.path.endswith("dataset.name")}
    follows = {f"{path}{name}" for path in others for name in ("module", "difficulty", "path")}
    return [one for one in found if one.path not in follows]


def _words(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case None:
            return "none"
        case float():
            return f"{value:g}"
        case int():
            return f"{value:,}"
        case DatasetSpec():
            return value.label
        case Spec():
            named = getattr(value, "dataset", None)
            return named.label if isinstance(named, DatasetSpec) else shown(value)
        case tuple():
            return ", ".join(map(_words, cast("tuple[object, ...]", value))) or "none"
        case _:
            text = str(value)
            return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
