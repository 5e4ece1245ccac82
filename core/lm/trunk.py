"""The stream entering the first prompted block, computed once per example and then read."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.lm.batch import Batch


class Trunk:
    """Streams of known examples; of others there is none."""

    def __init__(self, shared: Tensor, rows: NDArray, starts: Mapping[bytes, int]) -> None:
        """Point at what was computed.

        Args:
            shared: (n_shared, d_model), the rows before every example.
            rows: (n_tokens, d_model), the examples' tokens one after the other; may be a memory
                map.
            starts: `name` of an example → its first row.
        """
        self.shared = shared
        self.rows = rows
        self.starts = starts

    def stream(self, batch: Batch) -> Tensor | None:
        """Return the stream of a batch (n_shared + batch x pos, d_model), zeros in the padding.

        None if any of its examples is unknown.
        """
        ids, lengths = batch.ids.cpu(), batch.lengths.tolist()
        starts = [self.starts.get(name(row[:length])) for row, length in zip(ids, lengths, strict=True)]
        if None in starts:
            return None
        n_shared, n_pos = len(self.shared), ids.shape[1]
        x = self.shared.new_zeros(n_shared + ids.numel(), self.shared.shape[1], device="cpu")
        x[:n_shared] = self.shared
        for example, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            first = n_shared + example * n_pos
            x[first : first + length] = torch.from_numpy(np.array(self.rows[start : start + length]))
        return x.to(self.shared.device)


def name(ids: Tensor) -> bytes:
    """Return what an example's tokens (pos,) are looked up by."""
    return ids.numpy().tobytes()
