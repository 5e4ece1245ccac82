"""The picture of an item as its job's folder keeps it. Free of pandas, since Overview's first picture waits for it."""

import gzip
import json
from typing import Any

import plotly.graph_objects as go

from core.figures.few_points import few_as_svg
from core.figures.player import place_slider
from core.figures.style import BESIDE_POINTS
from core.store import JobFolder

PICTURE, PACKED = "picture.json", "picture.json.gz"


def recall_picture(job: JobFolder) -> go.Figure:
    """Return the picture that `core.studies.figure.keep` wrote into a job's folder.

    It was validated when it was drawn, and the folder's checksums say that it has not changed since.

    Raises:
        DamagedArtifact: the file is not what it was.
    """
    packed = job.file(PACKED)
    text = gzip.decompress(packed.read_bytes()) if packed.exists() else job.file(PICTURE).read_bytes()
    picture = few_as_svg(go.Figure(_as_drawn_now(json.loads(text)), _validate=False))
    place_slider(picture)
    return picture


def _as_drawn_now(told: dict[str, Any]) -> dict[str, Any]:
    """Return a picture, changed in place, whose words an earlier version drew too dark for a dark page."""
    for trace in told["data"]:
        colour = trace.get("textfont", {}).get("color")
        if colour is not None and colour == trace.get("marker", {}).get("color"):
            trace["textfont"] = BESIDE_POINTS
    return told
