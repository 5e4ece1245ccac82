"""Llama and what is saved as Llama, SmolLM 1 and 2 among them."""

from typing import Any

from transformers import PreTrainedModel

from core.lm.architectures.base import Decoder, llama_block, llama_like

TYPES = ("llama",)


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    return llama_like(model, [llama_block(layer) for layer in inner.layers])
