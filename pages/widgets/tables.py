"""Downloads of tables: one button per table, with CSV and Parquet behind it.

Nothing is written before the button is pressed.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Literal

import pandas as pd
import streamlit as st

from core.analysis.quantities import Quantity

Width = Literal["content", "stretch"]
PARQUET = "application/vnd.apache.parquet"


def download(
    name: str, frame: pd.DataFrame | Callable[[], pd.DataFrame], file: str, key: str = "", width: Width = "content"
) -> None:
    """Offer a table, or a function that makes it on demand, as CSV and as Parquet.

    `key` tells apart tables of one file name on a page.
    """
    with st.popover(name, icon=":material/download:", width=width):
        for title, ending, mime, written in (("CSV", "csv", "text/csv", csv), ("Parquet", "parquet", PARQUET, parquet)):
            st.download_button(
                f"{name} ({title})",
                lambda written=written: written(frame() if callable(frame) else frame),
                f"{file}.{ending}",
                mime,
                key=f"download.{key or file}.{ending}",
                on_click="ignore",
                width="stretch",
            )


def number_words(numbers: Quantity) -> str:
    """Return a number in words, with its interval and p."""
    value = numbers.get("value")
    bounds = [f"{bound:.3g}" if bound is not None else "" for bound in (numbers.get("low"), numbers.get("high"))]
    interval = f" [{bounds[0]}, {bounds[1]}]" if all(bounds) else f" (after {bounds[0]})" if bounds[0] else ""
    share = f", p {numbers['p']:.2g}" if "p" in numbers else ""
    return ("not reached" if value is None else f"{value:.4g}") + interval + share


def csv(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV."""
    return frame.to_csv(index=False).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as Parquet; a column of values of several types is text there."""
    mixed = [
        name for name, column in frame.items() if column.dtype == object and column.dropna().map(type).nunique() > 1
    ]
    one_type = frame.astype(dict.fromkeys(mixed, "string"))
    with BytesIO() as file:
        one_type.set_axis([str(name) for name in frame.columns], axis=1).to_parquet(file, index=False)
        return file.getvalue()
