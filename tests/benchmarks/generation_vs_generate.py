"""Greedy continuation of a batch of texts: ours against transformers' `generate` with a static cache and with its own.

A model of SmolLM2-135M's shape with random weights, in the app's own number format on this machine, continues texts of
random tokens, all of one length, which suits transformers best. No text ends early on any side. Sides take turns.

    python -m tests.benchmarks.generation_vs_generate --json
"""

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from core.lm.device import choose_dtype
from core.lm.frozen import FrozenModel
from core.lm.generation import generate
from core.lm.prompted import build_prompted
from tests.benchmarks.sides import measured_on, parser, tell
from tests.gpu.models import SMOLLM2_135M, TINY, random_model

BATCH, N_TOKENS, N_NEW = 16, 32, 32
OURS, STATIC, DYNAMIC = "ours", "generate, static cache", "generate, dynamic cache"
Continue = Callable[[], list[list[int]]]


def ways(frozen: FrozenModel, texts: list[list[int]], n_new: int) -> dict[str, Continue]:
    """Return each side's way to the new tokens of each text."""
    prompted = build_prompted(frozen)
    none = torch.zeros(1, 0, frozen.d_model)
    beginning = list(frozen.beginning)
    ids = torch.tensor([beginning + text for text in texts])
    model: Any = frozen.model
    options = {"do_sample": False, "max_new_tokens": n_new, "min_new_tokens": n_new, "pad_token_id": 1}

    def theirs(**cache: str) -> Continue:
        mask = torch.ones_like(ids)
        return lambda: model.generate(ids, attention_mask=mask, **options, **cache)[:, ids.shape[1] :].tolist()

    return {
        OURS: lambda: generate(prompted, none, texts, n_new, ()),
        STATIC: theirs(cache_implementation="static"),
        DYNAMIC: theirs(),
    }


def measure(asked: Namespace) -> dict[str, Any]:
    """Return the whole document."""
    config = TINY if asked.tiny else SMOLLM2_135M
    batch, n_tokens, n_new = (2, 8, 4) if asked.tiny else (BATCH, N_TOKENS, N_NEW)
    frozen = random_model(config, "cpu", choose_dtype("auto", torch.device("cpu")))
    texts = np.random.default_rng(0).integers(2, config.vocab_size, (batch, n_tokens)).tolist()
    sides = ways(frozen, texts, n_new)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    answers: dict[str, list[list[int]]] = {}
    for turn in range(asked.warm_up + asked.repeats):
        for name, way in sides.items():
            began = time.perf_counter()
            answers[name] = way()
            taken = time.perf_counter() - began
            print(f"turn {turn}: {name} {taken:.2f} s", file=sys.stderr)
            if turn >= asked.warm_up:
                seconds[name].append(taken)
    medians = {name: median(values) for name, values in seconds.items()}
    cases = [
        {
            "side": name,
            "batch": batch,
            "tokens": n_tokens,
            "new_tokens": n_new,
            "seconds": medians[name],
            "new_tokens_per_second": batch * n_new / medians[name],
            "our_ratio": medians[name] / medians[OURS],
            "same_first_tokens": float(
                np.mean([a[0] == b[0] for a, b in zip(answers[name], answers[OURS], strict=True)])
            ),
        }
        for name in sides
    ]
    about = measured_on("a tiny shape" if asked.tiny else "SmolLM2-135M's shape", "cpu", asked.repeats, asked.warm_up)
    about["dtype"] = str(frozen.dtype).removeprefix("torch.")
    return {"benchmark": "generation_vs_generate", "cases": cases, "measured_on": about}


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.set_defaults(repeats=3)
    options.add_argument("--tiny", action="store_true", help="a tiny shape, to try the script")
    asked = options.parse_args()
    tell(measure(asked), asked.json, "{side:>24}: {new_tokens_per_second:,.0f} tokens/s, {our_ratio:.2f} x our time")


if __name__ == "__main__":
    main()
