"""Models of random weights and batches of random tokens: everything that a GPU without a network needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from peft import PromptTuningConfig, TaskType, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from core.lm.batch import IGNORED, Example, collate
from core.lm.frozen import FrozenModel
from core.lm.prompted import FastPrompted, build_prompted
from tests.benchmarks.sides import Side, Work

N_PROMPT = 20
LAST_THREE = (-3, -2, -1)
LABEL_SHARE = 4
"""One token in so many, the last ones of each example, is a label."""


def llama(hidden: int, wide: int, blocks: int, heads: int, groups: int, **others: Any) -> LlamaConfig:
    """Return a Llama with tied embeddings, whose queries share keys and values in groups."""
    sizes = {"hidden_size": hidden, "intermediate_size": wide, "num_hidden_layers": blocks}
    attention = {"num_attention_heads": heads, "num_key_value_heads": groups}
    tokens = {"tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 1}
    return LlamaConfig(**sizes, **attention, **tokens, **others)


_LLAMA_3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
_NORM = {"rms_norm_eps": 1e-5}
LLAMA_1B = llama(
    2048, 8192, 16, 32, 8, vocab_size=128_256, max_position_embeddings=131_072, rope_parameters=_LLAMA_3, **_NORM
)
_ROPE = {"rope_type": "default", "rope_theta": 100_000.0}
SMOLLM2_135M = llama(
    576, 1536, 30, 9, 3, vocab_size=49_152, max_position_embeddings=8192, rope_parameters=_ROPE, **_NORM
)
TINY = llama(64, 128, 4, 4, 2, vocab_size=97, max_position_embeddings=1024)


@dataclass(frozen=True)
class _Ids:
    input_ids: list[int]


class NoText:
    """The tokenizer of a model that reads random ids only: each text is its beginning-of-sequence token."""

    bos_token_id = 0
    pad_token_id = 1
    eos_token_id = 1

    def __call__(self, _text: str, **_options: Any) -> _Ids:
        """Return the one token that stands before every text."""
        return _Ids([self.bos_token_id])


def random_model(config: LlamaConfig, device: str, dtype: torch.dtype, seed: int = 0) -> FrozenModel:
    """Return a frozen model of random weights, the same on every device for the same seed and dtype."""
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu" if config is TINY else device):
            model: Any = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    model = model.to(device=device, dtype=dtype).eval().requires_grad_(False)
    n_layers, d_model = int(config.num_hidden_layers or 0), int(config.hidden_size or 0)
    return FrozenModel(model, NoText(), torch.device(device), dtype, "random", n_layers, d_model, config.vocab_size)


def random_work(batch: int, n_tokens: int, n_vocabulary: int, device: str, seed: int) -> Work:
    """Return a batch of random tokens, the last quarter of each example its labels, on a device."""
    ids = np.random.default_rng(seed).integers(2, n_vocabulary, (batch, n_tokens))
    labels = ids.copy()
    labels[:, : n_tokens - n_tokens // LABEL_SHARE] = IGNORED
    examples = [Example(tuple(row), tuple(known)) for row, known in zip(ids.tolist(), labels.tolist(), strict=True)]
    own_ids, own_labels = (torch.from_numpy(part).to(device) for part in (ids, labels))
    return Work(own_ids, own_labels, collate(examples).to(torch.device(device)))


def random_prompt(d_model: int, device: str, n_sites: int = 1, n_prompt: int = N_PROMPT) -> torch.Tensor:
    """Return a prompt (n_sites, n_prompt, d_model) of standard deviation 0.02."""
    drawn = np.random.default_rng(0).normal(0, 0.02, (n_sites, n_prompt, d_model)).astype(np.float32)
    return torch.from_numpy(drawn).to(device)


def soft_side(frozen: FrozenModel, n_prompt: int = N_PROMPT) -> Side:
    """Return our step of a soft prompt."""
    prompted = build_prompted(frozen)
    prompt = random_prompt(frozen.d_model, str(frozen.device), n_prompt=n_prompt).requires_grad_()
    return Side(prompt, lambda work: prompted.loss(prompt, work.batch))


def deep_side(frozen: FrozenModel, sites: Sequence[int] = LAST_THREE, n_prompt: int = N_PROMPT) -> Side:
    """Return our step of prompts before some blocks, negative ones counted from the end, cut from their outputs."""
    prompted = FastPrompted(frozen, "before_bos", [site % frozen.n_layers for site in sites], kept=False)
    prompt = random_prompt(frozen.d_model, str(frozen.device), len(sites), n_prompt).requires_grad_()
    return Side(prompt, lambda work: prompted.loss(prompt, work.batch))


def peft_side(frozen: FrozenModel) -> Side:
    """Return PEFT's step of a soft prompt; it changes the model it is given, so give it one of its own."""
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=N_PROMPT)
    model: Any = get_peft_model(frozen.model, config)
    (trained,) = (parameter for parameter in model.parameters() if parameter.requires_grad)
    with torch.no_grad():
        trained.copy_(random_prompt(frozen.d_model, str(frozen.device))[0])
    return Side(trained, lambda work: model(input_ids=work.ids, labels=work.labels).loss)
