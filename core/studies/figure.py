"""A reproduced figure: picture, points and numbers, as three files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures.page import page
from core.store.files import disk_errors, write_atomically

ENDINGS = {"html": "html", "points": "parquet", "numbers": "json"}


@dataclass(frozen=True)
class Reproduced:
    """What a figure of the paper came to here.

    Attributes:
        picture: as the paper draws it, same roles, same colours.
        points: one row a point on the picture.
        numbers: JSON-able: what was computed, with nulls and intervals.
        caption: what was fitted on what.
    """

    picture: go.Figure
    points: pd.DataFrame
    numbers: dict[str, Any]
    caption: str


def write(found: Reproduced, number: int, title: str, folder: Path) -> dict[str, str]:
    """Write a figure's three files into a folder.

    Args:
        found: the figure.
        number: in the paper.
        title: said above the picture.
        folder: that exists.

    Returns:
        the files' names, by 'html', 'points' and 'numbers'.

    Raises:
        DiskFull: the disk is full.
    """
    files = {kind: f"figure-{number}.{ending}" for kind, ending in ENDINGS.items()}
    shown = page(found.picture, f"Figure {number}. {title}", found.caption)
    document = {"figure": number, "title": title, "caption": found.caption, **found.numbers}
    with disk_errors(folder):
        write_atomically(folder / files["html"], shown.encode())
        found.points.to_parquet(folder / files["points"], index=False)
        write_atomically(folder / files["numbers"], json.dumps(document, ensure_ascii=False, indent=1).encode())
    return files
