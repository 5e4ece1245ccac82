"""Llama-3.2-1B's exact shape in bfloat16 with random weights: 1,235,814,400 parameters, 2.5 GB.

A soft step, a deep step at the paper's sites (the embeddings and the last three blocks) and at the last three blocks
alone, all without a kept trunk, and the capture of exact moments at all 17 sites, ours and transformers'; seconds,
bytes beside the weights, and the share of the arithmetic bound. From these follows what the steps of the paper's study
would take here if no run ended early: the runs are those of `python -m core reproduce --paper --dry-run`, and a step's
time is taken as proportional to its rows. Evaluations and answers come on top.

    python -m tests.benchmarks.large_model --json
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import torch
from transformers import LlamaConfig

from core.activations.estimate import tokens_guessed
from core.lm.frozen import FrozenModel
from core.specs import StudySpec, TuningSpec
from core.specs.tuning import PAPER_SITES
from core.studies.arms import arms
from tests.benchmarks.inside_step import step_bytes
from tests.benchmarks.sides import largest_memory, measured_on, parser, show
from tests.benchmarks.tuning_vs_peft import PRODUCT, product_rate
from tests.gpu.capture import capture_rates
from tests.gpu.models import LLAMA_1B, N_PROMPT, TINY, deep_side, random_model, random_work, soft_side
from tests.gpu.steps import alternate, operations, step_of

BATCH, TOKENS = 8, 128
DTYPE = torch.bfloat16


def steps_of(frozen: FrozenModel, config: LlamaConfig, batch: int, n_tokens: int, repeats: int) -> list[dict[str, Any]]:
    """Return a case per method; they take turns."""
    work = random_work(batch, n_tokens, config.vocab_size, "cpu", seed=0)
    sides = {
        "soft": soft_side(frozen),
        "deep": deep_side(frozen, PAPER_SITES),
        "deep, last three blocks": deep_side(frozen),
    }
    steps = {name: step_of(side, work) for name, side in sides.items()}
    found = alternate(steps, repeats, 1, "cpu")
    bound = operations(config, batch, n_tokens, len(work.batch.targets)) / product_rate(DTYPE, PRODUCT)
    return [
        {
            "what": f"step, {name}",
            "batch": batch,
            "tokens": n_tokens,
            "seconds": row["seconds"],
            "tokens_per_second": batch * n_tokens / row["seconds"],
            "bytes": step_bytes(steps[name]),
            "share_of_bound": bound / row["seconds"] if name == "soft" else None,
        }
        for name, row in found.items()
    ]


def captures_of(frozen: FrozenModel, batch: int, n_tokens: int, repeats: int) -> list[dict[str, Any]]:
    """Return a case per way to capture."""
    found = capture_rates(frozen, batch, n_tokens, repeats)
    return [
        {
            "what": f"capture, {name}",
            "batch": batch,
            "tokens": n_tokens,
            "seconds": row["seconds"],
            "tokens_per_second": row["tokens_per_second"],
        }
        for name, row in found["ways"].items()
    ]


def paper_study(seconds_per_row: dict[str, float]) -> dict[str, Any]:
    """Return the number of tuning runs and steps of the paper's study, and their hours here."""
    runs = [spec for arm in arms(StudySpec.asked("paper")).values() for spec in arm.specs]
    by_method = {method: [run for run in runs if run.method == method] for method in seconds_per_row}
    return {
        "runs": {method: len(own) for method, own in by_method.items()},
        "steps": {method: sum(run.steps for run in own) for method, own in by_method.items()},
        "hours": {method: _rows(own) * seconds_per_row[method] / 3600 for method, own in by_method.items()},
    }


def _rows(runs: Sequence[TuningSpec]) -> float:
    """Return the rows of all steps at the length expected of a data set; a row is a token or vector of an example."""
    return sum(
        run.steps * run.batch_size * (min(tokens_guessed(run.dataset), run.max_length) + run.n_prompt) for run in runs
    )


def measure(asked: Namespace) -> dict[str, Any]:
    """Return the whole document."""
    config, batch, n_tokens = (TINY, 4, 24) if asked.tiny else (LLAMA_1B, BATCH, TOKENS)
    frozen = random_model(config, "cpu", DTYPE)
    cases = steps_of(frozen, config, batch, n_tokens, asked.repeats)
    print("the steps are measured", file=sys.stderr)
    cases += captures_of(frozen, batch, n_tokens, asked.repeats)
    rows = batch * (n_tokens + N_PROMPT)
    pace = {name: case["seconds"] / rows for name, case in zip(("soft", "deep"), cases, strict=False)}
    return {
        "benchmark": "large_model",
        "cases": cases,
        "paper_study": paper_study(pace),
        "process_bytes": largest_memory(),
        "measured_on": {
            **measured_on("a tiny shape" if asked.tiny else "Llama-3.2-1B's shape", "cpu", asked.repeats, 1),
            "dtype": str(DTYPE).removeprefix("torch."),
        },
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.set_defaults(repeats=1)
    options.add_argument("--tiny", action="store_true", help="a tiny shape, to try the script")
    asked = options.parse_args()
    document = measure(asked)
    lines = [
        "{what:>22}: {seconds:.2f} s, {tokens_per_second:,.0f} tokens/s".format(**case) for case in document["cases"]
    ]
    show(document, asked.json, [*lines, f"the paper's study: {document['paper_study']}"])


if __name__ == "__main__":
    main()
