"""One colour and one symbol per role, the same everywhere, distinct also without colour vision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

POINTS_BELOW = (
    ".js-plotly-plot .svg-container { isolation: isolate; } "
    ".js-plotly-plot .gl-container:has(> .gl-canvas) { position: absolute; top: 0; left: 0; z-index: -1; }"
)
"""CSS for every page that shows figures: Plotly lays the WebGL canvas above all other traces, where a dense cloud hides
the vectors and paths that a picture is about."""
Role = Literal["reference", "dataset", "prior", "posterior", "xavier"]


@dataclass(frozen=True)
class Mark:
    """How a role is drawn: hex colour, Plotly's symbols in two and in three dimensions, pixels of a point, opacity."""

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
    Mark("#55606E", "triangle-down", "circle", 5, 0.65),
)
"""Data sets in the order in which they were chosen; none has the hue of a role. After seven they repeat."""

SENTENCE_MARKS = (
    Mark("#0B62A4", "circle", "circle", 8, 0.95),
    Mark("#D55E00", "diamond", "diamond", 8, 0.95),
    Mark("#8E3B8A", "square", "square", 7, 0.95),
    Mark("#00846B", "triangle-up", "circle-open", 9, 0.95),
    Mark("#6B4E16", "pentagon", "diamond-open", 9, 0.95),
    Mark("#2B2F38", "hexagon", "square-open", 9, 0.95),
)
"""Trajectories of sentences, dark enough for thin lines over a grey cloud. After six they repeat."""
QUESTION = Mark("#0B5A3C", "circle", "circle", 7, 0.95)
ANSWER = Mark("#25A244", "diamond", "diamond", 9, 0.95)
ANSWER_AFTER_PROMPT = Mark("#8BB81E", "square", "square", 9, 0.95)
"""As in the paper's Figure 3: a question dark green, its answer green, an answer after a tuned prompt yellow-green."""

CONTINUOUS = "Viridis"
"""Colour scale of a number, such as the position in the document."""

_ROLES = {"reference": REFERENCE, "prior": PRIOR, "posterior": POSTERIOR, "xavier": XAVIER}


def mark(role: Role, index: int = 0) -> Mark:
    """Return how a role is drawn; `index` distinguishes data sets."""
    if role == "dataset":
        return DATASET_MARKS[index % len(DATASET_MARKS)]
    return _ROLES[role]


def prior_role(kind: str) -> Role:
    """Return the role of a kind of prior; Xavier has its own, green as in the paper."""
    return "xavier" if kind == "xavier" else "prior"


def prior_marks(kinds: Sequence[str]) -> list[Mark]:
    """Return how several priors are drawn together, by a rule that holds for kinds it does not know.

    The first of each role has its mark; the rest take the hues of data sets in turn.
    """
    marks: list[Mark] = []
    for kind in kinds:
        own = mark(prior_role(kind))
        n_others = len(marks) - len({PRIOR, XAVIER} & set(marks))
        hue = mark("dataset", n_others)
        marks.append(own if own not in marks else replace(hue, size=PRIOR.size, opacity=PRIOR.opacity))
    return marks


def faint(colour: str, opacity: float = 0.15) -> str:
    """Return a hex colour as a transparent one, for an area under a line."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
