"""The icon of the browser tab, drawn here: named icons would be fetched from somebody else's server."""

import numpy as np
from PIL import Image

from core.figures.palette import POSTERIOR, PRIOR, REFERENCE

_SIZE = 64
_DOTS = (
    (16, 20, 9, REFERENCE),
    (44, 14, 7, REFERENCE),
    (30, 52, 7, REFERENCE),
    (24, 36, 10, PRIOR),
    (48, 42, 10, POSTERIOR),
)


def tab_icon() -> Image.Image:
    """Return a picture of a few points: reference, prior and posterior."""
    picture = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    down, right = np.mgrid[:_SIZE, :_SIZE]
    for x, y, radius, look in _DOTS:
        inside = (right - x) ** 2 + (down - y) ** 2 <= radius**2
        picture[inside] = [*(int(look.colour[i : i + 2], 16) for i in (1, 3, 5)), 255]
    return Image.fromarray(picture)
