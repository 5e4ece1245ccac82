"""Token text is data: escaped, and with its white space made visible."""

from collections.abc import Iterable, Sequence
from html import escape

_VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍"})


def visible(text: object) -> str:
    """Return a text for the cell of a table, where markup does not work: line breaks and tabs are seen."""
    return str(text).translate(_VISIBLE)


def show(text: object) -> str:
    """Return a text for a label: no markup works in it, line breaks and tabs are seen."""
    return escape(visible(text))


def token(text: object) -> str:
    """Return a token for a label: as `show`, with outer blanks seen."""
    raw = str(text)
    inner = raw.strip(" ")
    left = len(raw) - len(raw.lstrip(" "))
    right = len(raw) - left - len(inner)
    return show("␣" * left + inner + "␣" * right)


def in_context(
    before: Iterable[object], tokens: Iterable[object], after: Iterable[object], notes: Sequence[str] | None = None
) -> list[str]:
    """Return hover texts: each token bold between its neighbours, and a note below it.

    Args:
        before: text in front of each token.
        tokens: the tokens.
        after: text behind each token.
        notes: one more line each, escaped by this function too.
    """
    lines = [
        f"{show(left)}<b>{token(middle)}</b>{show(right)}"
        for left, middle, right in zip(before, tokens, after, strict=True)
    ]
    if notes is None:
        return lines
    return [f"{line}<br>{show(note)}" for line, note in zip(lines, notes, strict=True)]
