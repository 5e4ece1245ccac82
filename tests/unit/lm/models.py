"""Small random models of each mapped family, and batches for them."""

import hashlib
from types import SimpleNamespace
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

from core.lm.batch import IGNORED, Example, collate
from core.lm.frozen import FrozenModel

SIZES: dict[str, Any] = {
    "vocab_size": 99,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CONFIGS = {
    "llama": LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True),
    "llama tied": LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama 3": LlamaConfig(**SIZES, rope_parameters=LLAMA3_ROPE),
    "mistral": MistralConfig(**SIZES, sliding_window=None),
    "sliding mistral": MistralConfig(**SIZES, sliding_window=8),
    "qwen2": Qwen2Config(**SIZES),
    "sliding qwen2": Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=8, max_window_layers=1),
    "qwen3": Qwen3Config(**SIZES),
    "smollm3": SmolLM3Config(**SIZES, no_rope_layers=[1, 0, 1], pad_token_id=0),
    "gemma3": Gemma3TextConfig(
        **SIZES,
        sliding_window=8,
        query_pre_attn_scalar=12,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
}

NOT_FAST = {
    "gpt2": GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=128, bos_token_id=1, eos_token_id=2),
    "gelu llama": LlamaConfig(**SIZES, hidden_act="gelu"),
    "dynamic rope": LlamaConfig(**SIZES, rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}),
}


class NoBos:
    """A tokenizer that adds nothing."""

    bos_token_id = None
    eos_token_id = 2

    def __call__(self, text, add_special_tokens=True):
        return SimpleNamespace(input_ids=[5])


class WithBos(NoBos):
    """A tokenizer that puts token 1 first."""

    bos_token_id = 1

    def __call__(self, text, add_special_tokens=True):
        return SimpleNamespace(input_ids=[1, 5] if add_special_tokens else [5])


def frozen_of(config, tokenizer=None, dtype=torch.float32):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").to(dtype).eval().requires_grad_(False)
    for parameter in model.parameters():  # large enough that every part of a block matters to the loss
        parameter.copy_(torch.randn(parameter.shape) * (0.3 if parameter.dim() > 1 else 0.2) + (parameter.dim() == 1))
    width = model.get_input_embeddings().weight.shape[1]
    return FrozenModel(model, tokenizer or NoBos(), torch.device("cpu"), dtype, "r", 3, width, 99)


def batch_of(lengths, n_labels=3):
    torch.manual_seed(1)
    examples = []
    for length in lengths:
        ids = torch.randint(3, 99, (length,)).tolist()
        kept = min(n_labels, length - 1)
        examples.append(Example(tuple(ids), (*[IGNORED] * (length - kept), *ids[length - kept :])))
    return collate(examples)


def weights_hash(model):
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
