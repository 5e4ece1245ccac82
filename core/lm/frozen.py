"""The frozen model as everything above sees it."""

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from transformers import PreTrainedModel

from core.lm.text import tokens_around


@dataclass(frozen=True)
class Abilities:
    """What the tests of a model at its loading showed (`core.lm.questions`).

    Attributes:
        no_prompt: why vectors cannot stand before its tokens; empty where they can.
        no_fast: why its own forward is taken although its blocks are mapped; empty where it is not.
        cache: whether it goes on with its own cache as if it read the whole text again.
        picks: whether `logits_to_keep` gives the logits at chosen positions.
    """

    no_prompt: str = ""
    no_fast: str = ""
    cache: bool = True
    picks: bool = True


@dataclass(frozen=True)
class FrozenModel:
    """A model in evaluation mode without gradients on its weights; jobs share it unchanged.

    Attributes:
        model: a transformers causal LM, or an encoder.
        tokenizer: its tokenizer.
        device: where it runs.
        dtype: of the weights.
        revision: names the exact weights.
        n_layers: number of blocks.
        d_model: width of the residual stream.
        n_vocabulary: rows of the embedding matrix.
        causal: whether no token sees what follows it; false for an encoder.
        abilities: what it can do besides reading ids.
    """

    model: PreTrainedModel
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype
    revision: str
    n_layers: int
    d_model: int
    n_vocabulary: int
    causal: bool = True
    abilities: Abilities = Abilities()

    @cached_property
    def beginning(self) -> tuple[int, ...]:
        """Return the tokens that the tokenizer itself puts before every text."""
        return tokens_around(self.tokenizer)[0]

    @cached_property
    def context(self) -> int | None:
        """Return how many positions the model was made for, or None where its config does not say."""
        return context_of(self.model.config)


def context_of(config: Any) -> int | None:
    """Return how many positions a config of transformers says its model was made for, or None.

    What families call it is mapped to one name by their configs, but for a few.
    """
    text = config.get_text_config()
    named = (getattr(text, name, None) for name in ("max_position_embeddings", "max_seq_len", "context_length"))
    return next((number for number in named if isinstance(number, int) and number > 0), None)


def private_copy(frozen: FrozenModel) -> FrozenModel:
    """Return a model of its own modules that shares every weight with the given one.

    Hooks on the copy do not fire in forwards of the original that other threads make.
    """
    tensors = [*frozen.model.parameters(), *frozen.model.buffers()]
    return replace(frozen, model=copy.deepcopy(frozen.model, {id(tensor): tensor for tensor in tensors}))
