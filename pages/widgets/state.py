"""The state that makes a view: in the address, so that a link shows the same, and kept while other pages are open.

Streamlit keeps the widgets' values (`persist_state`). Its own binding to the address cannot carry these addresses;
`docs/decisions/0023-address-binding.md` says why.
"""

import json
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Literal, TypeVar

import streamlit as st

from core.errors import shown
from core.specs.reading import parse_json
from pages.widgets.cite import note_value
from pages.widgets.layout import plain
from pages.widgets.pages import drop

T = TypeVar("T")


class View:
    """The widgets of one owner, a page or part of one, whose values live in the address.

    A value comes from the address when the page is opened, else from the last visit, else from the default; the
    address carries only what differs from the default.
    """

    def __init__(self, page: str, address: MutableMapping[str, str] | None = None) -> None:
        """Name the owner.

        Args:
            page: its name.
            address: texts by parameter, which the values come from and go to instead of the
                browser's address; their holder then keeps the values, not the session.
        """
        self.page = page
        self.address: MutableMapping[str, str] = st.query_params if address is None else address
        self._persist: Literal["session"] | None = "session" if address is None else None

    def key(self, name: str) -> str:
        """Return the widget key of a parameter."""
        return f"{self.page}.{name}"

    def choose(self, name: str, value: Any) -> None:
        """Set a parameter's widget, from a callback or before the widget is drawn."""
        st.session_state[self.key(name)] = value

    def read(self, name: str, default: T, accepts: Callable[[Any], bool] = lambda _: True) -> T:
        """Return what a parameter starts from, if it is of the default's type and accepted."""
        raw, kept = self.address.get(name), st.session_state.get(self.key(name))
        asked = decode(raw, default)
        if asked is not None and accepts(asked):
            return asked
        start = kept if kept is not None and accepts(kept) else default
        if raw is not None:
            _not_here(name, raw, start)
        return start

    def keep(self, name: str, value: Any, default: Any) -> None:
        """Put a value that has no widget into the address, and keep it for the next visit."""
        st.session_state[self.key(name)] = value
        self.write(name, value, default)

    def write(self, name: str, value: Any, default: Any) -> None:
        """Put a value into the address, unless it is the default."""
        if value is not None and self._persist:
            note_value(name, encode(value, default))
        if value == default or value is None:
            self.address.pop(name, None)
        elif self.address.get(name) != (text := encode(value, default)):
            self.address[name] = text

    def forget(self, name: str) -> None:
        """Remove a parameter from the address and from what is kept, with its widgets."""
        self.address.pop(name, None)
        self.drop(name)

    def drop(self, name: str) -> None:
        """Drop what is kept of a parameter, so that it starts from the address again."""
        drop(self.page, name)

    def choice(
        self,
        name: str,
        label: str,
        options: Sequence[T],
        default: T | None = None,
        show: Callable[[Any], str] = str,
        free: bool = False,
        pin: bool = False,
        **look: Any,
    ) -> T:
        """Draw a select box; `free` also takes what a person types, `pin` puts even the default into the address."""
        first = options[0] if default is None else default
        value = self._seed(name, first, lambda value: free or value in options)
        if free and value not in options:
            options = [*options, value]
        look |= {"format_func": show, "accept_new_options": free}
        return self._draw(st.selectbox, name, label, options, first, None if pin else first, **look)

    def switch(self, name: str, label: str, default: bool = False, **look: Any) -> bool:
        """Draw a toggle."""
        self._seed(name, default, lambda value: isinstance(value, bool))
        return self._draw(st.toggle, name, label, None, default, default, **look)

    def segments(self, name: str, label: str, options: Mapping[T, str], **look: Any) -> T:
        """Draw a few exclusive buttons; keys are values, the first is the default."""
        first = next(iter(options))
        self._seed(name, first, lambda value: value in options)
        look |= {"format_func": lambda value: options[value], "required": True}
        return self._draw(st.segmented_control, name, label, list(options), first, first, **look)

    def steps(self, name: str, label: str, options: Sequence[T], default: T, **look: Any) -> T:
        """Draw a slider over a few values."""
        self._seed(name, default, lambda value: value in options)
        return self._draw(st.select_slider, name, label, options, default, default, **look)

    def several(self, name: str, label: str, options: Sequence[str], default: Sequence[str], **look: Any) -> list[str]:
        """Draw a multiple choice."""
        key, asked = self.key(name), self.read(name, list(default), lambda value: isinstance(value, list))
        missing = [value for value in asked if value not in options]
        if missing and name in self.address:
            _not_here(name, ", ".join(map(str, missing)), [value for value in asked if value in options])
        st.session_state[key] = [value for value in st.session_state.get(key, asked) if value in options]
        return self._draw(st.multiselect, name, label, options, [], list(default), **look)

    def number(self, name: str, label: str, default: T, low: Any = None, high: Any = None, **look: Any) -> T:
        """Draw a number field; an integer default gives an integer."""

        def accepts(value: Any) -> bool:
            return isinstance(value, int | float) and (low is None or value >= low) and (high is None or value <= high)

        self._seed(name, default, accepts)
        return self._draw(st.number_input, name, label, None, None, default, min_value=low, max_value=high, **look)

    def text(self, name: str, label: str, default: str = "", rows: int = 1, **look: Any) -> str:
        """Draw a text field of one line or several."""
        self._seed(name, default, lambda value: isinstance(value, str))
        return self._draw(st.text_input if rows == 1 else st.text_area, name, label, None, "", default, **look)

    def _draw(self, widget: Any, name: str, label: str, options: Any, empty: Any, default: Any, **look: Any) -> Any:
        """Draw a widget that was seeded, and return its value, or `empty` if it has none."""
        given = () if options is None else (options,)
        said = widget(label, *given, key=self.key(name), persist_state=self._persist, **look)
        chosen = empty if said is None else said
        self.write(name, chosen, default)
        return chosen

    def _seed(self, name: str, default: Any, accepts: Callable[[Any], bool]) -> Any:
        key = self.key(name)
        if key not in st.session_state or not accepts(st.session_state[key]):
            st.session_state[key] = self.read(name, default, accepts)
        return st.session_state[key]


def _not_here(name: str, asked: str, instead: Any) -> None:
    """Say that the address asks for something that cannot be chosen, and what is shown instead."""
    used = ", ".join(map(str, instead)) if isinstance(instead, list) else str(instead)
    words = f"The address asks for {name.replace('_', ' ')} {shown(asked)}, which cannot be chosen here; "
    st.warning(
        plain(words + (f"{used} is used instead." if used else "nothing is chosen.")), icon=":material/link_off:"
    )


def encode(value: Any, like: Any) -> str:
    """Return the text of a value: bare where reading it gives the value back, else JSON."""
    if isinstance(value, str) and decode(value, like) == value:
        return value
    return json.dumps(value, separators=(",", ":"))


def decode(raw: str | None, like: Any) -> Any:
    """Return the value of an address's text, or None if it is not of the type of `like`.

    Where `like` is an integer the value may also be a word, as a site is a number or 'final'.
    """
    if raw is None or isinstance(like, str):
        return raw
    wordy = like is None or type(like) is int
    try:
        value = parse_json(raw)
    except ValueError:
        return raw if wordy else None
    if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    same = like is None or type(value) is type(like) or (wordy and isinstance(value, str))
    return value if same else None
