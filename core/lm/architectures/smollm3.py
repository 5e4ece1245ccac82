"""SmolLM 3: Llama without rotary positions in every fourth block, or in those of the config."""

from typing import Any

from transformers import PreTrainedModel

from core.lm.architectures.base import Decoder, llama_block, llama_like, window_of

TYPES = ("smollm3",)


def decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model without an obstacle."""
    inner: Any = model.model
    config = model.config
    return llama_like(
        model,
        [
            llama_block(
                layer,
                window=window_of(config, i) if config.use_sliding_window else None,
                rope="default" if config.no_rope_layers[i] else None,
            )
            for i, layer in enumerate(inner.layers)
        ],
    )
