from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.lm.architectures import Unmapped, map_decoder
from core.lm.batch import IGNORED, Example, collate
from core.lm.frozen import FrozenModel
from core.lm.load import load_model
from core.lm.prompted import FastPrompted, GenericPrompted, build_prompted
from core.specs import ModelSpec
from tests.unit.lm.models import CONFIGS, NOT_FAST, NoBos, WithBos, batch_of, frozen_of, weights_hash

FORMATS = ("float32", "bfloat16")


def prompt_of(n, d=32):
    torch.manual_seed(2)
    return torch.randn(1, n, d) * 0.5


def naive(frozen, prompt, batch, position):
    """Return mean loss and logits at the labels, one example at a time through transformers."""
    embed = frozen.model.get_input_embeddings()
    bos = embed(torch.tensor([1])) if frozen.tokenizer.bos_token_id else embed.weight[:0]
    before = [prompt[0], bos] if position == "before_bos" else [bos, prompt[0]]
    rows = []
    for row, length in enumerate(batch.lengths.tolist()):
        inputs = torch.cat([*before, embed(batch.ids[row, :length])])
        logits = frozen.model(inputs_embeds=inputs[None], use_cache=False).logits[0]
        rows.append(logits[len(inputs) - length + batch.position[batch.example == row]])
    logits = torch.cat(rows)
    return torch.nn.functional.cross_entropy(logits, batch.targets), logits


@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
@pytest.mark.parametrize("tokenizer", [NoBos(), WithBos()], ids=["no bos", "bos"])
@pytest.mark.parametrize("n_prompt", [1, 20])
@pytest.mark.parametrize("kind", [FastPrompted, GenericPrompted])
def test_loss_logits_and_gradient_are_those_of_one_example_at_a_time(kind, n_prompt, tokenizer, position):
    frozen = frozen_of(CONFIGS["llama"], tokenizer)
    batch = batch_of([9, 4, 2, 9, 7])
    ours, theirs = (prompt_of(n_prompt).requires_grad_() for _ in range(2))
    prompted = kind(frozen, position)
    loss = prompted.loss(ours, batch)
    expected, logits = naive(frozen, theirs, batch, position)
    loss.backward()
    expected.backward()
    assert torch.allclose(loss, expected, rtol=1e-5, atol=1e-5)
    assert torch.allclose(prompted.logits(ours, batch), logits, rtol=1e-5, atol=3e-5)
    assert theirs.grad is not None
    assert ours.grad is not None
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5 * float(theirs.grad.abs().max()))
    losses, hits = prompted.scores(ours, batch)
    assert torch.allclose(losses.mean(), loss.detach())
    assert torch.equal(hits, logits.argmax(-1) == batch.targets)


@pytest.mark.parametrize("name", CONFIGS)
def test_each_family_on_the_fast_path_equals_transformers(name):
    frozen = frozen_of(CONFIGS[name])
    assert isinstance(build_prompted(frozen), FastPrompted)
    batch = batch_of([40, 12])
    ours, theirs = (prompt_of(20).requires_grad_() for _ in range(2))
    loss = FastPrompted(frozen).loss(ours, batch)
    expected, _ = naive(frozen, theirs, batch, "before_bos")
    loss.backward()
    expected.backward()
    assert torch.allclose(loss, expected, rtol=1e-5, atol=1e-5)
    assert theirs.grad is not None
    assert ours.grad is not None
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5 * float(theirs.grad.abs().max()))


@pytest.mark.parametrize("name", NOT_FAST)
def test_what_the_fast_path_does_not_compute_goes_the_general_way(name):
    frozen = frozen_of(NOT_FAST[name])
    with pytest.raises(Unmapped):
        map_decoder(frozen.model)
    prompted = build_prompted(frozen)
    assert isinstance(prompted, GenericPrompted)
    batch = batch_of([9, 4])
    loss = prompted.loss(prompt_of(3), batch)
    assert torch.allclose(loss, naive(frozen, prompt_of(3), batch, "before_bos")[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
def test_without_a_prompt_the_base_model_answers(stories_folder, position):
    model = AutoModelForCausalLM.from_pretrained(stories_folder, dtype=torch.float32).eval().requires_grad_(False)
    frozen = FrozenModel(
        model, AutoTokenizer.from_pretrained(stories_folder), torch.device("cpu"), torch.float32, "r", 5, 64, 512
    )
    ids = frozen.tokenizer("Once upon a time there was a little girl").input_ids
    batch = collate([Example(tuple(ids[1:]), tuple(ids[1:]))])
    # Asked for the same columns: a product of other height may round its last bit in another way.
    kept = torch.arange(len(ids) - 1)
    base = model(torch.tensor([ids]), use_cache=False, logits_to_keep=kept).logits[0]
    none = torch.zeros(1, 0, 64)
    assert torch.equal(GenericPrompted(frozen, position).logits(none, batch), base)
    assert torch.equal(FastPrompted(frozen, position).logits(none, batch), base)
    deep = FastPrompted(frozen, position, sites=(0, 3), kept=False)
    assert torch.equal(deep.logits(torch.zeros(2, 0, 64), batch), base)


@pytest.mark.parametrize("family", CONFIGS)
@pytest.mark.parametrize("tokenizer", [NoBos(), WithBos()])
def test_without_a_prompt_loss_and_scores_are_those_of_the_base_model_s_logits(family, tokenizer):
    frozen, batch, none = frozen_of(CONFIGS[family], tokenizer), batch_of([9, 4, 12]), torch.zeros(1, 0, 32)
    logits = GenericPrompted(frozen).logits(none, batch)
    losses, hits = FastPrompted(frozen).scores(none, batch)
    assert torch.allclose(losses, functional.cross_entropy(logits, batch.targets, reduction="none"), atol=1e-5)
    assert torch.equal(hits, logits.argmax(-1) == batch.targets)
    assert torch.allclose(FastPrompted(frozen).loss(none, batch), losses.mean(), atol=1e-5)


def test_a_label_of_the_first_token_is_predicted_by_the_end_of_the_prefix():
    frozen = frozen_of(CONFIGS["llama"])
    batch = collate([Example((5, 6), (5, 6)), Example((7, 8, 9), (7, IGNORED, 9))])
    assert batch.position.tolist() == [-1, 0, -1, 1]
    assert torch.allclose(
        FastPrompted(frozen).loss(prompt_of(4), batch), naive(frozen, prompt_of(4), batch, "before_bos")[0]
    )


def test_training_and_generation_leave_the_weights_as_they_were():
    frozen = frozen_of(CONFIGS["qwen3"])
    before = weights_hash(frozen.model)
    for prompted in (FastPrompted(frozen), GenericPrompted(frozen)):
        prompted.loss(prompt_of(4).requires_grad_(), batch_of([9, 4])).backward()
    assert weights_hash(frozen.model) == before
    assert all(parameter.grad is None for parameter in frozen.model.parameters())


def gradients_in_both_formats(name, store):
    """Return a vocabulary prompt's gradient on a few sums, in float32 and in bfloat16."""
    frozen = {dtype: load_model(ModelSpec(name=name, device="cpu", dtype=dtype), store) for dtype in FORMATS}
    examples = []
    for i in range(8):
        ids = frozen["float32"].tokenizer(f"What is {11 * i} + 25? {11 * i + 25}", add_special_tokens=False).input_ids
        examples.append(Example(tuple(ids), (*[IGNORED] * (len(ids) - 3), *ids[-3:])))
    gradients = []
    for dtype in FORMATS:
        embedding: Any = frozen["float32"].model.get_input_embeddings().weight
        torch.manual_seed(0)
        prompt = embedding[torch.randint(0, len(embedding), (1, 20))].clone().requires_grad_()
        FastPrompted(frozen[dtype]).loss(prompt, collate(examples)).backward()
        assert prompt.grad is not None
        gradients.append(prompt.grad.flatten())
    return gradients


def test_bfloat16_gives_a_float32_gradient_that_points_the_same_way(store, stories_folder):
    exact, ours = gradients_in_both_formats(str(stories_folder), store)
    assert ours.dtype == torch.float32
    assert torch.cosine_similarity(exact, ours, 0) > 0.99


@pytest.mark.registry
def test_bfloat16_gradient_points_the_same_way_in_a_model_with_sink_tokens(registry_store):
    exact, ours = gradients_in_both_formats("smollm2-135m", registry_store)
    assert torch.cosine_similarity(exact, ours, 0) > 0.95
