"""What a GPU gives: its results against the CPU's, then steps, memory and capture, ours beside PEFT and transformers.

Needs no network and no files: models have random weights of real shapes. In under six minutes on one GPU:

    python -m tests.gpu.run --json > gpu.json

`--tiny` does the same on tiny shapes, so that a machine without a GPU tests the script itself.
"""

import argparse
import gc
import json
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from transformers import LlamaConfig

from tests.gpu.capture import capture_rates
from tests.gpu.checks import check
from tests.gpu.models import LLAMA_1B, SMOLLM2_135M, TINY, deep_side, peft_side, random_model, random_work, soft_side
from tests.gpu.steps import Step, alternate, graph_of, host_waits, matmul_rate, nominal_rate, operations, step_of


@dataclass(frozen=True)
class Shape:
    """A model and a batch to do steps of.

    Attributes:
        name: for people.
        config: of the model.
        batch: examples.
        n_tokens: tokens per example.
        steps: per turn.
    """

    name: str
    config: LlamaConfig
    batch: int
    n_tokens: int
    steps: int


LARGE = Shape("Llama-3.2-1B's shape", LLAMA_1B, 16, 256, 8)
SMALL = (
    Shape("SmolLM2-135M's shape", SMOLLM2_135M, 16, 32, 10),
    Shape("SmolLM2-135M's shape", SMOLLM2_135M, 4, 64, 10),
)
TINY_SHAPE = Shape("a tiny shape", TINY, 4, 24, 2)


def step_table(shape: Shape, device: str, rate: float, rounds: int) -> dict[str, Any]:
    """Return seconds, memory, ratio to PEFT and share of the arithmetic of the steps of one shape."""
    dtype = torch.bfloat16
    work = random_work(shape.batch, shape.n_tokens, shape.config.vocab_size, device, seed=0)
    frozen = random_model(shape.config, device, dtype)
    steps: dict[str, Step] = {
        "soft": step_of(soft_side(frozen), work),
        "deep, cut": step_of(deep_side(frozen), work),
        "PEFT, bfloat16": step_of(peft_side(random_model(shape.config, device, dtype)), work),
        "PEFT, default": step_of(peft_side(random_model(shape.config, device, torch.float32)), work),
    }
    if device.startswith("cuda"):
        steps["soft, one CUDA graph"] = graph_of(soft_side(frozen), work)
    found = alternate(steps, rounds, shape.steps, device)
    waits = host_waits(steps["soft"])
    needed = operations(shape.config, shape.batch, shape.n_tokens, len(work.batch.targets))
    nominal = nominal_rate(torch.cuda.get_device_name()) if device.startswith("cuda") else None
    for name, row in found.items():
        row["tokens_per_second"] = shape.batch * shape.n_tokens / row["seconds"]
        row["ratio_to_peft_bfloat16"] = found["PEFT, bfloat16"]["seconds"] / row["seconds"]
        row["ratio_to_peft_default"] = found["PEFT, default"]["seconds"] / row["seconds"]
        if name.startswith("soft"):
            row["share_of_measured_matmul"] = needed / row["seconds"] / rate
            row["model_flop_utilisation"] = needed / row["seconds"] / nominal if nominal else None
    return {
        "name": shape.name,
        "batch": shape.batch,
        "tokens": shape.n_tokens,
        "labels": len(work.batch.targets),
        "operations": needed,
        "host_waits_per_step": waits,
        "steps": found,
    }


def measure(device: str, tiny: bool) -> dict[str, Any]:
    """Do everything and return the whole document."""
    began = time.perf_counter()
    document: dict[str, Any] = {"benchmark": "gpu", "checks": check(device)}
    _tell("checked", began)
    rate = matmul_rate(device, 256 if tiny else 8192, torch.bfloat16)
    document["matmul_operations_per_second"] = rate
    shapes = (TINY_SHAPE,) if tiny else (LARGE, *SMALL)
    document["shapes"] = []
    for shape in shapes:
        document["shapes"].append(step_table(shape, device, rate, rounds=1 if tiny else 3))
        gc.collect()
        _tell(f"{shape.name} {shape.batch} × {shape.n_tokens}", began)
    frozen = random_model(TINY if tiny else LLAMA_1B, device, torch.bfloat16)
    document["capture"] = capture_rates(frozen, *((4, 24, 2) if tiny else (32, 512, 6)))
    _tell("captured", began)
    document["seconds"] = time.perf_counter() - began
    document["measured_on"] = {
        "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        "packages": {name: version(name) for name in ("torch", "transformers", "peft")},
        "cuda": torch.version.cuda,
    }
    return document


def _tell(what: str, began: float) -> None:
    print(f"{time.perf_counter() - began:6.1f} s  {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print, and exit with 1 where a result differs from the CPU's."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cuda", help="device to measure")
    options.add_argument("--tiny", action="store_true", help="tiny shapes, to test the script without a GPU")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    asked = options.parse_args()
    document = measure(asked.device, asked.tiny)
    if asked.json:
        print(json.dumps(document, indent=1))
    else:
        from tests.gpu.report import table

        print(table(document))
    sys.exit(not all(case["passed"] for case in document["checks"]))


if __name__ == "__main__":
    main()
