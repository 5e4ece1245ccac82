"""What every page is written with: errors, numbers, tables, charts, empty states."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.errors import FragmentHandledException

from core.errors import PriorscopeError, in_one_line
from core.figures.few_points import few_as_svg
from pages.widgets.steady_chart import draw_steadily

if TYPE_CHECKING:
    import pandas as pd  # takes long to import, and Overview's first picture needs none

logger = logging.getLogger(__name__)

Point = Mapping[str, Any]
"""A point of a chart's selection event: `curve_number`, `customdata` and the like."""
_DEFINED_WIDTH = 150
"""Pixels of a column of numbers in words, such as 1.09 [1.03, 1.15]."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|$~:<>&^])")
_CONFIG = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}


def plain(text: object) -> str:
    """Return text that Markdown shows as it is: names and tokens are data."""
    return _MARKDOWN.sub(r"\\\1", str(text))


@contextmanager
def errors() -> Iterator[None]:
    """Show an error of the core, or that the page failed, and go on with the rest of the page.

    Streamlit's own stops and reruns are not caught; an error that a fragment has shown is not shown
    twice.
    """
    try:
        yield
    except PriorscopeError as error:
        st.error(plain(error), icon=":material/error:")
    except FragmentHandledException:
        raise
    except Exception as error:
        logger.exception("A page failed")
        what = in_one_line(f"{type(error).__name__}: {error}")
        st.error(f"This page failed: {plain(what)}. The server's log has the details.", icon=":material/error:")


def numbers(values: Mapping[str, str], helps: Mapping[str, str] | None = None) -> None:
    """Write the numbers that qualify a picture, in one row; nothing where there are none."""
    columns = st.columns(len(values)) if values else []
    for column, (name, value) in zip(columns, values.items(), strict=True):
        column.metric(name, value, help=(helps or {}).get(name))


def table(frame: "pd.DataFrame", helps: Mapping[str, str] | None = None, **options: Any) -> None:
    """Write a table over the whole width, numbers with four digits; `helps` are shown over the heads of columns."""
    numeric, helps = set(frame.select_dtypes("floating").columns), helps or {}
    formats = {
        name: st.column_config.NumberColumn(format="%.4g", help=helps.get(name))
        if name in numeric
        else st.column_config.Column(help=helps.get(name), width=_DEFINED_WIDTH)
        for name in frame.columns
        if name in numeric or name in helps
    }
    st.dataframe(frame, hide_index=True, width="stretch", column_config=formats, **options)


def draw(figure: go.Figure, key: str, alt: str, on_point: Callable[[Point], None] | None = None, **options: Any) -> Any:
    """Draw a figure over the whole width; `on_point` is called with a point that is clicked.

    `alt` describes the chart in a sentence to those who cannot see it.
    """

    def receive() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and on_point:
            on_point(points[0])

    options = {"width": "stretch", "config": _CONFIG} | options
    if on_point:
        options |= {"on_select": receive, "selection_mode": "points"}
    return st.plotly_chart(few_as_svg(figure), key=key, alt=alt, **options)


def redraw(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure that changes while a person looks at it: as `draw`, and the chart keeps its zoom."""
    draw_steadily(few_as_svg(figure), key, alt, _CONFIG)


def empty(icon: str, title: str, text: str) -> None:
    """Say that there is nothing to see yet, and what to do."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"### :material/{icon}: {title}", text_alignment="center")
        st.markdown(f":gray[{text}]", text_alignment="center")


def counted(n: int, noun: str) -> str:
    """Return a number of things, such as '1 token' or '2,000 tokens'."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a time in words a person plans with."""
    if seconds < 1:
        return "1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(n_bytes: float) -> str:
    """Return a size on disk."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"
