"""Texts as the model reads them: the token ids of all documents, and facts about each token."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.array_types import Bools, Int64s
from core.errors import BadData, BadRequest
from core.lm.text import beginnings
from core.specs.cloud import TokenFilter

TEXTS_AT_ONCE = 256
PADDED_TOGETHER = 8
"""Documents, in the data's order, that are padded to their longest where padding is kept."""


@dataclass(frozen=True)
class Corpus:
    """Every token of every document, one document after the other.

    Attributes:
        ids: (n,) token ids.
        starts: (n_documents + 1,) where each document begins; the last entry is n.
        text_start: (n,) first character of the token in its document's text.
        text_end: (n,) character after its last; equal to `text_start` where the text does not hold
            the token.
        special: (n,) reserved by the tokenizer, or padding.
        pad: (n,) padding.
        n_truncated: documents cut at the longest length.
    """

    ids: NDArray[np.int32]
    starts: Int64s
    text_start: NDArray[np.int32]
    text_end: NDArray[np.int32]
    special: Bools
    pad: Bools
    n_truncated: int

    @property
    def lengths(self) -> Int64s:
        """Return the number of tokens of each document."""
        return np.diff(self.starts)

    @property
    def first(self) -> Bools:
        """Return (n,) whether a token is the first of its document."""
        first = np.zeros(len(self.ids), dtype=bool)
        first[self.starts[:-1][self.lengths > 0]] = True
        return first

    def document_of(self, tokens: Int64s) -> Int64s:
        """Return the document number of each token number."""
        return np.searchsorted(self.starts, tokens, side="right") - 1


def tokenise(
    texts: Sequence[str], tokenizer: Any, max_length: int, keep_pad: bool, tick: Callable[[int], None]
) -> Corpus:
    """Tokenise documents as the model sees them, with the special tokens of the tokenizer.

    Args:
        texts: of the documents.
        tokenizer: a fast one.
        max_length: tokens after which a document is cut.
        keep_pad: whether padding is part of the documents.
        tick: told the number of documents done.

    Raises:
        BadRequest: a tokenizer that cannot say where in the text a token stands.
    """
    if not tokenizer.is_fast:
        raise BadRequest(
            f"The tokenizer {type(tokenizer).__name__} does not say where a token is in its text; "
            "save a fast one (tokenizer.json) beside the weights."
        )
    pieces, n_truncated = [], 0
    for piece, truncated in _pieces(texts, tokenizer, max_length, tick):
        pieces.append(piece)
        n_truncated += truncated
    if keep_pad:
        pieces = _padded(pieces, pad_id(tokenizer))
    flat = np.concatenate([*pieces, np.empty((0, 4), dtype=np.int32)])
    pad = flat[:, 3].astype(bool)
    return Corpus(
        ids=np.ascontiguousarray(flat[:, 0]),
        starts=np.cumsum([0, *map(len, pieces)], dtype=np.int64),
        text_start=np.ascontiguousarray(flat[:, 1]),
        text_end=np.ascontiguousarray(flat[:, 2]),
        special=np.isin(flat[:, 0], special_ids(tokenizer)) | pad,
        pad=pad,
        n_truncated=n_truncated,
    )


def special_ids(tokenizer: Any) -> list[int]:
    """Return the ids that the tokenizer adds or reserves."""
    added = [number for number, token in tokenizer.added_tokens_decoder.items() if token.special]
    return sorted({*tokenizer.all_special_ids, *added})


def pad_id(tokenizer: Any) -> int:
    """Return the id that pads a batch; without one any will do, as no token sees what follows it."""
    candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
    return next(number for number in candidates if number is not None)


def kept_tokens(corpus: Corpus, tokens: TokenFilter) -> Bools:
    """Return (n,) which tokens pass the filter, sinks aside.

    Raises:
        BadData: none does.
    """
    kept = np.ones(len(corpus.ids), dtype=bool)
    if not tokens.special:
        kept &= ~corpus.special | corpus.pad
    if not tokens.pad:
        kept &= ~corpus.pad
    if not tokens.first_position:
        kept &= ~corpus.first
    if not kept.any():
        raise BadData(
            f"None of the {len(kept)} tokens of {len(corpus.starts) - 1} documents passes the token filter; "
            "keep special or first tokens, or choose longer texts."
        )
    return kept


def draw_rows(kept: Bools, n_rows: int, seed: int) -> Int64s:
    """Return the numbers of a seeded sample of the kept tokens, ascending; at most all of them."""
    numbers = np.flatnonzero(kept)
    if len(numbers) <= n_rows:
        return numbers
    return np.sort(np.random.default_rng(seed).choice(numbers, n_rows, replace=False))


def length_buckets(lengths: Int64s, budget: int) -> list[Int64s]:
    """Return batches of document numbers of like length (n_documents,), the longest first; none of empty documents.

    A batch has at most `budget` tokens, padding included; a longer document is a batch of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    batches, begin = [], 0
    while begin < len(order):
        n_documents = max(1, budget // int(lengths[order[begin]]))
        batches.append(order[begin : begin + n_documents])
        begin += n_documents
    return batches


def _pieces(
    texts: Sequence[str], tokenizer: Any, max_length: int, tick: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.int32], bool]]:
    for begin in range(0, len(texts), TEXTS_AT_ONCE):
        tick(begin)
        chunk = [beginnings(text, max_length) for text in texts[begin : begin + TEXTS_AT_ONCE]]
        encoded = tokenizer([longer[0] for longer in chunk], return_offsets_mapping=True)
        for longer, ids, offsets in zip(chunk, encoded["input_ids"], encoded["offset_mapping"], strict=True):
            for text in longer[1:]:
                if len(ids) <= max_length:
                    ids, offsets = _encode(tokenizer, text)
            piece = np.zeros((min(len(ids), max_length), 4), dtype=np.int32)
            piece[:, 0] = ids[:max_length]
            if len(piece):
                piece[:, 1:3] = offsets[:max_length]
                _place_added_tokens(piece)
            yield piece, len(ids) > max_length
    tick(len(texts))


def _encode(tokenizer: Any, text: str) -> tuple[Any, Any]:
    encoded = tokenizer(text, return_offsets_mapping=True)
    return encoded["input_ids"], encoded["offset_mapping"]


def _place_added_tokens(piece: NDArray[np.int32]) -> None:
    """Move tokens that are not in the text to where they follow; tokenizers report (0, 0)."""
    ends = np.maximum.accumulate(piece[:, 2])
    absent = piece[:, 1] == piece[:, 2]
    piece[absent, 1] = piece[absent, 2] = ends[absent]


def _padded(pieces: list[NDArray[np.int32]], number: int) -> list[NDArray[np.int32]]:
    padded = []
    for begin in range(0, len(pieces), PADDED_TOGETHER):
        together = pieces[begin : begin + PADDED_TOGETHER]
        longest = max(map(len, together))
        for piece in together:
            end = piece[-1, 2] if len(piece) else 0
            tail = np.tile(np.array([number, end, end, 1], dtype=np.int32), (longest - len(piece), 1))
            padded.append(np.concatenate([piece, tail]))
    return padded
