"""The architecture map: how each family that the fast forward computes differs from Llama, one file each."""

from transformers import PreTrainedModel

from core.errors import BadRequest
from core.lm.architectures import gemma3, llama, mistral, qwen, smollm3
from core.lm.architectures.base import Block, Decoder

FAMILIES = (llama, mistral, qwen, smollm3, gemma3)
MAPPED = tuple(name for family in FAMILIES for name in family.TYPES)
"""Model types of transformers that have a map; each is held against transformers in a test."""

__all__ = ["FAMILIES", "MAPPED", "Block", "Decoder", "Unmapped", "map_decoder"]


class Unmapped(BadRequest):
    """A model that has no map, or one with a setting that its map does not cover."""


def map_decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model.

    Raises:
        Unmapped: there is none, with those there are.
    """
    name = model.config.model_type
    for family in FAMILIES:
        if name in family.TYPES:
            obstacle = family.obstacle(model.config)
            if obstacle:
                raise Unmapped(
                    f"Prompts inside blocks are not mapped for {name!r} with {obstacle}; choose method 'soft', or "
                    "another model."
                )
            return family.decoder(model)
    raise Unmapped(
        f"Prompts inside blocks are not mapped for the architecture {name!r}; mapped are: {', '.join(MAPPED)}. Choose "
        "method 'soft', which works with any causal language model, or a model of one of those."
    )
