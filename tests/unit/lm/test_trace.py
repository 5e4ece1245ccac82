"""A trace is what generation computes, and what a capture reads."""

import pytest
import torch

from core.lm.frozen import FrozenModel
from core.lm.generation import generate
from core.lm.load import load_model
from core.lm.prompted import FastPrompted, GenericPrompted, Prompted
from core.lm.trace import trace
from core.specs import FINAL, ModelSpec

SITES = (0, 2, FINAL)
N_NEW = 6


@pytest.fixture
def frozen(store, stories_folder) -> FrozenModel:
    return load_model(ModelSpec(name=str(stories_folder), device="cpu", dtype="float32"), store)


@pytest.fixture
def text(frozen) -> list[int]:
    return frozen.tokenizer("Lily and Tom went to the park. They", add_special_tokens=False).input_ids


def prompt_of(n: int, *sites: int) -> torch.Tensor:
    torch.manual_seed(n)
    return torch.randn(len(sites) or 1, n, 64) * 0.5


def ways(frozen: FrozenModel) -> dict[str, tuple[Prompted, torch.Tensor]]:
    """Return every way to stand before a text, with its prompt."""
    return {
        "fast": (FastPrompted(frozen), prompt_of(0)),
        "fast soft": (FastPrompted(frozen, "after_bos"), prompt_of(3)),
        "generic": (GenericPrompted(frozen), prompt_of(0)),
        "generic soft": (GenericPrompted(frozen, "after_bos"), prompt_of(3)),
        "deep cut": (FastPrompted(frozen, "before_bos", (0, 2), kept=False), prompt_of(3, 0, 2)),
        "deep kept": (FastPrompted(frozen, "after_bos", (0, 2), kept=True), prompt_of(3, 0, 2)),
    }


WAYS = ("fast", "fast soft", "generic", "generic soft", "deep cut", "deep kept")


@pytest.mark.parametrize("name", WAYS)
def test_a_trace_generates_what_generation_does(frozen, text, name):
    prompted, prompt = ways(frozen)[name]
    (expected,) = generate(prompted, prompt, [text], N_NEW, ())
    found = trace(prompted, prompt, text, SITES, N_NEW, ())
    assert [choice.token for choice in found.choices] == expected
    assert not found.ended
    stop = {expected[3]}
    first = expected.index(expected[3])
    stopped = trace(prompted, prompt, text, SITES, N_NEW, stop)
    assert [choice.token for choice in stopped.choices] == expected[:first]
    assert stopped.ended
    for choice in found.choices:
        assert choice.best[0] == choice.token
        assert choice.probabilities[0] == choice.probability
        assert list(choice.probabilities) == sorted(choice.probabilities, reverse=True)
        assert 0 < sum(choice.probabilities) <= 1 + 1e-9


@pytest.mark.parametrize("name", WAYS)
def test_cached_streams_are_those_of_reading_anew(frozen, text, name):
    prompted, prompt = ways(frozen)[name]
    found = trace(prompted, prompt, text, SITES, N_NEW, ())
    whole = [*text, *(choice.token for choice in found.choices)]
    again = trace(prompted, prompt, whole, SITES, 0, ())
    assert again.choices == ()
    for site in SITES:
        assert found.streams[site].shape == (1 + len(whole), 64)
        assert torch.allclose(found.streams[site], again.streams[site], rtol=1e-4, atol=1e-4)


def test_without_a_prompt_the_stream_is_the_models_own(frozen, text):
    states = frozen.model(input_ids=torch.tensor([[1, *text]]), output_hidden_states=True).hidden_states
    for name in ("fast", "generic"):
        prompted, prompt = ways(frozen)[name]
        found = trace(prompted, prompt, text, (0, 1, 4), 0, ())
        assert found.n_bos == 1
        assert found.prompt == {}
        for site in (0, 1, 4):
            assert torch.allclose(found.streams[site], states[site][0], rtol=1e-4, atol=1e-4)


def test_prompted_positions_are_where_the_prompt_is(frozen, text):
    everywhere = {"fast soft", "generic soft", "deep kept"}
    for name, (prompted, prompt) in ways(frozen).items():
        found = trace(prompted, prompt, text, (0, 1, 2, FINAL), 0, ())
        sites = [0, 1, 2, FINAL] if name in everywhere else [0, 2] if name == "deep cut" else []
        assert list(found.prompt) == sites, name
        if name.startswith("deep"):
            assert torch.equal(found.prompt[2], prompt[1])
        if name.endswith("soft"):
            assert torch.equal(found.prompt[0], prompt[0])


def test_fast_and_generic_traces_of_a_soft_prompt_agree(frozen, text):
    soft = [ways(frozen)[name] for name in ("fast soft", "generic soft")]
    fast, generic = (trace(prompted, prompt, text, (1, FINAL), 3, ()) for prompted, prompt in soft)
    for site in (1, FINAL):
        assert torch.allclose(fast.streams[site], generic.streams[site], rtol=1e-3, atol=1e-4)
        assert torch.allclose(fast.prompt[site], generic.prompt[site], rtol=1e-3, atol=1e-4)


def test_watching_leaves_the_shared_model_without_hooks(frozen, text):
    def hooks() -> int:
        return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in frozen.model.modules())

    before = hooks()
    prompted, prompt = ways(frozen)["generic"]
    trace(prompted, prompt, text, SITES, 1, ())
    assert hooks() == before
