"""A step of soft prompt-tuning: PEFT's default against ours.

Both sides train the same prompt on the same batches of the same model, in turn, so that whatever else the machine does
falls on both; each step of a side begins at the same prompt. PEFT runs as its documentation shows it: `get_peft_model`
with `PromptTuningConfig` on a float32 model, its forward with labels, `backward`, AdamW. Ours runs in the app's own
number format on this machine and in float32.

    python -m tests.benchmarks.tuning_vs_peft --json
"""

from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from peft import PromptTuningConfig, TaskType, get_peft_model
from torch import Tensor

from core.lm.batch import IGNORED, Batch, Example, collate
from core.lm.frozen import FrozenModel, private_copy
from core.lm.load import load_model
from core.lm.prompted import build_prompted
from core.specs import ModelSpec
from core.store import Store
from tests.benchmarks.sides import Side, measured_on, parser, take_turns, tell

SHAPES = ((8, 128), (16, 32))
N_PROMPT = 20
LABEL_SHARE = 4
"""One token in so many, the last ones, is a label: an answer after its question."""


@dataclass(frozen=True)
class Work:
    """One batch, for both sides."""

    ids: Tensor
    labels: Tensor
    batch: Batch


def make_work(batch_size: int, n_tokens: int, tokenizer: Any, seed: int) -> Work:
    """Return sums and their answers, one after the other up to the length."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(batch_size):
        pairs = rng.integers(0, 1000, (n_tokens // 8, 2)).tolist()
        text = " ".join(f"What is {a} + {b}? {a + b}." for a, b in pairs)
        rows.append(tokenizer(text, add_special_tokens=False).input_ids[:n_tokens])
    ids = np.array(rows)
    labels = ids.copy()
    labels[:, : n_tokens - n_tokens // LABEL_SHARE] = IGNORED
    examples = [Example(tuple(row), tuple(known)) for row, known in zip(ids.tolist(), labels.tolist(), strict=True)]
    return Work(torch.from_numpy(ids), torch.from_numpy(labels), collate(examples))


def peft_side(frozen: FrozenModel, prompt: Tensor) -> Side:
    """Return PEFT's way."""
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=len(prompt))
    model: Any = get_peft_model(frozen.model, config)
    (trained,) = (parameter for parameter in model.parameters() if parameter.requires_grad)
    with torch.no_grad():
        trained.copy_(prompt)
    return Side(trained, lambda work: model(input_ids=work.ids, labels=work.labels).loss)


def our_side(frozen: FrozenModel, prompt: Tensor) -> Side:
    """Return our way."""
    prompted = build_prompted(frozen)
    trained = prompt[None].clone().requires_grad_()
    return Side(trained, lambda work: prompted.loss(trained, work.batch))


def compare(models: dict[str, FrozenModel], shape: tuple[int, int], repeats: int, warm_up: int) -> list[dict[str, Any]]:
    """Return one case a number format: medians, ratio, and how far the losses are apart."""
    reference = models["peft"]
    rng = np.random.default_rng(0)
    prompt = torch.from_numpy(rng.normal(0, 0.02, (N_PROMPT, reference.d_model)).astype(np.float32))
    sides = {name: our_side(frozen, prompt) for name, frozen in models.items() if name != "peft"}
    sides["peft"] = peft_side(reference, prompt)
    work = [make_work(*shape, reference.tokenizer, seed=turn) for turn in range(warm_up + repeats)]
    times = take_turns(sides, work, lambda _: "peft", str(shape))
    medians = {name: median(values[warm_up:]) for name, values in times.seconds.items()}
    return [
        {
            "name": f"{shape[0]}x{shape[1]} {name}",
            "batch": shape[0],
            "tokens": shape[1],
            "dtype": str(models[name].dtype).removeprefix("torch."),
            "app_default": name == "auto",
            "ratio": medians["peft"] / medians[name],
            "peft_seconds": medians["peft"],
            "our_seconds": medians[name],
            "largest_loss_difference": times.apart("peft", name),
        }
        for name in sides
        if name != "peft"
    ]


def measure(model: str, repeats: int, warm_up: int) -> dict[str, Any]:
    """Return the whole document."""
    store = Store.default()
    specs = {name: ModelSpec(name=model, device="cpu", dtype=name) for name in ("auto", "float32")}
    models = {name: load_model(spec, store) for name, spec in specs.items()}
    # PEFT changes the model it is given, so it gets modules of its own around the same weights.
    models["peft"] = private_copy(models["float32"])
    frozen = models["auto"]
    return {
        "benchmark": "tuning_vs_peft",
        "cases": [case for shape in SHAPES for case in compare(models, shape, repeats, warm_up)],
        "measured_on": {
            **measured_on(model, str(frozen.device), repeats, warm_up),
            "n_prompt": N_PROMPT,
            "labels": f"the last 1/{LABEL_SHARE} of each example",
        },
    }


def main() -> None:
    """Measure and print."""
    chosen = parser(__doc__).parse_args()
    document = measure(chosen.model, chosen.repeats, chosen.warm_up)
    line = "{name:>16}: PEFT {peft_seconds:.2f} s, ours {our_seconds:.2f} s, ratio {ratio:.2f}, "
    tell(document, chosen.json, line + "losses within {largest_loss_difference:.1e}")


if __name__ == "__main__":
    main()
