"""Data sets as a person writes them in one option: names, with a module or a path after a colon."""

from core.errors import BadRequest
from core.specs import DatasetSpec

_WITH_DETAIL = {"math": "module", "file": "path", "squad": "path", "c4": "path"}
"""What may follow the name of a data set and a colon."""


def dataset_specs(names: str, option: str, samples: str, seed: str) -> list[DatasetSpec]:
    """Return the data sets of a text such as 'squad,news,math:algebra__linear_1d'.

    Args:
        names: separated by commas.
        option: that took the text, for what is said of it.
        samples: of each.
        seed: of each.

    Raises:
        BadRequest: none, a data set that takes nothing after a colon, or a field of a data set is wrong.
    """
    found = []
    for item in filter(None, (part.strip() for part in names.split(","))):
        name, colon, detail = item.partition(":")
        if colon and name not in _WITH_DETAIL:
            raise BadRequest(
                f"The data set {item!r} has something after a colon, which only {', '.join(_WITH_DETAIL)} take; "
                f"write {name!r}."
            )
        more = {_WITH_DETAIL[name]: detail} if colon else {}
        found.append(DatasetSpec.parse({"name": name, "samples": samples, "seed": seed, **more}))
    if not found:
        raise BadRequest(f"{option} is {names!r}, which names no data set; write for example squad,news,math.")
    return found
