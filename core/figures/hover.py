"""Hover texts: what is said of a point is data, and it is escaped here and nowhere else."""

import pandas as pd

from core.figures.text import show, token

Line = str | tuple[object, object, object]
"""A line of plain text, or a token between the texts in front of it and behind it."""
TEXT_ONLY = "%{hovertext}<extra></extra>"
"""Plotly's template of a trace that shows each point's text and nothing else."""
TEXT_AND_NAME = "%{hovertext}<extra>%{fullData.name}</extra>"
"""Plotly's template of a trace that shows each point's text and the name of the trace."""


def hover(*lines: Line) -> str:
    """Return the hover text of a point: the lines below each other, tokens in bold, empty lines left out."""
    return "<br>".join(show(line) if isinstance(line, str) else _in_bold(*line) for line in lines if line)


def _in_bold(before: object, word: object, after: object) -> str:
    return f"{show(before)}<b>{token(word)}</b>{show(after)}"


def token_hover(rows: pd.DataFrame) -> list[str]:
    """Return the hover text of each token in a cloud's rows.

    Args:
        rows: `token`, and `context_before`, `context_after`, `document` and `position` of tokens from texts;
            rows of a vocabulary have no context, and `token_id` instead.
    """
    if "context_before" not in rows or bool(rows["context_before"].isna().to_numpy().all()):
        return [
            hover(("", text, ""), f"token {number}")
            for text, number in zip(rows["token"], rows["token_id"], strict=True)
        ]
    columns = ("context_before", "token", "context_after", "document", "position")
    return [
        hover((before, text, after), f"document {document} · position {position}")
        for before, text, after, document, position in zip(*(rows[column] for column in columns), strict=True)
    ]
