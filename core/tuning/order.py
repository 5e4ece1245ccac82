"""Which examples each step trains on."""

from collections.abc import Sequence

import numpy as np

WINDOW = 16
"""Batches that are sorted by length together: less padding, and still a random order."""


class Order:
    """Batches of similar length in a random order that depends on seed and step alone, so that any step can be resumed.

    Each epoch is a new permutation. Of a data set whose size is no multiple of the batch, other
    examples sit out in each epoch.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        """Keep what decides the order."""
        self.lengths = np.asarray(lengths)
        self.batch_size = min(batch_size, len(self.lengths))
        self.seed = seed
        self.n_batches = len(self.lengths) // self.batch_size
        self._epoch = -1
        self._batches: list[np.ndarray] = []

    def batch(self, step: int) -> list[int]:
        """Return the examples of a step, counted from 0."""
        epoch, place = divmod(step, self.n_batches)
        if epoch != self._epoch:
            self._batches, self._epoch = self._shuffle(epoch), epoch
        return self._batches[place].tolist()

    def _shuffle(self, epoch: int) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.lengths))[: self.n_batches * self.batch_size]
        batches: list[np.ndarray] = []
        for start in range(0, len(order), WINDOW * self.batch_size):
            window = order[start : start + WINDOW * self.batch_size]
            window = window[np.argsort(self.lengths[window], kind="stable")]
            batches += np.split(window, len(window) // self.batch_size)
        return [batches[i] for i in rng.permutation(len(batches))]
