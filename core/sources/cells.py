"""What a cell of a table may be: text, or what has one spelling as text; anything else is named and refused."""

import datetime
import decimal
import math
from typing import Any

from core.errors import BadData, shown

Turn = dict[str, str]
"""One turn of a conversation: role and content."""


def text_of(value: Any, where: str) -> str:
    """Return a cell as text; nothing and NaN are ''.

    Args:
        value: of the cell.
        where: column and row, for the message.

    Raises:
        BadData: it is not text and has no single spelling, or is not UTF-8.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise BadData(f"{where} holds bytes that are not UTF-8 text; write the column as text.") from None
    if isinstance(value, bool | int | float | decimal.Decimal | datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    kind = {list: "a list", dict: "an object"}.get(type(value), f"a {type(value).__name__}")
    raise BadData(f"{where} holds {kind} ({shown(value)}) and no text; name a column of text.")


def answers_of(value: Any, where: str) -> list[str]:
    """Return the accepted answers of a cell: one, a list of them, or Hugging Face's `{"text": [...]}`.

    Raises:
        BadData: as `text_of`.
    """
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    return [text_of(one, where) for one in value] if isinstance(value, list) else [text_of(value, where)]
