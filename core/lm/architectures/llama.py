"""Llama and what is saved as Llama, SmolLM 1 and 2 among them."""

from typing import Any

from transformers import PreTrainedModel

from core.lm.architectures.base import Decoder, common_obstacle, llama_block, llama_like

TYPES = ("llama",)


def obstacle(config: Any) -> str:
    """Return what of this config is not mapped; empty if all is."""
    return common_obstacle(config)


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    return llama_like(model, [llama_block(layer) for layer in inner.layers])
