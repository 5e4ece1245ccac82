"""What the Priors page remembers of a session: earlier lists for *Undo*, and the last sample."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.layer import Layer
from core.figures.palette import Mark
from core.specs import PriorSpec
from pages.widgets.state import View

MOST_STEPS = 50
_FAINT = 0.4
"""Opacity of the previous setting."""


@dataclass(frozen=True, eq=False)
class Placed:
    """The selected prior's sample on a map.

    Attributes:
        map_key: of the map.
        slot: the prior's number in the list, and the list's length.
        prior: the prior that was sampled.
        coordinates: (n, 2 or 3) float32.
    """

    map_key: str
    slot: tuple[int, int]
    prior: PriorSpec
    coordinates: NDArray[np.float32]

    @property
    def where(self) -> tuple[object, ...]:
        """Return what two settings must share to be compared: map, dimensions and place in the list."""
        return self.map_key, self.coordinates.shape[1], self.slot


def remember(view: View, priors: tuple[PriorSpec, ...]) -> None:
    """Note the priors on screen, unless they are those noted last."""
    steps: list[tuple[PriorSpec, ...]] = st.session_state.setdefault(view.key("history"), [])
    if not steps or steps[-1] != priors:
        steps.append(priors)
        del steps[:-MOST_STEPS]


def step_back(view: View) -> tuple[PriorSpec, ...]:
    """Forget the priors on screen and return the previous ones."""
    steps = st.session_state[view.key("history")]
    steps.pop()
    return steps[-1]


def can_step_back(view: View) -> bool:
    """Return whether there are earlier priors to go back to."""
    return len(st.session_state.get(view.key("history"), ())) > 1


def ghost(view: View, now: Placed, look: Mark) -> list[Layer]:
    """Return the selected prior's previous setting as a faint layer, while it lies on the same map.

    Args:
        view: of the page.
        now: what is drawn.
        look: how it is drawn.
    """
    key = view.key("placed")
    last, before = st.session_state.get(key, (now, None))
    if last.prior != now.prior:
        before = last
    st.session_state[key] = (now, before)
    if before is None or before.where != now.where or before.prior == now.prior:
        return []
    faint = replace(look, opacity=_FAINT, size=0.8 * look.size)
    return [Layer(f"before: {_difference(before.prior, now.prior)}", before.coordinates, "prior", mark=faint)]


def _difference(before: PriorSpec, now: PriorSpec) -> str:
    """Return in words what was different, such as 'c 5'."""
    if before.kind != now.kind:
        return before.title
    fields = [name for name in type(before).model_fields if getattr(before, name) != getattr(now, name)]
    values = [(name, getattr(before, name)) for name in fields]
    told = [f"{name.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}" for name, value in values]
    return ", ".join(told)[:60]
