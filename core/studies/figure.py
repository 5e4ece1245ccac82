"""An item of a study: picture, points and numbers, kept in a job's folder and written to files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures.page import page
from core.store import JobFolder
from core.store.files import disk_errors, write_atomically
from core.studies.kept_picture import PICTURE, recall_picture

POINTS = "points.parquet"
ENDINGS = {"html": "html", "points": "parquet", "numbers": "json"}


Numbers = dict[str, Any]
"""JSON-able numbers of an item, with nulls and intervals; each item documents its own keys."""


@dataclass(frozen=True)
class Reproduced:
    """A figure, table or claim of the paper, reproduced.

    Attributes:
        picture: drawn as in the paper, with the same roles and colours.
        points: one row per point of the picture, or the rows of a table.
        numbers: what was computed.
        caption: what was fitted on what.
    """

    picture: go.Figure
    points: pd.DataFrame
    numbers: Numbers
    caption: str


def keep(found: Reproduced, folder: Path) -> dict[str, object]:
    """Write picture and points into a folder and return the rest, JSON-able.

    Raises:
        DiskFull: the disk is full.
    """
    with disk_errors(folder):
        write_atomically(folder / PICTURE, str(found.picture.to_json()).encode())
        found.points.to_parquet(folder / POINTS, index=False)
    return {"caption": found.caption, "numbers": found.numbers}


def recall(job: JobFolder, caption: str, numbers: Numbers) -> Reproduced:
    """Return what `keep` wrote into a job's folder, with the caption and numbers that it returned.

    Raises:
        DamagedArtifact: a file is not what it was.
    """
    return Reproduced(recall_picture(job), pd.read_parquet(job.file(POINTS)), numbers, caption)


def write(found: Reproduced, item: str, title: str, folder: Path) -> dict[str, str]:
    """Write the three files of an item into a folder.

    Args:
        found: the item.
        item: its name, which the files get.
        title: shown above the picture.
        folder: where to write; it must exist.

    Returns:
        the files' names, by 'html', 'points' and 'numbers'.

    Raises:
        DiskFull: the disk is full.
    """
    files = {kind: f"{item}.{ending}" for kind, ending in ENDINGS.items()}
    document = {"item": item, "title": title, "caption": found.caption, **found.numbers}
    with disk_errors(folder):
        write_atomically(folder / files["html"], page(found.picture, title, found.caption).encode())
        found.points.to_parquet(folder / files["points"], index=False)
        write_atomically(folder / files["numbers"], json.dumps(document, ensure_ascii=False, indent=1).encode())
    return files
