from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from core.lm import kernels


def both(ours: Callable[..., torch.Tensor], textbook: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> float:
    """Return largest differences of value and gradients, for one random upstream gradient."""
    results = []
    for function in (ours, textbook):
        copies = [x.clone().requires_grad_() for x in inputs]
        out = function(*copies)
        torch.manual_seed(9)
        out.backward(torch.randn_like(out))
        results.append([out.detach(), *(x.grad for x in copies)])
    return max(float((a - b).abs().max()) for a, b in zip(*results, strict=True))


def rand(*shape, dtype=torch.float64):
    torch.manual_seed(sum(shape))
    return torch.randn(*shape, dtype=dtype)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
@pytest.mark.parametrize("bias", [False, True])
def test_linear(dtype, bound, bias):
    weight, b = rand(7, 5, dtype=dtype), rand(7, dtype=dtype) if bias else None
    x = rand(4, 5, dtype=dtype)
    difference = both(lambda x: kernels.linear(x, weight, b), lambda x: functional.linear(x, weight, b), x)
    assert difference < bound


def test_linear_takes_a_single_row():
    weight = rand(7, 5, dtype=torch.float32)
    x = rand(1, 5, dtype=torch.float32)
    assert torch.allclose(kernels.linear(x, weight), x @ weight.T, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_rms_norm(scale):
    weight = rand(8)

    def textbook(x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight

    assert both(lambda x: kernels.rms_norm(x, weight, 1e-5, torch.float64), textbook, rand(4, 8) * scale) < 1e-9


def test_rms_norm_goes_from_the_wide_stream_to_the_asked_dtype_and_back():
    x = rand(4, 8, dtype=torch.float32).requires_grad_()
    out = kernels.rms_norm(x, torch.ones(8), 1e-5, torch.bfloat16)
    out.sum().backward()
    assert (out.dtype, x.grad is not None and x.grad.dtype) == (torch.bfloat16, torch.float32)


@pytest.mark.parametrize(
    ("activation", "textbook"),
    [("silu", functional.silu), ("gelu_tanh", lambda x: functional.gelu(x, approximate="tanh"))],
)
def test_gated(activation, textbook):
    ours = lambda gate, up: kernels.gated(gate, up, activation)  # noqa: E731
    assert both(ours, lambda gate, up: textbook(gate) * up, rand(4, 8), rand(4, 9)[:, :8]) < 1e-12


@pytest.mark.parametrize("group", [1, 3])
def test_attend_is_attention_of_repeated_heads(group):
    blocked = torch.ones(4, 6, dtype=torch.bool).triu(3)

    def textbook(query, key, value):
        flat = query.reshape(2, 2 * group, 4, 5)
        wide = [x.repeat_interleave(group, dim=1) for x in (key, value)]
        return functional.scaled_dot_product_attention(flat, *wide, attn_mask=~blocked, scale=0.3).view(query.shape)

    inputs = (rand(2, 2, group, 4, 5), rand(2, 2, 6, 5), rand(2, 2, 7, 5)[:, :, :6])
    assert both(lambda q, k, v: kernels.attend(q, k, v, blocked, 0.3), textbook, *inputs) < 1e-12


def test_attend_is_the_same_above_the_bound_on_kept_weights(monkeypatch):
    blocked = torch.ones(4, 6, dtype=torch.bool).triu(3)
    inputs = (rand(2, 2, 3, 4, 5), rand(2, 2, 6, 5), rand(2, 2, 6, 5))

    def fused(query, key, value):
        monkeypatch.setattr(kernels, "MOST_SCORES", 0)
        return kernels.attend(query, key, value, blocked, 0.3)

    assert both(lambda q, k, v: kernels.attend(q, k, v, blocked, 0.3), fused, *inputs) < 1e-12


@pytest.mark.parametrize("rows", [3, 100])
def test_label_loss_in_parts(monkeypatch, rows):
    monkeypatch.setattr(kernels, "LOSS_ROWS", rows)
    weight, targets = rand(11, 6), torch.arange(10) % 11
    difference = both(
        lambda x: kernels.label_loss(x, weight, targets),
        lambda x: functional.cross_entropy(x @ weight.T, targets),
        rand(10, 6),
    )
    assert difference < 1e-12


def test_token_scores_average_to_the_loss(monkeypatch):
    monkeypatch.setattr(kernels, "LOSS_ROWS", 4)
    states, weight, targets = rand(10, 6), rand(11, 6), torch.arange(10) % 11
    losses, hits = kernels.token_scores(states, weight, targets)
    assert torch.allclose(losses.mean(), kernels.label_loss(states, weight, targets))
    assert torch.equal(hits, (states @ weight.T).argmax(-1) == targets)
