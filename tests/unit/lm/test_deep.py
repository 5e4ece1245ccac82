"""Prompts before the inputs of blocks, against transformers' own blocks run one after the other."""

from typing import Any

import pytest
import torch

from core.lm.architectures import Unmapped, mapped_types
from core.lm.batch import IGNORED, Example, collate
from core.lm.generation import generate
from core.lm.prompted import FastPrompted, GenericPrompted
from core.lm.trunk import Trunk, name
from tests.unit.lm.models import CONFIGS, NOT_FAST, NoBos, WithBos, batch_of, frozen_of, weights_hash

N_PROMPT = 5


def prompt_of(n_sites, n=N_PROMPT):
    torch.manual_seed(2)
    return torch.randn(n_sites, n, 32) * 0.5


def naive(frozen, sites, kept, position, prompt, ids):
    """Return logits (pos, n_vocabulary) of one text: concatenate, run the block, slice."""
    model, config = frozen.model.model, frozen.model.config
    n_prompt, bos = prompt.shape[1], [] if frozen.tokenizer.bos_token_id is None else [1]
    first = position == "after_bos" and bool(bos)  # the beginning-of-sequence token stands first
    of_prompt = torch.arange(n_prompt) + (1 if first else 0)
    of_text = torch.arange(len(bos) + len(ids)) + n_prompt
    if first:
        of_text = torch.cat((torch.zeros(1, dtype=torch.int64), torch.arange(len(ids)) + n_prompt + 1))
    x, at, inside = model.embed_tokens(torch.tensor([*bos, *ids])), of_text, False
    for k, layer in enumerate(model.layers):
        if k in sites:
            vectors = prompt[sites.index(k)]
            if inside:
                x, at = x[~torch.isin(at, of_prompt)], of_text
            x, at = torch.cat((vectors, x)), torch.cat((of_prompt, of_text))
            order = at.argsort()
            x, at = x[order], at[order]
            inside = True
        x = one_block(layer, k, model, config, x, at)
        if inside and not kept:
            x, at, inside = x[~torch.isin(at, of_prompt)], of_text, False
    logits = frozen.model.lm_head(model.norm(x))
    return logits[~torch.isin(at, of_prompt)][-len(ids) :]


def one_block(layer, k, model, config, x, at):
    kinds = getattr(config, "layer_types", None) or ()
    rotary = (kinds[k],) if config.model_type == "gemma3_text" else ()
    windowed = config.model_type == "mistral" or (bool(kinds) and kinds[k] == "sliding_attention")
    window = config.sliding_window if windowed else None
    distance = at[:, None] - at[None, :]
    seen = (distance >= 0) & (distance < (window or 1000))
    mask = torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)[None, None]
    angles = model.rotary_emb(x[None], at[None], *rotary)
    out = layer(x[None], attention_mask=mask, position_embeddings=angles, position_ids=at[None])
    return (out if torch.is_tensor(out) else out[0])[0]


def naive_loss(frozen, sites, kept, position, prompt, batch):
    rows = []
    for row, length in enumerate(batch.lengths.tolist()):
        logits = naive(frozen, sites, kept, position, prompt, batch.ids[row, :length].tolist())
        rows.append(logits[batch.position[batch.example == row]])
    return torch.nn.functional.cross_entropy(torch.cat(rows), batch.targets)


@pytest.mark.parametrize("kept", [False, True], ids=["cut", "kept"])
@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
@pytest.mark.parametrize("tokenizer", [NoBos(), WithBos()], ids=["no bos", "bos"])
@pytest.mark.parametrize("sites", [(0, 1, 2), (1,), (0, 2), (2,)], ids=str)
def test_loss_and_gradient_are_those_of_concatenate_run_and_slice(sites, tokenizer, position, kept):
    frozen, batch = frozen_of(CONFIGS["llama"], tokenizer), batch_of([9, 4, 12])
    ours, theirs = (prompt_of(len(sites)).requires_grad_() for _ in range(2))
    loss = FastPrompted(frozen, position, sites, kept).loss(ours, batch)
    expected = naive_loss(frozen, sites, kept, position, theirs, batch)
    loss.backward()
    expected.backward()
    assert torch.allclose(loss, expected, rtol=1e-5, atol=1e-5)
    same_gradient(ours, theirs)


@pytest.mark.parametrize("kept", [False, True], ids=["cut", "kept"])
@pytest.mark.parametrize("family", CONFIGS)
def test_each_mapped_family(family, kept):
    frozen, batch = frozen_of(CONFIGS[family], WithBos()), batch_of([30, 12])
    ours, theirs = (prompt_of(2).requires_grad_() for _ in range(2))
    loss = FastPrompted(frozen, "before_bos", (1, 2), kept).loss(ours, batch)
    expected = naive_loss(frozen, (1, 2), kept, "before_bos", theirs, batch)
    loss.backward()
    expected.backward()
    assert torch.allclose(loss, expected, rtol=1e-5, atol=2e-5)
    same_gradient(ours, theirs)


def same_gradient(ours, theirs):
    assert theirs.grad is not None
    assert ours.grad is not None
    assert float(theirs.grad.abs().max()) > 0
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=2e-5 * float(theirs.grad.abs().max()))


def test_cut_and_kept_are_the_same_where_every_block_from_the_first_prompted_one_on_is_prompted():
    frozen, batch = frozen_of(CONFIGS["llama"], WithBos()), batch_of([9, 4, 12])
    for sites, same in (((1, 2), True), ((0, 1, 2), True), ((0, 2), False), ((0, 1), False)):
        losses = [
            FastPrompted(frozen, "before_bos", sites, kept).loss(prompt_of(len(sites)), batch) for kept in (False, True)
        ]
        assert torch.allclose(*losses, rtol=1e-6, atol=1e-6) is same


@pytest.mark.parametrize("scale", [10.0, 1e3])
def test_the_length_of_a_cut_prompt_means_nothing_and_that_of_a_kept_one_does(scale):
    frozen, batch = frozen_of(CONFIGS["llama"], WithBos()), batch_of([9, 4, 12])
    prompt = prompt_of(2)  # its mean square is far above the norm's eps
    for kept in (False, True):
        prompted = FastPrompted(frozen, "before_bos", (0, 1), kept)
        losses = [prompted.loss(prompt * factor, batch) for factor in (1.0, scale)]
        assert torch.allclose(*losses, rtol=1e-6, atol=1e-6) is not kept


def test_gradients_of_cut_prompts_are_orthogonal_to_them():
    frozen, batch = frozen_of(CONFIGS["llama"], WithBos()), batch_of([9, 4, 12])
    cosines = {}
    for kept in (False, True):
        prompt = prompt_of(2).requires_grad_()
        FastPrompted(frozen, "before_bos", (0, 1), kept).loss(prompt, batch).backward()
        assert prompt.grad is not None
        cosines[kept] = torch.cosine_similarity(prompt.grad, prompt.detach(), -1).abs().max()
    assert cosines[False] < 1e-4
    assert cosines[True] > 1e-3


@pytest.mark.parametrize("kept", [False, True], ids=["cut", "kept"])
@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
@pytest.mark.parametrize("family", ["llama", "sliding mistral", "gemma3", "smollm3"])
def test_cached_and_uncached_generation_agree_token_for_token(family, position, kept):
    frozen = frozen_of(CONFIGS[family], WithBos())
    sites, prompt = (0, 2), prompt_of(2)
    torch.manual_seed(3)
    texts = [torch.randint(3, 99, (length,)).tolist() for length in (3, 11, 6)]
    expected = []
    for text in texts:
        new: list[int] = []
        while len(new) < 8:
            logits = naive(frozen, sites, kept, position, prompt, [*text, *new])
            new.append(int(logits[-1].argmax()))
        expected.append(new)
    assert generate(FastPrompted(frozen, position, sites, kept), prompt, texts, 8, ()) == expected


def trunk_of(prompted, examples, n_prompt=N_PROMPT):
    """Return a trunk of each example computed alone."""
    rows, starts, n = [], {}, 0
    stream: Any = None
    for example in examples:
        ids = torch.tensor([example.ids])
        stream = prompted.enter_first(n_prompt, ids)
        starts[name(ids[0])] = n
        rows.append(stream[len(stream) - len(example.ids) :])
        n += len(example.ids)
    return Trunk(stream[: len(stream) - len(examples[-1].ids)], torch.cat(rows).numpy(), starts)


@pytest.mark.parametrize("kept", [False, True], ids=["cut", "kept"])
@pytest.mark.parametrize("tokenizer", [NoBos(), WithBos()], ids=["no bos", "bos"])
def test_a_kept_trunk_changes_neither_loss_nor_gradient(tokenizer, kept):
    frozen = frozen_of(CONFIGS["llama"], tokenizer)
    torch.manual_seed(1)
    examples = [
        Example((*ids, 7), (*[IGNORED] * n, 7)) for n in (9, 4, 12) for ids in [torch.randint(3, 99, (n,)).tolist()]
    ]
    batch = collate(examples)
    plain = FastPrompted(frozen, "before_bos", (1, 2), kept)
    cached = FastPrompted(frozen, "before_bos", (1, 2), kept)
    cached.trunk = trunk_of(plain, examples)
    assert cached.trunk.stream(batch) is not None
    ours, theirs = (prompt_of(2).requires_grad_() for _ in range(2))
    losses = [prompted.loss(prompt, batch) for prompted, prompt in ((cached, ours), (plain, theirs))]
    assert torch.allclose(*losses, rtol=1e-6, atol=1e-6)
    for loss in losses:
        loss.backward()
    same_gradient(ours, theirs)


def test_a_trunk_that_does_not_know_an_example_is_passed_over():
    frozen = frozen_of(CONFIGS["llama"])
    prompted = FastPrompted(frozen, "before_bos", (2,), kept=False)
    prompted.trunk = trunk_of(prompted, [Example((5, 6, 7), (IGNORED, IGNORED, 7))])
    batch = batch_of([9, 4])
    assert prompted.trunk.stream(batch) is None
    expected = FastPrompted(frozen, "before_bos", (2,), kept=False).loss(prompt_of(1), batch)
    assert torch.equal(prompted.loss(prompt_of(1), batch), expected)


def test_deep_prompts_leave_the_weights_as_they_were():
    frozen = frozen_of(CONFIGS["gemma3"], WithBos())
    before = weights_hash(frozen.model)
    for kept in (False, True):
        prompted, prompt = FastPrompted(frozen, "before_bos", (0, 2), kept), prompt_of(2).requires_grad_()
        prompted.loss(prompt, batch_of([9, 4])).backward()
        generate(prompted, prompt, [[4, 5, 6]], 3, ())
    assert weights_hash(frozen.model) == before
    assert all(parameter.grad is None for parameter in frozen.model.parameters())


def test_two_jobs_share_one_model():
    frozen, batch = frozen_of(CONFIGS["llama"]), batch_of([9, 4])
    soft, deep = FastPrompted(frozen), FastPrompted(frozen, "before_bos", (1, 2), kept=False)
    alone = soft.loss(prompt_of(1), batch)
    deep.loss(prompt_of(2), batch)
    assert torch.equal(soft.loss(prompt_of(1), batch), alone)


def test_nothing_stands_before_a_first_token_where_the_prompt_is_cut():
    prompted = FastPrompted(frozen_of(CONFIGS["llama"]), "before_bos", (1,), kept=False)
    with pytest.raises(ValueError, match=r"^nothing stands before a first token where"):
        prompted.loss(prompt_of(1), collate([Example((5, 6), (5, 6))]))


def test_an_unmapped_architecture_is_told_which_are_mapped():
    with pytest.raises(Unmapped, match=f"for the architecture 'gpt2'; mapped are: {', '.join(mapped_types())}. Cho"):
        FastPrompted(frozen_of(NOT_FAST["gpt2"]), "before_bos", (0,), kept=False)
    with pytest.raises(Unmapped, match="not mapped for 'llama' with rope_type 'dynamic'; choose method 'soft'"):
        FastPrompted(frozen_of(NOT_FAST["dynamic rope"]), "before_bos", (0,), kept=False)


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({"attn_logit_softcapping": 50.0}, "attn_logit_softcapping 50.0"),
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping 30.0"),
        ({"hidden_activation": "silu"}, "hidden_activation 'silu'"),
        ({"use_bidirectional_attention": True}, "use_bidirectional_attention"),
    ],
)
def test_what_the_map_of_gemma_does_not_cover_is_named(change, obstacle):
    config = CONFIGS["gemma3"].__class__(**{**CONFIGS["gemma3"].to_dict(), **change})
    frozen = frozen_of(CONFIGS["gemma3"])
    frozen.model.config = config
    with pytest.raises(Unmapped, match=f"not mapped for 'gemma3_text' with {obstacle};"):
        FastPrompted(frozen)


def test_no_prompt_is_the_base_model_for_deep_prompts_too():
    frozen, batch = frozen_of(CONFIGS["qwen3"], WithBos()), batch_of([9, 4])
    deep = FastPrompted(frozen, "before_bos", (1, 2), kept=False)
    base = GenericPrompted(frozen).logits(torch.zeros(1, 0, 32), batch)
    assert torch.equal(deep.logits(prompt_of(2, n=0), batch), base)
