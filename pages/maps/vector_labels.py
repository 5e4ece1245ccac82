"""Names beside prompt vectors on a map: which vectors a person wants named, and their nearest tokens."""

from collections.abc import Collection

from core.activations.clouds import Cloud
from core.analysis.distances import nearest_cosine
from core.array_types import Floats
from core.figures.text import token
from pages.widgets.state import View

_EVERY = "all"
_HELP = "The nearest token of a vector, by cosine, is written beside it once it is known; its number until then."


def labelled_vectors(view: View, n_prompt: int) -> Collection[int]:
    """Draw the choice of vectors that are named on the map, and return them."""
    offered = [_EVERY, *map(str, range(n_prompt))]
    chosen = view.several("named", "Label vectors", offered, [], width=190, help=_HELP)
    return range(n_prompt) if _EVERY in chosen else [int(number) for number in chosen]


def token_labels(vectors: Floats, cloud: Cloud | None, site: int, labelled: Collection[int]) -> list[str]:
    """Return what is written beside each vector.

    Args:
        vectors: (n_prompt, d_model).
        cloud: whose tokens name them; without one they have their numbers.
        site: of the vectors.
        labelled: the vectors to name; the others have an empty label.
    """
    names = [f"vector {i}" for i in range(len(vectors))]
    if cloud is not None:
        tokens = cloud.rows["token"]
        names = [token(tokens.iloc[row]) for row in nearest_cosine(vectors, cloud.points(site))[0]]
    return [name if i in labelled else "" for i, name in enumerate(names)]
