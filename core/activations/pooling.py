"""What a point of a cloud is: a token, or the mean over a document's tokens."""

from dataclasses import dataclass

import numpy as np
import torch

from core.activations.shapes import Points, TokenNumbers, TokenStates
from core.activations.tokens import Corpus
from core.array_types import Bools, Int64s


@dataclass(frozen=True)
class Tokens:
    """Each kept token is a point.

    Attributes:
        kept: (n_tokens,) which tokens count.
    """

    kept: Bools

    @property
    def there(self) -> Bools:
        """Return which of all points there are, (n_tokens,)."""
        return self.kept

    def points(self, numbers: TokenNumbers, states: TokenStates) -> TokenStates:
        """Return the points of a batch's kept tokens."""
        return states

    def names(self, numbers: TokenNumbers) -> Int64s:
        """Return the number of each of a batch's points."""
        return numbers


@dataclass(frozen=True)
class DocumentMeans:
    """The mean over a document's kept tokens is a point; a document is never split over batches.

    Source: Figure 5 of the paper.

    Attributes:
        kept: (n_tokens,) which tokens count.
        corpus: that the tokens are of.
    """

    kept: Bools
    corpus: Corpus

    @property
    def there(self) -> Bools:
        """Return which documents have a kept token, (n_documents,)."""
        there = np.zeros(len(self.corpus.starts) - 1, dtype=bool)
        there[self.corpus.document_of(np.flatnonzero(self.kept))] = True
        return there

    def points(self, numbers: TokenNumbers, states: TokenStates) -> Points:
        """Return the float32 means of a batch's kept tokens, in the order of `names`."""
        _, owners, counts = np.unique(self.corpus.document_of(numbers), return_inverse=True, return_counts=True)
        device = states.device
        sums = torch.zeros(len(counts), states.shape[1], device=device)
        sums.index_add_(0, torch.from_numpy(owners).to(device), states.float())
        return sums / torch.from_numpy(counts).to(device, torch.float32)[:, None]

    def names(self, numbers: TokenNumbers) -> Int64s:
        """Return the documents of a batch, ascending."""
        return np.unique(self.corpus.document_of(numbers))


Pooling = Tokens | DocumentMeans
