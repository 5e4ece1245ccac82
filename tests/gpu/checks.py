"""The device's results against the CPU's: losses, gradients and streams of the same random model and batch."""

from typing import Any

import torch

from tests.benchmarks.sides import Side
from tests.gpu.models import TINY, deep_side, random_model, random_work, soft_side

TOLERANCE = 2e-5
"""Largest difference in float32, of the summed loss and of the gradient relative to its largest entry: sums run in
another order, and nothing else may differ."""
BF16_TOLERANCE = 2e-2
"""The same between a bfloat16 device and a float32 CPU, of the summed loss alone: a product keeps 8 bits."""


def check(device: str) -> list[dict[str, Any]]:
    """Return a case per method: how far loss and gradient of the device are from the CPU's.

    Returns:
        name, loss, loss_difference, gradient_difference and `passed` each.
    """
    torch.backends.cuda.matmul.allow_tf32 = False
    cases = []
    for name, build in (("soft", soft_side), ("deep, cut", deep_side)):
        loss, gradient = _loss_and_gradient(build, "cpu", torch.float32)
        for dtype in (torch.float32, torch.bfloat16):
            other, its_gradient = _loss_and_gradient(build, device, dtype)
            exact = dtype == torch.float32
            apart = float((its_gradient - gradient).abs().max() / gradient.abs().max())
            passed = abs(other - loss) <= (TOLERANCE if exact else BF16_TOLERANCE) and (not exact or apart <= TOLERANCE)
            cases.append(
                {
                    "name": f"{name}, {str(dtype).removeprefix('torch.')}",
                    "loss": loss,
                    "loss_difference": abs(other - loss),
                    "gradient_difference": apart,
                    "passed": passed,
                }
            )
    return cases


def _loss_and_gradient(build: Any, device: str, dtype: torch.dtype) -> tuple[float, torch.Tensor]:
    """Return the summed loss and gradient of batches of several shapes, one of them twice."""
    side: Side = build(random_model(TINY, device, dtype))
    total = 0.0
    for batch, n_tokens, seed in ((4, 24, 0), (4, 40, 1), (2, 24, 2), (4, 24, 3)):
        loss = side.loss(random_work(batch, n_tokens, TINY.vocab_size, device, seed))
        loss.backward()
        total += float(loss.detach())
    assert side.prompt.grad is not None
    return total, side.prompt.grad.float().cpu()
