"""Texts as token ids: what a tokenizer adds to them, and as much of a long one as is read."""

from typing import Any

_PROBE = "a"
CHARACTERS = 64
"""Per token that is wanted: of a longer text only that much is tokenised, unless it gives too
few."""


def tokens_around(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens that a tokenizer itself puts before and after every text."""
    plain, whole = tokens_of(tokenizer, _PROBE), list(tokenizer(_PROBE).input_ids)
    for start in range(len(whole) - len(plain) + 1):
        if whole[start : start + len(plain)] == plain:
            return tuple(whole[:start]), tuple(whole[start + len(plain) :])
    return (), ()


def tokens_of(tokenizer: Any, text: str, at_most: int | None = None) -> list[int]:
    """Return token ids without the tokens a tokenizer puts around a text; where bounded, the first ones."""
    if at_most is None:
        return list(tokenizer(text, add_special_tokens=False).input_ids)
    for piece in beginnings(text, at_most):
        ids = tokenizer(piece, add_special_tokens=False).input_ids
        if len(ids) > at_most or len(piece) == len(text):
            return list(ids[:at_most])
    return []


def beginnings(text: str, n_tokens: int) -> list[str]:
    """Return ever longer beginnings of a text, cut at blanks, the last one all of it.

    A tokenizer takes minutes for millions of characters without a blank, of which a few hundred
    tokens are read. Any text of usual length is all there is.
    """
    found, length = [], CHARACTERS * (n_tokens + 1)
    while length < len(text):
        blank = max(text.rfind(blank, length // 2, length) for blank in " \n")
        found.append(text[: blank if blank > 0 else length])
        length *= 8
    return [*found, text]
