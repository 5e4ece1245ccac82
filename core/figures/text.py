"""Token text is data: it is escaped, and its white space made visible."""

from html import escape

_VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})


def visible(text: object) -> str:
    """Return a text for a table cell, where markup has no effect: line breaks and tabs are visible."""
    return str(text).translate(_VISIBLE)


def show(text: object) -> str:
    """Return a text for a label: markup is escaped, line breaks and tabs are visible."""
    return escape(visible(text), quote=False)  # Plotly knows few entities, &quot; not among them


def token(text: object) -> str:
    """Return a token for a label: as `show`, with outer blanks visible."""
    return show(outer_blanks(text))


def outer_blanks(text: object) -> str:
    """Return a token with its outer blanks visible, not escaped."""
    raw = str(text)
    inner = raw.strip(" ")
    left = len(raw) - len(raw.lstrip(" "))
    right = len(raw) - left - len(inner)
    return "␣" * left + inner + "␣" * right
