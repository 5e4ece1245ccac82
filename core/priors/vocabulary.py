"""Rows of the vocabulary as they are, or the embeddings of a text: how prompt-tuning usually starts."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from core.array_types import Float32s, Float64s, Floats, Indices
from core.errors import BadRequest
from core.fits.moments import Moments, Reference
from core.priors.base import Prior, check_further, check_points, scale_facts
from core.priors.rows import draw_rows, rows_spread
from core.specs.base import JsonObject
from core.specs.prior import Further, PriorSpec, VocabularyRows


class VocabularySpec(PriorSpec, frozen=True):
    """Rows of the embedding matrix."""

    title = "Vocabulary"
    summary = "Embeddings of tokens as they are: drawn from all or the frequent ones, or those of a text."

    kind: Literal["vocabulary"] = "vocabulary"
    rows: Literal["all", "frequent", "low_ids", "text"] = Field(default="all", title="Rows")
    """all: drawn from all tokens; frequent: from the most frequent tokens in the reference cloud
    (token activations); low_ids: from the lowest token ids, a stand-in for frequent ones, since
    byte-pair tokenizers number frequent merges first; text: the tokens of a text, in order."""
    n_rows: int = Field(default=1000, ge=1, le=10_000_000, title="How many")
    """With 'frequent' and 'low_ids': how many tokens to draw from."""
    text: str = Field(default="", title="Text")
    """With 'text': repeated or cut to as many tokens as there are prompt vectors."""
    special: bool = Field(default=False, title="Special tokens")
    """Draw special and unused tokens too."""

    @property
    def reads_reference(self) -> bool:
        """Return whether the reference cloud is read: its tokens are counted, or its trace is matched."""
        return self.rows == "frequent" or super().reads_reference

    def further(self) -> tuple[Further, ...]:
        """Return the vocabulary, with counts or cut to a text as the rows need it."""
        return (VocabularyRows(self.special, self.rows == "frequent", self.text if self.rows == "text" else ""),)

    @model_validator(mode="after")
    def _check_text(self) -> Self:
        if (self.rows == "text") != bool(self.text.strip()):
            raise ValueError("rows 'text' and a text go together; give both or neither")
        return self


class Vocabulary(Prior[VocabularySpec]):
    """Vocabulary rows, each at most once while there are enough.

    Deviation: not in the paper; the usual ways of prompt-tuning to start, except that a row is not
    drawn twice.
    """

    spec_class = VocabularySpec
    rows_: Floats
    name_: str

    def fit(self, points: Floats, moments: Moments | None = None, further: Sequence[Reference] = ()) -> Self:
        """Take the rows from `further[0]`; of points (n, d) only the width counts.

        Raises:
            BadRequest: no vocabulary, one of another width, more rows asked for than it has, or no
                counts.
        """
        (vocabulary,) = check_further(self.spec, further, points.shape[1])
        check_points(vocabulary.points, least=1)
        self.name_ = vocabulary.name
        self.rows_ = vocabulary.points[self._chosen(vocabulary)]
        self.d_model_ = vocabulary.points.shape[1]
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Float32s:
        """Draw n rows: (n, d). Those of a text come in its order, whatever the generator."""
        if self.spec.rows == "text":
            return self.rows_[np.arange(n) % len(self.rows_)].astype(np.float32)
        return draw_rows(self.rows_, n, rng)

    def spread(self, n: int) -> tuple[Float64s, float]:
        """Return the mean (d,) and the total variance of the rows."""
        return rows_spread(self.rows_)

    def report(self) -> JsonObject:
        """Return how many rows there are to draw from, and their scale."""
        return {
            "rows_drawn_from": self.spec.rows,
            "n_rows": len(self.rows_),
            "vocabulary": self.name_,
            "special_tokens": self.spec.special,
            "d_model": self.d_model_,
            **scale_facts(*self.spread(1)),
        }

    def _chosen(self, vocabulary: Reference) -> Indices:
        """Return which rows can be drawn."""
        n_rows, have = self.spec.n_rows, len(vocabulary.points)
        if self.spec.rows in ("all", "text"):
            return np.arange(have)
        if self.spec.rows == "frequent":
            if vocabulary.counts is None:
                raise BadRequest(
                    "There are no texts whose tokens can be counted for the rows 'frequent'; give token activations as "
                    "the reference, or choose the rows 'low_ids'."
                )
            ranked = np.argsort(-vocabulary.counts, kind="stable")
            have = int((vocabulary.counts > 0).sum())
        else:
            ranked = np.arange(have)
        if n_rows > have:
            raise BadRequest(f"n_rows {n_rows} is above the {have} tokens that can be drawn; choose at most {have}.")
        return ranked[:n_rows]
