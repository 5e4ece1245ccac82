"""Several priors on one page: a list with one form, all of it in the address."""

from collections.abc import Sequence

import streamlit as st

from core.specs import PriorSpec, parse_prior, prior_kinds
from pages.priors_parts.history import can_step_back, remember, step_back
from pages.widgets.forms import asked_prior, prior_form, write_prior
from pages.widgets.state import View

MOST = 6
_NAMES = ("prior", *(f"prior{i}" for i in range(2, MOST + 1)))
"""Parameters of the address."""


def prior_list(view: View) -> tuple[list[PriorSpec], int]:
    """Draw a list of priors with the form of one of them.

    Returns:
        the priors, and which of them the form shows; an empty list after an error was shown.
    """
    n, key = _count(view), view.key("edited")
    st.session_state[key] = edited = min(st.session_state.get(key) or 0, n - 1)
    if n > 1:
        titles = [f"{i + 1} · {asked_prior(view, name).title}" for i, name in enumerate(_NAMES[:n])]
        st.segmented_control(
            "Priors",
            range(n),
            key=key,
            format_func=lambda i: titles[i],
            required=True,
            help="The form edits the selected prior; the table shows its points.",
        )
        edited = st.session_state[key] or 0
    priors = [prior_form(view, name) if i == edited else _kept(view, name) for i, name in enumerate(_NAMES[:n])]
    with st.container(horizontal=True):
        st.button("Add a prior", icon=":material/add:", disabled=n == MOST, on_click=_add, args=(view, n))
        back = can_step_back(view)
        st.button("Undo", icon=":material/undo:", disabled=not back, on_click=_undo, args=(view,), key=view.key("undo"))
        if n > 1:
            st.button("Remove this prior", icon=":material/delete:", on_click=_remove, args=(view, edited, n))
    valid = [prior for prior in priors if prior is not None]
    if len(valid) < n:
        return [], 0
    remember(view, tuple(valid))
    return valid, edited


def labels(priors: list[PriorSpec]) -> list[str]:
    """Return a name for each prior: its title, and of several also its number and what differs from the defaults."""
    if len(priors) == 1:
        return [priors[0].title]
    return [f"{i + 1} · {prior.title}{_told(prior)}" for i, prior in enumerate(priors)]


def _told(prior: PriorSpec) -> str:
    own = list(prior.model_dump(exclude_defaults=True, exclude={"kind"}).items())[:3]
    told = [
        f"{name.replace('_', ' ')} {value:g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}"[:30]
        for name, value in own
    ]
    return f" ({', '.join(told)})" if told else ""


def _count(view: View) -> int:
    """Return how many priors the address, or the last visit, has."""
    n = 1
    while n < MOST and view.read(_NAMES[n], ""):
        n += 1
    return n


def _kept(view: View, name: str) -> PriorSpec:
    """Return a prior whose form is not drawn, and keep it in the address."""
    prior = asked_prior(view, name)
    write_prior(view, prior, name)
    return prior


def _add(view: View, n: int) -> None:
    """Add the simplest prior that is not in the list; there are more kinds than a list can hold."""
    there = [asked_prior(view, name).kind for name in _NAMES[:n]]
    kind = next(kind for kind in prior_kinds() if kind not in there)
    write_prior(view, parse_prior(kind), _NAMES[n])
    st.session_state[view.key("edited")] = n


def _remove(view: View, which: int, n: int) -> None:
    write_priors(view, [asked_prior(view, name) for i, name in enumerate(_NAMES[:n]) if i != which])
    st.session_state[view.key("edited")] = max(0, which - 1)


def _undo(view: View) -> None:
    """Go back to the previous priors; the callback runs before the page notes what is on screen."""
    write_priors(view, step_back(view))


def write_priors(view: View, priors: Sequence[PriorSpec]) -> None:
    """Replace the list of priors, from a callback."""
    for name in _NAMES:
        view.forget(name)
    for name, prior in zip(_NAMES, priors, strict=False):
        write_prior(view, prior, name)
