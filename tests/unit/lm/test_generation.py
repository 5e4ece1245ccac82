import pytest
import torch

from core.errors import Cancelled
from core.lm.generation import generate, stop_tokens
from core.lm.load import load_model
from core.lm.prompted import FastPrompted, GenericPrompted
from core.specs import ModelSpec


@pytest.fixture
def frozen(store, stories_folder):
    return load_model(ModelSpec(name=str(stories_folder), device="cpu", dtype="float32"), store)


@pytest.fixture
def texts(frozen):
    words = ["Once upon a time", "The dog", "Lily and Tom went to the park. They saw a", "He said", "The cat"]
    return [frozen.tokenizer(text, add_special_tokens=False).input_ids for text in words]


def uncached(frozen, prefix, text, n_new, stop):
    """Return the continuation by reading everything anew for each token, alone, through transformers."""
    embed, new = frozen.model.get_input_embeddings(), []
    while len(new) < n_new:
        inputs = torch.cat((prefix, embed(torch.tensor([*text, *new]))))
        token = int(frozen.model(inputs_embeds=inputs[None], use_cache=False).logits[0, -1].argmax())
        if token in stop:
            break
        new.append(token)
    return new


@pytest.mark.parametrize("kind", [FastPrompted, GenericPrompted])
@pytest.mark.parametrize("n_prompt", [0, 1, 20])
@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
def test_cached_and_uncached_generation_agree_token_for_token(frozen, texts, kind, n_prompt, position):
    prompted = kind(frozen, position)
    torch.manual_seed(0)
    prompt = torch.randn(1, n_prompt, 64) * 0.5
    expected = [uncached(frozen, GenericPrompted(frozen, position).prefix(prompt), text, 12, ()) for text in texts]
    assert generate(prompted, prompt, texts, 12, ()) == expected
    assert len({tuple(tokens) for tokens in expected}) > 1


@pytest.mark.parametrize("kind", [FastPrompted, GenericPrompted])
def test_generation_ends_at_a_stop_token_which_is_left_out(frozen, texts, kind):
    prompted, none = kind(frozen), torch.zeros(1, 0, 64)
    free = generate(prompted, none, texts, 10, ())
    stop = {free[0][4]}
    expected = [tokens[: next((i for i, t in enumerate(tokens) if t in stop), 10)] for tokens in free]
    assert generate(prompted, none, texts, 10, stop) == expected
    assert len(expected[0]) <= 4


def test_more_texts_than_fit_into_one_batch(frozen, texts, monkeypatch):
    from core.lm import generation

    prompted, prompt = FastPrompted(frozen), torch.zeros(1, 2, 64)
    whole = generate(prompted, prompt, texts, 5, ())
    monkeypatch.setattr(generation, "BATCH", 2)
    seen = []
    assert generate(prompted, prompt, texts, 5, (), lambda done, total, message="": seen.append((done, total))) == whole
    assert seen[-1] == (5, 5)


def test_generation_can_be_cancelled(frozen, texts):
    def stop(done, total, message=""):
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        generate(FastPrompted(frozen), torch.zeros(1, 2, 64), texts, 5, (), stop)


def test_the_tokenizers_end_and_the_models_both_stop(frozen):
    assert stop_tokens(FastPrompted(frozen)) == {2}
