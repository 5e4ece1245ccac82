"""Tokens and labels of a few examples, padded on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.lm.shapes import Ids, Labels, Lengths

IGNORED = -100
"""The label of a position that is not trained on."""


@dataclass(frozen=True)
class Example:
    """One text as the model reads it, without the beginning-of-sequence token.

    Attributes:
        ids: token ids.
        labels: for each token, itself where it is to be predicted, else `IGNORED`.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def n_labels(self) -> int:
        """Return how many tokens are to be predicted."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True)
class Batch:
    """Examples side by side.

    Padding is on the right, where a causal model's other positions cannot see it: no mask is
    needed.

    Attributes:
        ids: 0 in the padding.
        lengths: of the examples.
        example: which row of `ids` each label belongs to.
        position: of the token *before* the label, whose state predicts it; -1 is the prefix's end.
        targets: the token ids to be predicted.
    """

    ids: Ids
    lengths: Lengths
    example: Labels
    position: Labels
    targets: Labels

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(*(tensor.to(device) for tensor in vars(self).values()))

    def part(self, rows: slice) -> "Batch":
        """Return some of the examples, as wide as before; all of them are the batch itself."""
        if rows.stop - rows.start == len(self.ids):
            return self
        mine = (self.example >= rows.start) & (self.example < rows.stop)
        labels = (self.example[mine] - rows.start, self.position[mine], self.targets[mine])
        return Batch(self.ids[rows], self.lengths[rows], *labels)


def collate(examples: Sequence[Example]) -> Batch:
    """Return a batch of examples."""
    longest = max(len(example.ids) for example in examples)
    ids = np.zeros((len(examples), longest), dtype=np.int64)
    labels = np.full((len(examples), longest), IGNORED, dtype=np.int64)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        labels[row, : len(example.ids)] = example.labels
    rows, columns = np.nonzero(labels != IGNORED)
    return Batch(
        ids=torch.from_numpy(ids),
        lengths=torch.tensor([len(example.ids) for example in examples]),
        example=torch.from_numpy(rows),
        position=torch.from_numpy(columns - 1),
        targets=torch.from_numpy(labels[rows, columns]),
    )
