"""An item of a study: picture, points and numbers, kept in a job's folder and written to files."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.io import from_json

from core.figures.page import page
from core.figures.player import place_slider
from core.store import JobFolder
from core.store.files import disk_errors, write_atomically

PICTURE, PACKED, POINTS = "picture.json", "picture.json.gz", "points.parquet"
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


def recall_picture(job: JobFolder) -> go.Figure:
    """Return the picture that `keep` wrote into a job's folder.

    Raises:
        DamagedArtifact: the file is not what it was.
    """
    packed = job.file(PACKED)
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else job.file(PICTURE).read_bytes()
    picture = from_json(text, skip_invalid=False)
    place_slider(picture)  # a study that came with the program may have been drawn by an earlier version
    return picture


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
