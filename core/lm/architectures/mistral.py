"""Mistral: Llama with a sliding window in every block, or without."""

from typing import Any

from transformers import PreTrainedModel

from core.lm.architectures.base import Decoder, llama_block, llama_like

TYPES = ("mistral",)


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    return llama_like(model, [llama_block(layer, window=model.config.sliding_window) for layer in inner.layers])
