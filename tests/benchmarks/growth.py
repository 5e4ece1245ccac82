"""How time and memory grow: tokens, batch, width, blocks, vectors and vocabulary, up to 262,144 tokens.

Random Llamas of small sizes; one size grows at a time, by doublings, and the others stay. Of each: a soft step and a
deep step (cut prompts at the last two blocks) in the app's own number format on this machine, the bytes of tensors that
they hold beside the weights, and the capture of exact moments at all sites, ours and transformers'. `exponent` is the
slope of the logarithm of time, or bytes, in the logarithm of the size, over its upper half: 1 is proportional. How a
capture grows with documents is measured by `capture_vs_peers` and `capture_memory`.

    python -m tests.benchmarks.growth --json
"""

import math
import sys
from argparse import Namespace
from typing import Any

import torch

from core.lm.device import choose_dtype
from tests.benchmarks.inside_step import step_bytes
from tests.benchmarks.sides import measured_on, parser, show
from tests.gpu.capture import capture_rates
from tests.gpu.models import deep_side, llama, random_model, random_work, soft_side
from tests.gpu.steps import alternate, step_of

BASE = {"tokens": 64, "batch": 8, "width": 256, "blocks": 4, "vectors": 20, "vocabulary": 4096}
GROWN = {
    "tokens": (64, 128, 256, 512),
    "batch": (8, 16, 32, 64),
    "width": (128, 256, 512, 1024),
    "blocks": (4, 8, 16, 32),
    "vectors": (20, 40, 80, 160),
    "vocabulary": (4096, 32_768, 262_144),
}
MEASURED = ("soft_seconds", "deep_seconds", "soft_step_bytes", "deep_step_bytes", "capture_seconds")
HEAD = 64
LAST_TWO = (-2, -1)


def sizes_of(axis: str, size: int) -> dict[str, int]:
    """Return all sizes where one of them has grown."""
    return BASE | {axis: size}


def measure_size(axis: str, size: int, repeats: int) -> dict[str, Any]:
    """Return what one size takes."""
    own = sizes_of(axis, size)
    heads = own["width"] // HEAD
    context = {"vocab_size": own["vocabulary"], "max_position_embeddings": 2048}
    config = llama(own["width"], 4 * own["width"], own["blocks"], heads, heads // 2, **context)
    dtype = choose_dtype("auto", torch.device("cpu"))
    frozen = random_model(config, "cpu", dtype)
    work = random_work(own["batch"], own["tokens"], own["vocabulary"], "cpu", seed=0)
    sides = {"soft": soft_side(frozen, own["vectors"]), "deep": deep_side(frozen, LAST_TWO, own["vectors"])}
    steps = {name: step_of(side, work) for name, side in sides.items()}
    found = alternate(steps, repeats, 1, "cpu")
    read = capture_rates(frozen, own["batch"], own["tokens"], repeats)
    print(
        f"{axis} {size}: " + ", ".join(f"{name} {row['seconds']:.3f} s" for name, row in found.items()), file=sys.stderr
    )
    return {
        "axis": axis,
        "size": size,
        "parameters": sum(parameter.numel() for parameter in frozen.model.parameters()),
        **{f"{name}_seconds": row["seconds"] for name, row in found.items()},
        **{f"{name}_step_bytes": step_bytes(step) for name, step in steps.items()},
        "capture_seconds": read["ways"]["ours"]["seconds"],
        "capture_ratio": read["ratio"],
    }


def exponents(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the slope of each measure over the upper half of the sizes."""
    low, high = rows[(len(rows) - 1) // 2], rows[-1]
    grown = math.log(high["size"] / low["size"])
    return {name: math.log(high[name] / low[name]) / grown for name in MEASURED}


def measure(asked: Namespace) -> dict[str, Any]:
    """Return the whole document."""
    axes = {axis: sizes[: asked.sizes] for axis, sizes in GROWN.items()}
    cases = [measure_size(axis, size, asked.repeats) for axis, sizes in axes.items() for size in sizes]
    return {
        "benchmark": "growth",
        "cases": cases,
        "exponents": [
            {"axis": axis, **exponents([case for case in cases if case["axis"] == axis])}
            for axis, sizes in axes.items()
            if len(sizes) > 1
        ],
        "base": BASE,
        "measured_on": measured_on("random Llamas", "cpu", asked.repeats, 1),
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.set_defaults(repeats=3)
    options.add_argument("--sizes", type=int, default=4, help="doublings per axis, from the smallest")
    asked = options.parse_args()
    document = measure(asked)
    show(document, asked.json, map(_line, document["exponents"]))


def _line(row: dict[str, Any]) -> str:
    return f"{row['axis']:>10}: " + ", ".join(f"{name} ~ size^{row[name]:.2f}" for name in MEASURED)


if __name__ == "__main__":
    main()
