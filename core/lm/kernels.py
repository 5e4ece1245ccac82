"""The few operations a frozen Llama-like block is made of, with gradients to their inputs only.

The weights are frozen, so nothing here keeps what a weight's gradient would need. Each function is
equal to its textbook form (`tests/unit/lm/test_kernels.py` checks value and gradient) and works on
any device; rows are the tokens of a whole batch, flattened.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from core.lm.shapes import Head, Hits, Labels, PerLabel, Scalar, States

_ONEDNN = torch.backends.mkldnn.is_available()
MOST_SCORES = 8_000_000
"""Attention weights that are kept for the gradient; of longer texts torch's fused attention keeps
none."""
Activation = Literal["silu", "gelu_tanh"]
"""What a block's gate goes through."""
LOSS_ROWS = 256
"""Label positions whose logits exist at a time: 256 x 49,152 float32 is 50 MB."""

Backward = TypeVar("Backward", bound=Callable[..., object])


def _once(backward: Backward) -> Backward:
    """Return a backward pass under torch's decorator, with the type that the decorator loses."""
    decorated: Any = once_differentiable(backward)
    return decorated


def linear(
    x: Float[Tensor, "rows d_in"], weight: Float[Tensor, "d_out d_in"], bias: Float[Tensor, "d_out"] | None = None
) -> Float[Tensor, "rows d_out"]:
    """Return `x @ weight.T + bias`."""
    return _Linear.apply(x, weight, bias)  # pyright: ignore[reportReturnType]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.weight = weight
        return _multiply(x, weight, bias)

    @staticmethod
    @_once
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _multiply_back(grads[0], ctx.weight), None, None


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # Torch gives float32 products on a CPU to MKL, which takes AVX2 code on AMD machines; oneDNN,
    # which is in the same binary, uses AVX-512 there and is twice as fast.
    if _by_onednn(x):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return functional.linear(x, weight, bias)


def _multiply_back(grad: Tensor, weight: Tensor) -> Tensor:
    if _by_onednn(grad):
        return torch.ops.mkldnn._linear_pointwise(grad, weight.t(), None, "none", [], "")
    return grad @ weight


def _by_onednn(x: Tensor) -> bool:
    return _ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32 and x.shape[0] > 1


def rms_norm(
    x: Float[Tensor, "*rows d"], weight: Float[Tensor, "d"], eps: float, dtype: torch.dtype
) -> Float[Tensor, "*rows d"]:
    """Return x over its root mean square, times the weight, in a dtype."""
    return _RmsNorm.apply(x, weight, eps, dtype)  # pyright: ignore[reportReturnType]


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=_wide(x))
        scale = norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight).to(dtype)

    @staticmethod
    @_once
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        (grad,) = grads
        x, weight, scale = ctx.saved_tensors
        scaled = grad * weight
        scaled = scaled.to(scale.dtype).mul_(scale)
        along = (scaled * x).mean(-1, keepdim=True).mul_(scale.square())
        return scaled.addcmul_(x, along, value=-1).to(x.dtype), None, None, None


def gated(
    gate: Float[Tensor, "rows d_mlp"], up: Float[Tensor, "rows d_mlp"], activation: Activation
) -> Float[Tensor, "rows d_mlp"]:
    """Return activation(gate) * up."""
    return _Gated.apply(gate, up, activation)  # pyright: ignore[reportReturnType]


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor, activation: Activation) -> Tensor:
        # The activation is made again in the backward pass: keeping it would be a third of what a
        # block keeps.
        ctx.save_for_backward(gate, up)
        ctx.activation = activation
        return _activate(gate, activation).mul_(up)

    @staticmethod
    @_once
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,) = grads
        gate, up = ctx.saved_tensors
        activation: Activation = ctx.activation
        through = grad * up
        if activation == "silu":
            grad_gate = torch.ops.aten.silu_backward(through, gate)
        else:
            grad_gate = torch.ops.aten.gelu_backward(through, gate, approximate="tanh")
        return grad_gate, _activate(gate, activation).mul_(grad), None


def _activate(gate: Tensor, activation: Activation) -> Tensor:
    return functional.silu(gate) if activation == "silu" else functional.gelu(gate, approximate="tanh")


def rotate(
    x: Float[Tensor, "rows heads d_head"], cos: Float[Tensor, "rows 1 d_head"], sin: Float[Tensor, "rows 1 d_head"]
) -> Float[Tensor, "rows heads d_head"]:
    """Rotate the halves of heads by angles."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


def attend(
    query: Float[Tensor, "batch kv_heads group pos d_head"],
    key: Float[Tensor, "batch kv_heads keys d_head"],
    value: Float[Tensor, "batch kv_heads keys d_head"],
    blocked: Bool[Tensor, "pos keys"] | Bool[Tensor, "batch 1 1 pos keys"],
    scale: float,
) -> Float[Tensor, "batch kv_heads group pos d_head"]:
    """Return attention of grouped heads; `blocked` is true where a query must not look, `scale` is of the scores."""
    n_scores = query[..., 0].numel() * key.shape[2]
    if query.device.type == "cpu" and blocked.dim() == 2 and n_scores <= MOST_SCORES:
        return _Attend.apply(query, key, value, blocked, scale)  # pyright: ignore[reportReturnType]
    batch, kv_heads, group, n_pos, d_head = query.shape
    mask = ~blocked if blocked.dim() == 2 else ~blocked.squeeze(1)
    heads = query.reshape(batch, kv_heads * group, n_pos, d_head)
    out = functional.scaled_dot_product_attention(heads, key, value, mask, scale=scale, enable_gqa=group > 1)
    return out.view(batch, kv_heads, group, n_pos, d_head)


class _Attend(torch.autograd.Function):
    """Attention by batched products; on a CPU three times as fast as torch's at 150 keys.

    The heads of a group share their keys, so they stand one after the other in a single product.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, blocked: Tensor, scale: float) -> Tensor:
        batch, kv_heads, group, n_pos, d_head = query.shape
        flat = query.reshape(batch * kv_heads, group * n_pos, d_head)
        key, value = key.reshape(batch * kv_heads, -1, d_head), value.reshape(batch * kv_heads, -1, d_head)
        bias = torch.zeros(blocked.shape, dtype=query.dtype).masked_fill_(blocked, -torch.inf).repeat(group, 1)
        scores = torch.baddbmm(bias[None], flat, key.transpose(1, 2), alpha=scale)
        shares = scores.softmax(-1)
        ctx.save_for_backward(flat, key, value, shares)
        ctx.shapes = query.shape
        ctx.scale = scale
        return (shares @ value).view(query.shape)

    @staticmethod
    @_once
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        (grad,) = grads
        flat, key, value, shares = ctx.saved_tensors
        batch, kv_heads, group, n_pos, d_head = ctx.shapes
        grad = grad.reshape(flat.shape)
        grad_value = shares.transpose(1, 2) @ grad
        grad_shares = grad @ value.transpose(1, 2)
        grad_scores = torch.ops.aten._softmax_backward_data(grad_shares, shares, -1, shares.dtype)
        grad_scores.mul_(ctx.scale)
        grad_query = (grad_scores @ key).view(batch, kv_heads, group, n_pos, d_head)
        grad_key = grad_scores.transpose(1, 2) @ flat
        as_keys = (batch, kv_heads, -1, d_head)
        return grad_query, grad_key.view(as_keys), grad_value.view(as_keys), None, None


def label_loss(states: States, weight: Head, targets: Labels) -> Scalar:
    """Return the mean float32 cross-entropy of states against targets.

    The logits of at most `LOSS_ROWS` labels exist at a time, and none are kept for the gradient.
    """
    return _LabelLoss.apply(states, weight, targets)  # pyright: ignore[reportReturnType]


class _LabelLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        total = states.new_zeros((), dtype=_wide(states))
        grad = torch.empty_like(states) if states.requires_grad else None
        for start in range(0, len(states), LOSS_ROWS):
            part = slice(start, start + LOSS_ROWS)
            logits = _multiply(states[part], weight, None).to(_wide(states))
            chosen = targets[part, None]
            log_shares = logits.log_softmax(-1)
            total -= log_shares.gather(1, chosen).sum()
            if grad is not None:
                shares = log_shares.exp_()
                shares.scatter_add_(1, chosen, shares.new_full((1, 1), -1.0).expand_as(chosen))
                grad[part] = _multiply_back(shares.div_(len(states)).to(states.dtype), weight)
        if grad is not None:
            ctx.save_for_backward(grad)
        return total / len(states)

    @staticmethod
    @_once
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (upstream,) = grads
        (grad,) = ctx.saved_tensors
        return grad * upstream.to(grad.dtype), None, None


def token_scores(states: States, weight: Head, targets: Labels) -> tuple[PerLabel, Hits]:
    """Return each label's float32 cross-entropy and whether it is the likeliest."""
    losses, hits = [], []
    for start in range(0, len(states), LOSS_ROWS):
        part = slice(start, start + LOSS_ROWS)
        logits = _multiply(states[part], weight, None).to(_wide(states))
        losses.append(functional.cross_entropy(logits, targets[part], reduction="none"))
        hits.append(logits.argmax(-1) == targets[part])
    return torch.cat(losses), torch.cat(hits)


def _wide(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32
