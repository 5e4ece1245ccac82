"""Qwen 2 (biases on query, key and value) and Qwen 3 (norms of the heads), perhaps with windows."""

from typing import Any

from transformers import PreTrainedModel

from core.lm.architectures.base import Decoder, llama_block, llama_like, window_of

TYPES = ("qwen2", "qwen3")


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    return llama_like(
        model, [llama_block(layer, window=window_of(model.config, i)) for i, layer in enumerate(inner.layers)]
    )
