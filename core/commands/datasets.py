"""Data sets as one option names them, with a module or a path after a colon."""

import re

from core.errors import BadRequest
from core.specs import DatasetSpec
from core.specs.dataset import DATASETS, dataset_fields


def dataset_specs(names: str, option: str, samples: str, seed: str) -> list[DatasetSpec]:
    """Return the data sets of an option's text, such as 'squad,news,math:algebra__linear_1d'.

    Names are separated by commas; after a path with a comma, by those before the name of a data set.

    Raises:
        BadRequest: no data set, a colon where none is allowed, or a wrong field of a data set.
    """
    known = "|".join(map(re.escape, DATASETS))
    parts = re.split(rf",(?=\s*(?:(?:{known})\s*(?:[:,]|$)|$))", names) if ":" in names else names.split(",")
    items = filter(None, (part.strip() for part in parts))
    found = [DatasetSpec.parse({**dataset_fields(item), "samples": samples, "seed": seed}) for item in items]
    if not found:
        raise BadRequest(f"{option} is {names!r}, which names no data set; write for example squad,news,math.")
    return found
