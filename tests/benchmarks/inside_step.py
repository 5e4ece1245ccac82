"""What a step holds in memory and where its time goes, as torch's profiler sees it."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch.profiler import ProfilerActivity, profile
from transformers import LlamaConfig

Step = Callable[[], object]
PARTS = ("embedding", "attention", "MLP", "norms", "head", "optimiser", "other")


def step_bytes(step: Step) -> int:
    """Return the most bytes of tensors that a step holds beside those that were there before it.

    Each allocation counts, whatever the allocator keeps of it, so that both sides are asked the same.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        step()
    return most_held(seen)


def most_held(seen: profile) -> int:
    """Return the most bytes that were held at once while a profile ran."""
    profiler: Any = seen.profiler
    held = most = 0
    for event in profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def shares(step: Step, config: LlamaConfig) -> dict[str, float]:
    """Return the share of each part of our step's processor time; products are told apart by their shapes."""
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        step()
    spent: Counter[str] = Counter(dict.fromkeys(PARTS, 0.0))
    events: Any = seen.events()
    for event in events:
        spent[_part(event, config)] += event.self_cpu_time_total
    total = sum(spent.values())
    return {part: spent[part] / total for part in PARTS}


def _part(event: Any, config: LlamaConfig) -> str:
    sizes: set[int] = set()
    while event is not None:
        sizes |= {size for shape in event.input_shapes or () for size in (shape if isinstance(shape, list) else ())}
        for name, part in _NAMES.items():
            if name in event.name:
                return part
        if "_Linear" in event.name:
            return "MLP" if config.intermediate_size in sizes else "attention"
        event = event.cpu_parent
    return "other"


_NAMES = {
    "aten::embedding": "embedding",
    "_Attend": "attention",
    "scaled_dot_product": "attention",
    "_Gated": "MLP",
    "_RmsNorm": "norms",
    "_LabelLoss": "head",
    "Optimizer.": "optimiser",
}
"""Part of what a name is in; products with weights (`_Linear`) are told apart by their shapes."""
