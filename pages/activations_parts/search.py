"""Find tokens by their own text or the text around them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pages.activations_parts.points import Points
from pages.widgets.state import View

SCOPES = {"token": "in tokens", "context": "in their context"}


@dataclass(frozen=True)
class Search:
    """What is searched for: a text as typed, in the token alone or in its context too, with or without capitals."""

    text: str
    scope: str
    case: bool

    def found(self, points: Points) -> NDArray[np.bool_]:
        """Return (n,) which points have the text; an empty text finds none."""
        if not self.text:
            return np.zeros(len(points), dtype=bool)
        texts = points.frame["token"] if self.scope == "token" else points.sentences
        return texts.str.contains(self.text, case=self.case, regex=False).to_numpy(dtype=bool)


def search_controls(view: View) -> Search:
    """Draw the search and return what it asks for."""
    text = view.text(
        "search", "Search", placeholder="Search a token or a text", label_visibility="collapsed", width=260
    )
    scope = view.segments("place", "Search in", SCOPES, label_visibility="collapsed", width="content")
    return Search(text, scope, view.switch("case", "Match case", width="content"))
