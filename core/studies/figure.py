"""A reproduced figure: picture, points and numbers, as three files."""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.store.files import disk_errors, write_atomically

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: sans-serif; color: #222; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.25rem; font-weight: 600; }}
p {{ color: #555; line-height: 1.45; }}
</style></head>
<body><h1>{title}</h1>
{picture}
<p>{caption}</p>
</body></html>
"""
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
    picture = found.picture.to_html(include_plotlyjs=True, full_html=False, config={"displaylogo": False})
    page = _PAGE.format(title=escape(f"Figure {number}. {title}"), picture=picture, caption=escape(found.caption))
    document = {"figure": number, "title": title, "caption": found.caption, **found.numbers}
    with disk_errors(folder):
        write_atomically(folder / files["html"], page.encode())
        found.points.to_parquet(folder / files["points"], index=False)
        write_atomically(folder / files["numbers"], json.dumps(document, ensure_ascii=False, indent=1).encode())
    return files
