"""Run texts through the frozen model and hand out the residual stream at sites."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.activations.shapes import Grid
from core.activations.tokens import Corpus, pad_id
from core.array_types import Int64s
from core.lm.blocks import find_parts, watch_site
from core.lm.frozen import FrozenModel, private_copy
from core.lm.memory import MEMORY_ERRORS, is_memory, too_large
from core.specs.cloud import Site

Receive = Callable[[Site, Grid], None]
"""Told a site and the stream there."""

TOKENS_AT_ONCE = {"cpu": 4096, "mps": 8192, "cuda": 32768}
"""Tokens of a batch, padding included."""


class _Enough(Exception):
    """Stops a forward once the highest site is read."""


class SiteReader:
    """Reads sites of a private copy of a model with shared weights, so that its hooks stay private."""

    def __init__(self, frozen: FrozenModel, sites: Sequence[Site]) -> None:
        """Prepare to read sites, which are given in the order of the stream."""
        self._frozen = private_copy(frozen)
        self._parts = find_parts(self._frozen.model)
        self._sites = sites
        self._pad = pad_id(frozen.tokenizer)

    @torch.inference_mode()
    def read(self, corpus: Corpus, documents: Int64s, receive: Receive) -> None:
        """Run one batch of documents, padded on the right, up to the highest site and no further.

        A causal model needs no mask for that: no token sees what follows it. An encoder's tokens
        see each other, so padding is hidden from them, also where it counts as part of the
        documents.

        Raises:
            OutOfMemory: the device has too little memory.
        """
        device = self._frozen.device
        ids = torch.from_numpy(padded(corpus, corpus.ids, documents, self._pad)).to(device)
        inputs: dict[str, torch.Tensor | bool] = {"input_ids": ids}
        if self._frozen.causal:
            inputs["use_cache"] = False
        else:
            inputs["attention_mask"] = torch.from_numpy(padded(corpus, ~corpus.pad, documents, 0)).to(device)
        with ExitStack() as hooks:
            for site in self._sites:
                hooks.enter_context(self._hook(site, receive))
            try:
                self._parts.decoder(**inputs)
            except _Enough:
                pass
            except MEMORY_ERRORS as error:
                if not is_memory(error):
                    raise
                raise too_large(ids.shape[0], ids.shape[1], device) from error

    def _hook(self, site: Site, receive: Receive) -> Any:
        def hand_out(_: Site, stream: Grid) -> None:
            receive(site, stream)
            if site == self._sites[-1]:
                raise _Enough

        return watch_site(self._parts, site, hand_out)


def padded(corpus: Corpus, values: NDArray[Any], documents: Int64s, fill: int) -> Int64s:
    """Return (batch, pos) values of documents' tokens (n_tokens,), filled up on the right."""
    grid = np.full((len(documents), int(corpus.lengths[documents].max())), fill, dtype=np.int64)
    for row, document in enumerate(documents):
        begin, end = corpus.starts[document], corpus.starts[document + 1]
        grid[row, : end - begin] = values[begin:end]
    return grid


def token_places(corpus: Corpus, documents: Int64s) -> tuple[Int64s, Int64s]:
    """Return a batch's token numbers and their positions in its flattened (batch × pos) grid."""
    begins, lengths = corpus.starts[documents].tolist(), corpus.lengths[documents].tolist()
    width = max(lengths)
    numbers = np.concatenate([np.arange(a, a + n) for a, n in zip(begins, lengths, strict=True)])
    places = np.concatenate([np.arange(row * width, row * width + n) for row, n in enumerate(lengths)])
    return numbers, places
