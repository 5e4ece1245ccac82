"""What a study gives: picture, points and numbers; kept in a job's folder, read back, and written for people."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.io import from_json

from core.figures.page import page
from core.store.files import disk_errors, write_atomically

PICTURE, POINTS = "picture.json", "points.parquet"
ENDINGS = {"html": "html", "points": "parquet", "numbers": "json"}


@dataclass(frozen=True)
class Reproduced:
    """What a figure, table or claim of the paper came to here.

    Attributes:
        picture: as the paper draws it, same roles, same colours.
        points: one row a point on the picture, or a table's rows.
        numbers: JSON-able: what was computed, with nulls and intervals.
        caption: what was fitted on what.
    """

    picture: go.Figure
    points: pd.DataFrame
    numbers: dict[str, Any]
    caption: str


def keep(found: Reproduced, folder: Path) -> dict[str, Any]:
    """Write picture and points into a folder and return the rest, JSON-able.

    Raises:
        DiskFull: the disk is full.
    """
    with disk_errors(folder):
        write_atomically(folder / PICTURE, str(found.picture.to_json()).encode())
        found.points.to_parquet(folder / POINTS, index=False)
    return {"caption": found.caption, "numbers": found.numbers}


def recall(folder: Path, kept: dict[str, Any]) -> Reproduced:
    """Return what `keep` wrote into a folder and returned."""
    picture = from_json((folder / PICTURE).read_text(), skip_invalid=False)
    return Reproduced(go.Figure(picture), pd.read_parquet(folder / POINTS), kept["numbers"], kept["caption"])


def write(found: Reproduced, item: str, title: str, folder: Path) -> dict[str, str]:
    """Write the three files of an item into a folder.

    Args:
        found: the item.
        item: its name, which the files get.
        title: said above the picture.
        folder: that exists.

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
