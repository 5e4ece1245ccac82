"""A small random Llama with a tokenizer of whole words or single characters, written as transformers writes one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}


def write_llama(folder: Path, tokens: Sequence[str], characters: bool, **sizes: int) -> None:
    """Write a model with seed 0.

    Args:
        folder: to write into.
        tokens: of the vocabulary, after the three special ones.
        characters: whether each character of a text is a token, or each word between spaces.
        sizes: hidden_size and the other sizes of transformers' `LlamaConfig`.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate([*SPECIAL.values(), *tokens])}
    tokenizer: Any = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    if characters:
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Split("", "isolated"), decoders.Fuse()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL).save_pretrained(folder)
    torch.manual_seed(0)
    settings: dict[str, Any] = {"bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": True, **sizes}
    config = LlamaConfig(vocab_size=len(vocabulary), max_position_embeddings=1024, **settings)
    LlamaForCausalLM(config).save_pretrained(folder)
