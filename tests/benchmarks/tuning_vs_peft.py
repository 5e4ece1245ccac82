"""A step of soft prompt-tuning: PEFT's default and PEFT in bfloat16 against ours.

All sides train the same prompt on the same batches of a model of SmolLM2-135M's shape (random weights), in turn, so
that whatever else the machine does falls on all; each step of a side begins at the same prompt. PEFT runs as its
documentation shows it: `get_peft_model` with `PromptTuningConfig`, its forward with labels, `backward`, AdamW; by
default on a float32 model. Ours runs in the app's own number format on this machine and in float32.

Besides seconds: the bytes of weights and of a step's tensors; the share of the arithmetic bound (the operations that a
step needs, over the rate of one large product measured here in the same number format); and what share of our step each
of its parts takes.

    python -m tests.benchmarks.tuning_vs_peft --json
"""

import argparse
from statistics import median
from typing import Any

import torch
from transformers import LlamaConfig

from core.lm.device import choose_dtype
from core.lm.frozen import FrozenModel
from core.lm.kernels import linear
from tests.benchmarks.inside_step import shares, step_bytes
from tests.benchmarks.sides import Side, measured_on, parser, take_turns, tell
from tests.gpu.models import LABEL_SHARE, N_PROMPT, SMOLLM2_135M, TINY, peft_side, random_model, random_work, soft_side
from tests.gpu.steps import matmul_rate, operations, step_of, timed

SHAPES = ((8, 128), (16, 32))
OURS, OURS_WIDE, PEFT, PEFT_BF16 = "ours", "ours, float32", "PEFT", "PEFT, bfloat16"
PRODUCT = 2048
"""Rows and columns of the product whose rate bounds a step."""


def models(config: LlamaConfig) -> dict[str, FrozenModel]:
    """Return a model for each side with the same weights; PEFT changes the one it is given."""
    own = choose_dtype("auto", torch.device("cpu"))
    dtypes = {OURS: own, PEFT: torch.float32, PEFT_BF16: torch.bfloat16}
    if own != torch.float32:
        dtypes[OURS_WIDE] = torch.float32
    return {name: random_model(config, "cpu", dtype) for name, dtype in dtypes.items()}


def product_rate(dtype: torch.dtype, size: int) -> float:
    """Return operations per second of one large product, by torch's way or by ours, whichever is faster."""
    a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
    linear(a, b)
    return max(matmul_rate("cpu", size, dtype), 2 * size**3 / timed(lambda: linear(a, b), 5, "cpu"))


def compare(
    frozen: dict[str, FrozenModel], config: LlamaConfig, shape: tuple[int, int], asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return one case per side: medians, ratios, memory, distance to the bound, and how far its losses are off."""
    sides = {name: (peft_side if name.startswith("PEFT") else soft_side)(one) for name, one in frozen.items()}
    turns = asked.warm_up + asked.repeats
    work = [random_work(*shape, config.vocab_size, "cpu", seed=turn) for turn in range(turns)]
    times = take_turns(sides, work, lambda _: PEFT, str(shape))
    seconds = {name: median(values[asked.warm_up :]) for name, values in times.seconds.items()}
    needed = operations(config, *shape, len(work[0].batch.targets))
    held = {name: step_bytes(step_of(side, work[0])) for name, side in sides.items()}
    weights = {name: sum(p.nbytes for p in one.model.parameters()) for name, one in frozen.items()}
    cases = []
    for name, side in sides.items():
        rate = product_rate(frozen[name].dtype, 256 if asked.tiny else PRODUCT)
        case = {
            "side": name,
            "batch": shape[0],
            "tokens": shape[1],
            "dtype": str(frozen[name].dtype).removeprefix("torch."),
            "seconds": seconds[name],
            "steps_per_second": 1 / seconds[name],
            "ratio_to_peft": seconds[PEFT] / seconds[name],
            "ratio_to_peft_bfloat16": seconds[PEFT_BF16] / seconds[name],
            "weight_bytes": weights[name],
            "step_bytes": held[name],
            "memory_to_peft": (weights[name] + held[name]) / (weights[PEFT] + held[PEFT]),
            "step_memory_to_peft_bfloat16": held[name] / held[PEFT_BF16],
            "operations": needed,
            "product_operations_per_second": rate,
            "share_of_bound": needed / rate / seconds[name],
            "largest_loss_difference": times.apart(PEFT, name),
        }
        cases.append(case | (_shares(side, work[0], config) if name.startswith("ours") else {}))
    return cases


def _shares(side: Side, work: Any, config: LlamaConfig) -> dict[str, float]:
    return {f"share_{part}": share for part, share in shares(step_of(side, work), config).items()}


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the whole document."""
    config = TINY if asked.tiny else SMOLLM2_135M
    frozen = models(config)
    shapes = ((4, 24),) if asked.tiny else SHAPES
    return {
        "benchmark": "tuning_vs_peft",
        "cases": [case for shape in shapes for case in compare(frozen, config, shape, asked)],
        "measured_on": {
            **measured_on(
                "a tiny shape" if asked.tiny else "SmolLM2-135M's shape", "cpu", asked.repeats, asked.warm_up
            ),
            "n_prompt": N_PROMPT,
            "labels": f"the last 1/{LABEL_SHARE} of each example",
        },
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--tiny", action="store_true", help="a tiny shape, to try the script")
    asked = options.parse_args()
    line = "{batch}x{tokens} {side:>15}: {seconds:.3f} s, {ratio_to_peft:.2f} x PEFT, {ratio_to_peft_bfloat16:.2f} x "
    tell(measure(asked), asked.json, line + "PEFT bfloat16, {share_of_bound:.0%} of the bound")


if __name__ == "__main__":
    main()
