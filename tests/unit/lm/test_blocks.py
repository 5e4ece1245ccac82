from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    OPTConfig,
    PretrainedConfig,
    PreTrainedModel,
)

from core.errors import BadRequest
from core.lm.blocks import find_parts

SIZES: dict[str, Any] = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2}
CONFIGS = {
    "llama": LlamaConfig(**SIZES, intermediate_size=8),
    "gpt2": GPT2Config(vocab_size=11, n_embd=8, n_layer=3, n_head=2, n_positions=16, bos_token_id=1, eos_token_id=2),
    "gpt-neox": GPTNeoXConfig(**SIZES, intermediate_size=8),
    "opt": OPTConfig(**SIZES, word_embed_proj_dim=8, ffn_dim=8, max_position_embeddings=16),
    "bloom": BloomConfig(vocab_size=11, hidden_size=8, n_layer=3, n_head=2),
    "gemma2": Gemma2Config(**SIZES, intermediate_size=8, num_key_value_heads=2, head_dim=4),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_norm_of_the_last_block_is_the_last_hidden_state(name):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).eval()
    parts = find_parts(model)
    left = []
    parts.blocks[-1].register_forward_hook(
        lambda module, arguments, output: left.append(output if torch.is_tensor(output) else output[0])
    )
    with torch.no_grad():
        last = parts.decoder(input_ids=torch.tensor([[3, 4, 5]]), use_cache=False).last_hidden_state
        assert parts.final_norm is not None
        assert torch.allclose(parts.final_norm(left[0]), last, atol=1e-6)
    assert len(parts.blocks) == 3
    assert parts.embedding is model.get_input_embeddings()


class TwoStacks(PreTrainedModel):
    def __init__(self):
        super().__init__(PretrainedConfig())
        self.left = nn.ModuleList([nn.Identity(), nn.Identity()])
        self.right = nn.ModuleList([nn.Identity(), nn.Identity()])
        self.config.num_hidden_layers = 2

    def get_decoder(self):
        return self


def test_two_stacks_are_refused():
    with pytest.raises(BadRequest, match=r"one list of 2 blocks but holds 2 \(left, right\); choose"):
        find_parts(TwoStacks())
