"""The state that makes a view: in the address, so that a link shows the same, and kept while other pages are open."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from core.store import Store
from pages.widgets.cite import VALUES
from pages.widgets.layout import plain

T = TypeVar("T")


def open_store() -> Store:
    """Return the cache folder of this app."""
    return Store.default()


class View:
    """The widgets of one page whose values live in the address.

    A value comes from the address when the page is opened, else from the last visit, else from the default; the
    address carries only what differs from the default.
    """

    def __init__(self, page: str, shared: str = "") -> None:
        """Name the page; views with the same `shared` name keep their values together."""
        self.page = page
        self._kept: dict[str, Any] = st.session_state.setdefault(f"kept.{shared or page}", {})

    def key(self, name: str) -> str:
        """Return the widget key of a parameter."""
        return f"{self.page}.{name}"

    def read(self, name: str, default: T, accepts: Callable[[Any], bool] = lambda _: True) -> T:
        """Return what a parameter starts from, if it is of the default's type and accepted."""
        raw = st.query_params.get(name)
        asked, kept = _decode(raw, default), self._kept.get(name)
        if asked is not None and accepts(asked):
            return asked
        start = kept if kept is not None and accepts(kept) else default
        if raw is not None:
            _not_here(name, raw, start)
        return start

    def write(self, name: str, value: Any, default: Any) -> None:
        """Put a value into the address, unless it is the default, and keep it for the next visit."""
        self._kept[name] = value
        if value is not None:
            st.session_state.setdefault(VALUES, {})[name] = _encode(value, default)
        if value == default or value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != (text := _encode(value, default)):
            st.query_params[name] = text

    def forget(self, name: str) -> None:
        """Take a parameter out of the address and out of what is kept, with the widgets that stand for it."""
        self._kept.pop(name, None)
        st.query_params.pop(name, None)
        for key in [key for key in st.session_state if str(key).startswith(f"{self.key(name)}.")]:
            del st.session_state[key]

    def choice(
        self,
        name: str,
        label: str,
        options: Sequence[T],
        default: T | None = None,
        show: Callable[[Any], str] = str,
        free: bool = False,
        pin: bool = False,
        **options_of_widget: Any,
    ) -> T:
        """Draw a select box; `free` also takes what a person types, `pin` puts even the default into the address."""
        first = options[0] if default is None else default
        value = self._seed(name, first, lambda value: free or value in options)
        if free and value not in options:
            options = [*options, value]
        chosen: Any = st.selectbox(
            label, options, key=self.key(name), format_func=show, accept_new_options=free, **options_of_widget
        )
        chosen = first if chosen is None else chosen
        self.write(name, chosen, None if pin else first)
        return chosen

    def switch(self, name: str, label: str, default: bool = False, **options: Any) -> bool:
        """Draw a toggle."""
        self._seed(name, default, lambda value: isinstance(value, bool))
        chosen = st.toggle(label, key=self.key(name), **options)
        self.write(name, chosen, default)
        return chosen

    def segments(self, name: str, label: str, options: Mapping[T, str], **options_of_widget: Any) -> T:
        """Draw a few exclusive buttons; keys are values, the first is the default."""
        first = next(iter(options))
        self._seed(name, first, lambda value: value in options)
        chosen = st.segmented_control(
            label,
            list(options),
            key=self.key(name),
            format_func=lambda value: options[value],
            required=True,
            **options_of_widget,
        )
        chosen = first if chosen is None else chosen
        self.write(name, chosen, first)
        return chosen

    def several(
        self, name: str, label: str, options: Sequence[str], default: Sequence[str], **options_of_widget: Any
    ) -> list[str]:
        """Draw a multiple choice."""
        start = self.read(name, list(default), lambda value: isinstance(value, list))
        missing = [value for value in start if value not in options]
        start = [value for value in start if value in options]
        if missing and st.query_params.get(name) is not None:
            _not_here(name, ", ".join(map(str, missing)), start)
        if self.key(name) not in st.session_state:
            st.session_state[self.key(name)] = start
        st.session_state[self.key(name)] = [v for v in st.session_state[self.key(name)] if v in options]
        chosen = st.multiselect(label, options, key=self.key(name), **options_of_widget)
        self.write(name, chosen, list(default))
        return chosen

    def number(self, name: str, label: str, default: T, low: Any = None, high: Any = None, **options: Any) -> T:
        """Draw a number field; an integer default gives an integer."""

        def accepts(value: Any) -> bool:
            return isinstance(value, int | float) and (low is None or value >= low) and (high is None or value <= high)

        self._seed(name, default, accepts)
        chosen: Any = st.number_input(label, low, high, key=self.key(name), **options)
        self.write(name, chosen, default)
        return chosen

    def text(self, name: str, label: str, default: str = "", **options: Any) -> str:
        """Draw a text field."""
        self._seed(name, default, lambda value: isinstance(value, str))
        chosen = st.text_input(label, key=self.key(name), **options) or ""
        self.write(name, chosen, default)
        return chosen

    def area(self, name: str, label: str, default: str = "", **options: Any) -> str:
        """Draw a text field of several lines."""
        self._seed(name, default, lambda value: isinstance(value, str))
        chosen = st.text_area(label, key=self.key(name), **options) or ""
        self.write(name, chosen, default)
        return chosen

    def _seed(self, name: str, default: Any, accepts: Callable[[Any], bool]) -> Any:
        key = self.key(name)
        if key not in st.session_state or not accepts(st.session_state[key]):
            st.session_state[key] = self.read(name, default, accepts)
        return st.session_state[key]


def _not_here(name: str, asked: str, instead: Any) -> None:
    """Say that the address asks for something that cannot be chosen, and what is shown in its place."""
    used = ", ".join(map(str, instead)) if isinstance(instead, list) else str(instead)
    words = f"The address asks for {name.replace('_', ' ')} {asked!r}, which cannot be chosen here; "
    st.warning(
        plain(words + (f"{used} is used instead." if used else "nothing is chosen.")), icon=":material/link_off:"
    )


def _encode(value: Any, like: Any) -> str:
    """Return the text of a value: bare where reading it gives the value back, else JSON."""
    if isinstance(value, str) and _decode(value, like) == value:
        return value
    return json.dumps(value, separators=(",", ":"))


def _decode(raw: str | None, like: Any) -> Any:
    """Return the value of an address's text, or None if it is not of the type of `like`.

    Where `like` is an integer the value may also be a word, as a site is a number or 'final'.
    """
    if raw is None or isinstance(like, str):
        return raw
    wordy = like is None or type(like) is int
    try:
        value = json.loads(raw)
    except ValueError:
        return raw if wordy else None
    if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    same = like is None or type(value) is type(like) or (wordy and isinstance(value, str))
    return value if same else None
