"""The attention that prompt vectors get, held against transformers' own (eager) attention weights."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from core.lm.batch import Example, collate
from core.lm.prompt_attention import prompt_attention
from core.lm.prompted import FastPrompted
from tests.unit.lm.models import CONFIGS, NoBos, WithBos, frozen_of

TEXTS = [(5, 6, 7, 8, 9), (10, 11, 12)]
BATCH = collate([Example(ids, ids) for ids in TEXTS])
N_BLOCKS, N_PROMPT = 3, 4


def vectors(n_sites=1):
    torch.manual_seed(3)
    return torch.randn(n_sites, N_PROMPT, 32)


def eager(frozen):
    model = AutoModelForCausalLM.from_config(frozen.model.config, attn_implementation="eager").eval()
    model.load_state_dict(frozen.model.state_dict())
    return model


def oracle(frozen, prompt, sites, position):
    """Return (n_blocks, n_prompt): one text at a time, a prompt of a later site put in its place by a hook."""
    model, total = eager(frozen), torch.zeros(N_BLOCKS, N_PROMPT)
    embed = model.get_input_embeddings()
    bos = embed(torch.tensor([1])) if frozen.tokenizer.bos_token_id else embed.weight[:0]
    first = len(bos) if position == "after_bos" else 0
    for i, site in enumerate(sites[1:], 1):

        def enter(_, given, named, i=i):
            stream = (given[0] if given else named["hidden_states"]).clone()
            stream[:, first : first + N_PROMPT] = prompt[i]
            return (stream, *given[1:]), {key: value for key, value in named.items() if key != "hidden_states"}

        model.model.layers[site].register_forward_pre_hook(enter, with_kwargs=True)
    for ids in TEXTS:
        parts = (bos, prompt[0]) if position == "after_bos" else (prompt[0], bos)
        inputs = torch.cat((*parts, embed(torch.tensor(ids))))[None]
        with torch.no_grad():
            seen = model(inputs_embeds=inputs, output_attentions=True, use_cache=False).attentions
        for block, weights in enumerate(seen):
            total[block] += weights[0, :, -len(ids) :, first : first + N_PROMPT].mean(0).sum(0)
    return total.double()


@pytest.mark.parametrize("family", ["llama", "sliding mistral", "qwen3", "gemma3"])
@pytest.mark.parametrize("tokenizer", [NoBos(), WithBos()])
@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
def test_a_soft_prompt_gets_what_transformers_says(family, tokenizer, position):
    frozen = frozen_of(CONFIGS[family], tokenizer)
    found = prompt_attention(FastPrompted(frozen, position), vectors(), BATCH)
    assert torch.allclose(found, oracle(frozen, vectors(), (0,), position), atol=1e-5)


def test_a_kept_prompt_that_is_replaced_on_its_way_does_too():
    frozen = frozen_of(CONFIGS["llama"], WithBos())
    prompted = FastPrompted(frozen, "before_bos", (0, 2), kept=True)
    expected = oracle(frozen, vectors(2), (0, 2), "before_bos")
    assert torch.allclose(prompt_attention(prompted, vectors(2), BATCH), expected, atol=1e-5)


def test_a_cut_prompt_is_seen_by_its_own_block_alone():
    frozen = frozen_of(CONFIGS["llama"], WithBos())
    found = prompt_attention(FastPrompted(frozen, "before_bos", (0,), kept=False), vectors(), BATCH)
    expected = oracle(frozen, vectors(), (0,), "before_bos")
    assert torch.allclose(found[0], expected[0], atol=1e-5)
    assert torch.isnan(found[1:]).all()


def test_blocks_before_the_first_prompted_one_have_nothing_to_look_at():
    frozen = frozen_of(CONFIGS["llama"], WithBos())
    for kept in (True, False):
        found = prompt_attention(FastPrompted(frozen, "before_bos", (2,), kept=kept), vectors(), BATCH)
        assert torch.isnan(found).all(dim=1).tolist() == [True, True, False]
        assert (found[2] > 0).all()
