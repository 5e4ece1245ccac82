"""Find tokens by their own text or the text around them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pages.activations_parts.points import Points
from pages.widgets.state import View

PLACES = {"token": "in tokens", "context": "in their context"}


@dataclass(frozen=True)
class Search:
    """What is looked for.

    Attributes:
        text: as typed; blanks count.
        place: 'token', or 'context' for the token and the text around it.
        case: whether capitals have to agree.
    """

    text: str
    place: str
    case: bool

    def found(self, points: Points) -> NDArray[np.bool_]:
        """Return (n,) which points have the text; with no text none has."""
        if not self.text:
            return np.zeros(len(points), dtype=bool)
        texts = points.frame["token"] if self.place == "token" else points.sentences
        return texts.str.contains(self.text, case=self.case, regex=False).to_numpy(dtype=bool)


def search_controls(view: View) -> Search:
    """Draw the search and return what it asks for."""
    text = view.text(
        "search", "Search", placeholder="Search a token or a text", label_visibility="collapsed", width=260
    )
    place = view.segments("place", "Where", PLACES, label_visibility="collapsed", width="content")
    case = view.switch("case", "Match case", width="content")
    return Search(text, place, case)
