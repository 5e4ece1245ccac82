"""Training steps on a device: seconds, peak memory, and what share of the device's arithmetic they use."""

import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from transformers import LlamaConfig

from tests.benchmarks.sides import LEARNING_RATE, Side, Work
from tests.gpu.models import N_PROMPT

Step = Callable[[], object]
NOMINAL_BF16 = {"H100": 989.4e12, "H200": 989.4e12, "A100": 312e12}
"""Dense bfloat16 operations per second as the maker states them, for the boards with SXM sockets."""


def synchronise(device: str) -> None:
    """Wait until the device has done everything it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def step_of(side: Side, work: Work) -> Step:
    """Return what gives the device one step without reading anything back."""

    def step() -> None:
        side.optimizer.zero_grad(set_to_none=True)
        side.loss(work).backward()
        side.optimizer.step()

    return step


def graph_of(side: Side, work: Work) -> Step:
    """Return the same step as one CUDA graph, which shows what launching costs: only this batch can be replayed."""
    optimizer = torch.optim.AdamW([side.prompt], lr=LEARNING_RATE, weight_decay=0, capturable=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        side.loss(work).backward()
        optimizer.step()

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    optimizer.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay(_read: tuple[object, ...] = (side, optimizer, work)) -> None:
        # The graph reads the memory of what it was captured from, which therefore has to live as long as it does.
        graph.replay()

    return replay


def alternate(steps: dict[str, Step], rounds: int, n_steps: int, device: str) -> dict[str, dict[str, Any]]:
    """Let the steps take turns, and return each one's median seconds and what memory it takes beside what is held."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    peaks: dict[str, int] = {}
    for number in range(rounds + 1):
        for name, step in steps.items():
            held = _reset_peak(device)
            taken = timed(step, n_steps, device)
            if number:  # the first round warms up
                seconds[name].append(taken)
            peaks[name] = torch.cuda.max_memory_allocated() - held if device.startswith("cuda") else 0
    return {
        name: {"seconds": median(values), "all_seconds": values, "step_bytes": peaks[name] or None}
        for name, values in seconds.items()
    }


def timed(step: Step, n_steps: int, device: str) -> float:
    """Return seconds per step over a run of steps that the host gives without waiting in between."""
    synchronise(device)
    began = time.perf_counter()
    for _ in range(n_steps):
        step()
    synchronise(device)
    return (time.perf_counter() - began) / n_steps


def _reset_peak(device: str) -> int:
    if not device.startswith("cuda"):
        return 0
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def operations(config: LlamaConfig, batch: int, n_tokens: int, n_labels: int) -> float:
    """Return the floating-point operations that a step of a soft prompt needs, with every weight frozen.

    Each product with a weight counts twice, forward and for the gradient of its input; there is no gradient of
    weights. Attention counts its two products forward and four backward, over the half of the pairs that a causal
    model sees. What a program computes beside or again does not count.
    """
    d, ff, n_layers = (
        int(config.hidden_size or 0),
        int(config.intermediate_size or 0),
        int(config.num_hidden_layers or 0),
    )
    n_heads, n_kv = int(config.num_attention_heads or 0), int(config.num_key_value_heads or 0)
    d_head = int(getattr(config, "head_dim", None) or d // n_heads)
    block = d * d_head * (2 * n_heads + 2 * n_kv) + 3 * d * ff
    rows = batch * n_tokens + N_PROMPT + 1
    keys = N_PROMPT + 1 + (n_tokens + 1) / 2
    attention = 6 * 2 * batch * n_tokens * keys * n_heads * d_head
    return n_layers * (4 * block * rows + attention) + 4 * d * int(config.vocab_size or 0) * n_labels


def matmul_rate(device: str, size: int, dtype: torch.dtype) -> float:
    """Return the operations per second of one large matrix product, as measured here."""
    a, b = (torch.randn(size, size, device=device, dtype=torch.float32).to(dtype) for _ in range(2))
    for _ in range(3):
        torch.matmul(a, b)
    synchronise(device)
    began = time.perf_counter()
    for _ in range(10):
        torch.matmul(a, b)
    synchronise(device)
    return 10 * 2 * size**3 / (time.perf_counter() - began)


def nominal_rate(name: str) -> float | None:
    """Return the maker's dense bfloat16 rate of a device, or None where it is not on the list."""
    return next((rate for board, rate in NOMINAL_BF16.items() if board in name), None)


def host_waits(step: Step) -> int | None:
    """Return how often the host waits for the device within a step; None without CUDA."""
    if not torch.cuda.is_available():
        return None
    torch.cuda.synchronize()
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode(before)
    return sum("synchroniz" in str(warning.message) for warning in caught)
