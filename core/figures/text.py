"""Token text is data: escaped, and with its white space made visible."""

from html import escape

_VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})


def visible(text: object) -> str:
    """Return a text for the cell of a table, where markup does not work: line breaks and tabs are seen."""
    return str(text).translate(_VISIBLE)


def show(text: object) -> str:
    """Return a text for a label: no markup works in it, line breaks and tabs are seen."""
    return escape(visible(text), quote=False)  # Plotly knows few entities, &quot; not among them


def token(text: object) -> str:
    """Return a token for a label: as `show`, with outer blanks seen."""
    return show(outer_blanks(text))


def outer_blanks(text: object) -> str:
    """Return a token with its outer blanks seen, not escaped."""
    raw = str(text)
    inner = raw.strip(" ")
    left = len(raw) - len(raw.lstrip(" "))
    right = len(raw) - left - len(inner)
    return "␣" * left + inner + "␣" * right
