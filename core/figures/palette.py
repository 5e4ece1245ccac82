"""One colour and one symbol a role, everywhere the same, told apart also without colour vision."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["reference", "dataset", "prior", "posterior", "xavier"]


@dataclass(frozen=True)
class Mark:
    """How a role is drawn.

    Attributes:
        colour: hex.
        symbol: Plotly's name in two dimensions.
        symbol_3d: Plotly's name in three, where it has few.
        size: of a point in pixels.
        opacity: of a point.
    """

    colour: str
    symbol: str
    symbol_3d: str
    size: float
    opacity: float


REFERENCE = Mark("#A6ACB5", "circle", "circle", 3.5, 0.45)
PRIOR = Mark("#1F6FC4", "diamond", "diamond", 9, 0.95)
POSTERIOR = Mark("#CF2030", "x", "x", 9, 0.95)
XAVIER = Mark("#10A56B", "cross", "cross", 9, 0.95)

DATASET_MARKS = (
    Mark("#E69F00", "circle", "circle", 4.5, 0.65),
    Mark("#7B5EA7", "square", "square", 4.5, 0.65),
    Mark("#3FB6C6", "triangle-up", "circle-open", 5, 0.65),
    Mark("#8C564B", "pentagon", "square-open", 5, 0.65),
    Mark("#E377B6", "hexagon", "diamond-open", 5, 0.65),
    Mark("#A8A32A", "star-square", "diamond", 5, 0.65),
)
"""Data sets in the order they were chosen; none takes the hue of a role. After six they repeat."""

CONTINUOUS = "Viridis"
"""Scale of a number such as the position in the document."""

_ROLES = {"reference": REFERENCE, "prior": PRIOR, "posterior": POSTERIOR, "xavier": XAVIER}


def mark(role: Role, index: int = 0) -> Mark:
    """Return how a role is drawn; `index` tells data sets apart."""
    if role == "dataset":
        return DATASET_MARKS[index % len(DATASET_MARKS)]
    return _ROLES[role]
