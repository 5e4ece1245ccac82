"""The architecture map: how each family of the fast forward differs from Llama, one file each."""

from importlib import import_module
from types import ModuleType

from transformers import PreTrainedModel

from core.errors import BadRequest
from core.lm.architectures.base import Block, Decoder, common_obstacle

FAMILIES = ("llama", "mistral", "qwen", "smollm3", "gemma3")
"""Files of this folder, one per family; a test holds each against transformers
(docs/adding-a-model.md)."""

__all__ = ["FAMILIES", "Block", "Decoder", "Unmapped", "map_decoder", "mapped_types"]


class Unmapped(BadRequest):
    """A model without a map, or with a setting that its map does not cover."""


def mapped_types() -> dict[str, ModuleType]:
    """Return each model type of transformers that has a map, with the module of its family."""
    families = [import_module(f"{__name__}.{family}") for family in FAMILIES]
    return {name: family for family in families for name in family.TYPES}


def map_decoder(model: PreTrainedModel) -> Decoder:
    """Return the map of a model.

    Raises:
        Unmapped: there is none; the message lists the mapped types.
    """
    name, mapped = model.config.model_type, mapped_types()
    if name not in mapped:
        raise Unmapped(
            f"Prompts inside blocks are not mapped for the architecture {name!r}; mapped are: {', '.join(mapped)}. "
            "Choose method 'soft', which works with any causal language model, or a model of one of those."
        )
    if obstacle := getattr(mapped[name], "obstacle", common_obstacle)(model.config):
        raise Unmapped(
            f"Prompts inside blocks are not mapped for {name!r} with {obstacle}; choose method 'soft' or another model."
        )
    return mapped[name].decoder(model)
