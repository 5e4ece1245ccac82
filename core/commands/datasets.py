"""Data sets as a person writes them in one option: names, with a module or a path after a colon."""

from core.errors import BadRequest
from core.specs import DatasetSpec
from core.specs.dataset import dataset_fields


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
    items = filter(None, (part.strip() for part in names.split(",")))
    found = [DatasetSpec.parse({**dataset_fields(item), "samples": samples, "seed": seed}) for item in items]
    if not found:
        raise BadRequest(f"{option} is {names!r}, which names no data set; write for example squad,news,math.")
    return found
