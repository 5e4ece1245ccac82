"""The few operations a frozen Llama block is made of, with gradients to their inputs only.

The weights are frozen, so nothing here keeps what a weight's gradient would need. Each function is
equal to its textbook form (`tests/unit/lm/test_kernels.py` checks value and gradient) and works on
any device; rows are the tokens of a whole batch, flattened.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

_ONEDNN = torch.backends.mkldnn.is_available()
LOSS_ROWS = 256
"""Label positions whose logits exist at a time: 256 x 49,152 float32 is 50 MB."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `x @ weight.T + bias`: (rows, d_in), (d_out, d_in) -> (rows, d_out)."""
    return _Linear.apply(x, weight, bias)  # pyright: ignore[reportReturnType]


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.weight = weight  # pyright: ignore[reportAttributeAccessIssue]
        return _multiply(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        return _multiply_back(grad, ctx.weight), None, None  # pyright: ignore[reportAttributeAccessIssue]


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    # Torch gives float32 products on a CPU to MKL, which takes AVX2 code on AMD machines; oneDNN, which
    # is in the same binary, uses AVX-512 there and is twice as fast.
    if _by_onednn(x):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return functional.linear(x, weight, bias)


def _multiply_back(grad: Tensor, weight: Tensor) -> Tensor:
    if _by_onednn(grad):
        return torch.ops.mkldnn._linear_pointwise(grad, weight.t(), None, "none", [], "")
    return grad @ weight


def _by_onednn(x: Tensor) -> bool:
    return _ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32 and x.shape[0] > 1


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Return x over its root mean square, times the weight; the mean square in float32: (rows, d) -> (rows, d)."""
    return _RmsNorm.apply(x, weight, eps)  # pyright: ignore[reportReturnType]


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        scale = _inverse_rms(x, eps)
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        grad = grad * weight
        along = (grad * x).mean(-1, keepdim=True, dtype=torch.float32)
        along = (along * scale.float().pow(3)).to(x.dtype)
        return grad.mul_(scale).addcmul_(x, along, value=-1), None, None


def _inverse_rms(x: Tensor, eps: float) -> Tensor:
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=_wide(x))
    return norm.square_().div_(x.shape[-1]).add_(eps).rsqrt_().to(x.dtype)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """Return silu(gate) * up."""
    return functional.silu(gate) * up


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each head's halves by the position's angles: (rows, heads, d_head) with cos and sin (rows, 1, d_head)."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


def attend(query: Tensor, key: Tensor, value: Tensor, blocked: Tensor) -> Tensor:
    """Return attention of grouped heads.

    Args:
        query: (batch, kv_heads, group, pos, d_head).
        key: (batch, kv_heads, keys, d_head).
        value: (batch, kv_heads, keys, d_head).
        blocked: boolean (pos, keys) or (batch, 1, 1, pos, keys), true where a query must not look.

    Returns:
        (batch, kv_heads, group, pos, d_head).
    """
    batch, kv_heads, group, n_pos, d_head = query.shape
    mask = ~blocked if blocked.dim() == 2 else ~blocked.squeeze(1)
    out = functional.scaled_dot_product_attention(
        query.reshape(batch, kv_heads * group, n_pos, d_head), key, value, attn_mask=mask, enable_gqa=group > 1
    )
    return out.view(batch, kv_heads, group, n_pos, d_head)


def label_loss(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy of states (n_labels, d) against targets (n_labels,), in float32.

    The logits of at most `LOSS_ROWS` labels exist at a time, and none are kept for the gradient.
    """
    return _LabelLoss.apply(states, weight, targets)  # pyright: ignore[reportReturnType]


class _LabelLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        total = states.new_zeros((), dtype=_wide(states))
        grad = torch.empty_like(states) if states.requires_grad else None
        for start in range(0, len(states), LOSS_ROWS):
            part = slice(start, start + LOSS_ROWS)
            logits = _multiply(states[part], weight, None).to(_wide(states))
            chosen = targets[part, None]
            log_sum = logits.logsumexp(-1, keepdim=True)
            total += (log_sum - logits.gather(1, chosen)).sum()
            if grad is not None:
                shares = logits.sub_(log_sum).exp_()
                shares.scatter_add_(1, chosen, shares.new_full((1, 1), -1.0).expand_as(chosen))
                grad[part] = _multiply_back((shares / len(states)).to(states.dtype), weight)
        if grad is not None:
            ctx.save_for_backward(grad)
        return total / len(states)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, None, None]:
        (grad,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return grad * upstream.to(grad.dtype), None, None


def token_scores(states: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return each label's cross-entropy (float32) and whether it is the likeliest token: both (n_labels,)."""
    losses, hits = [], []
    for start in range(0, len(states), LOSS_ROWS):
        part = slice(start, start + LOSS_ROWS)
        logits = _multiply(states[part], weight, None).to(_wide(states))
        losses.append(functional.cross_entropy(logits, targets[part], reduction="none"))
        hits.append(logits.argmax(-1) == targets[part])
    return torch.cat(losses), torch.cat(hits)


def _wide(x: Tensor) -> torch.dtype:
    return torch.float64 if x.dtype == torch.float64 else torch.float32
