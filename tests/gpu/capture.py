"""Exact moments of the stream at every site: ours against transformers' `output_hidden_states`."""

from typing import Any

import numpy as np
import torch

from core.activations.accumulate import Accumulator
from core.activations.forward import SiteReader
from core.activations.tokens import Corpus
from core.lm.frozen import FrozenModel
from core.specs.cloud import FINAL
from tests.gpu.steps import alternate


def capture_rates(frozen: FrozenModel, batch: int, n_tokens: int, repeats: int) -> dict[str, Any]:
    """Return tokens per second and peak memory of both ways; each adds all rows of all sites to their moments."""
    n_layers, device = frozen.n_layers, str(frozen.device)
    ids = np.random.default_rng(0).integers(2, frozen.n_vocabulary, (batch, n_tokens)).astype(np.int32)
    flags = np.zeros(ids.size, dtype=bool)
    starts = np.arange(batch + 1, dtype=np.int64) * n_tokens
    where = np.zeros(ids.size, dtype=np.int32)
    corpus = Corpus(ids.ravel(), starts, where, where, flags, flags, 0)
    reader = SiteReader(frozen, [*range(n_layers), FINAL])
    documents, tokens = np.arange(batch), torch.from_numpy(ids.astype(np.int64)).to(device)

    sums = [Accumulator(frozen.d_model, frozen.device) for _ in range(n_layers + 1)]

    def add(site: int | str, stream: torch.Tensor) -> None:
        sums[n_layers if site == FINAL else int(site)].add(stream.reshape(-1, stream.shape[-1]))

    def ours() -> None:
        reader.read(corpus, documents, add)

    @torch.inference_mode()
    def theirs() -> None:
        inner: Any = frozen.model.get_decoder()
        read = inner(input_ids=tokens, use_cache=False, output_hidden_states=True)
        for site, stream in enumerate(read.hidden_states):
            add(site, stream)

    found = alternate({"ours": ours, "transformers": theirs}, repeats, 1, device)
    for row in found.values():
        row["tokens_per_second"] = batch * n_tokens / row["seconds"]
    return {
        "batch": batch,
        "tokens": n_tokens,
        "sites": n_layers + 1,
        "ways": found,
        "ratio": found["transformers"]["seconds"] / found["ours"]["seconds"],
    }
