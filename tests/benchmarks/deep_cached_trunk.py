"""A step of deep prompt-tuning on the last three blocks: with the frozen trunk kept, without, and PEFT's prefix-tuning.

Four sides train 20 vectors on the same batches of the same model, in turn, so that whatever else the machine does
falls on all: our deep prompts whose trunk (all blocks below the first prompted one) was computed once for each example;
the same job with the trunk run anew each step, whose backward pass ends at the first prompted block as well; and PEFT
as its documentation shows it (`get_peft_model` with `PrefixTuningConfig`, its forward with labels, `backward`, AdamW)
on a float32 model, its default, and on a bfloat16 one. Ours runs in the app's own number format on this machine and in
float32. Batches are real: sums and their answers from DeepMind's generator, and SQuAD's questions on passages. In sums
a quarter of the tokens are labels, and their logits cost what no trunk saves.

    python -m tests.benchmarks.deep_cached_trunk --json
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from peft import PrefixTuningConfig, TaskType, get_peft_model
from torch import Tensor

from core.lm.batch import IGNORED, Batch, Example, collate
from core.lm.frozen import FrozenModel, private_copy
from core.lm.load import load_model
from core.lm.prompted import FastPrompted
from core.progress import silent
from core.sources.datasets import load_dataset
from core.specs import DatasetSpec, ModelSpec
from core.store import Store
from core.tuning.examples import prepare
from core.tuning.trunk import kept_trunk
from tests.benchmarks.sides import Side, measured_on, parser, take_turns, tell

N_PROMPT = 20
N_BLOCKS = 3
BATCH = 16
LONGEST = 256
PEFT, PEFT_BF16 = "PEFT", "PEFT, bfloat16"


@dataclass(frozen=True)
class Work:
    """One batch, for all sides: as ours takes it, and as a model of transformers does."""

    batch: Batch
    ids: Tensor
    labels: Tensor
    mask: Tensor


def make_work(examples: Sequence[Example]) -> Work:
    """Return a batch of examples."""
    batch = collate(examples)
    labels = torch.full_like(batch.ids, IGNORED)
    labels[batch.example, batch.position + 1] = batch.targets
    mask = (torch.arange(batch.ids.shape[1]) < batch.lengths[:, None]).long()
    return Work(batch, batch.ids, labels, mask)


def peft_side(frozen: FrozenModel) -> Side:
    """Return PEFT's prefix-tuning, which prompts the keys and values of every block."""
    config = PrefixTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=N_PROMPT)
    model: Any = get_peft_model(frozen.model, config)
    (trained,) = (parameter for parameter in model.parameters() if parameter.requires_grad)

    def loss(work: Work) -> Tensor:
        return model(input_ids=work.ids, labels=work.labels, attention_mask=work.mask).loss

    return Side(trained, loss)


def our_side(frozen: FrozenModel, prompt: Tensor, examples: Sequence[Example], store: Store | None) -> Side:
    """Return our deep prompts; with a store, the trunk is kept there."""
    sites = tuple(range(frozen.n_layers - N_BLOCKS, frozen.n_layers))
    prompted = FastPrompted(frozen, "before_bos", sites, kept=False)
    if store is not None:
        prompted.trunk, _ = kept_trunk(prompted, N_PROMPT, examples, store, silent)
    trained = prompt.clone().requires_grad_()
    return Side(trained, lambda work: prompted.loss(trained, work.batch))


def batches(dataset: DatasetSpec, tokenizer: Any, n: int, store: Store) -> list[list[Example]]:
    """Return n batches of examples of similar length from a data set, as a run trains on them."""
    data = load_dataset(dataset, store, silent)
    items = prepare(data.records, data.is_task, tokenizer, LONGEST).items
    examples = sorted((item.example for item in items), key=lambda example: len(example.ids))
    if len(examples) < BATCH:
        raise SystemExit(f"{dataset.label} gives {len(examples)} examples of at most {LONGEST} tokens, under {BATCH}.")
    places = np.random.default_rng(0).permutation(len(examples) // BATCH)
    return [examples[BATCH * places[i % len(places)] :][:BATCH] for i in range(n)]


def compare(
    models: dict[str, FrozenModel], dataset: DatasetSpec, repeats: int, warm_up: int, store: Store
) -> list[dict[str, Any]]:
    """Return one case a number format: medians, both ratios, and how far the losses are apart."""
    reference = models[PEFT]
    chosen = batches(dataset, reference.tokenizer, warm_up + repeats, store)
    rng = np.random.default_rng(0)
    prompt = torch.from_numpy(rng.normal(0, 0.02, (N_BLOCKS, N_PROMPT, reference.d_model)).astype(np.float32))
    known = [example for batch in chosen for example in batch]
    sides = {name: peft_side(private_copy(models[name])) for name in (PEFT, PEFT_BF16)}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("auto", "float32"):
            sides[f"{name} cached"] = our_side(models[name], prompt, known, Store(Path(folder)))
            sides[f"{name} uncached"] = our_side(models[name], prompt, known, None)
        work = [make_work(batch) for batch in chosen]
        times = take_turns(sides, work, lambda name: name.replace(" cached", " uncached"), dataset.label)
    medians = {name: median(values[warm_up:]) for name, values in times.seconds.items()}
    cases = []
    for name in ("auto", "float32"):
        cached, uncached = f"{name} cached", f"{name} uncached"
        cases.append(
            {
                "name": f"{dataset.label} {name}",
                "batch": BATCH,
                "median_tokens": median(len(example.ids) for example in known),
                "median_labels": median(example.n_labels for example in known),
                "dtype": str(models[name].dtype).removeprefix("torch."),
                "app_default": name == "auto",
                "ratio": medians[uncached] / medians[cached],
                "ratio_to_peft": medians[PEFT] / medians[cached],
                "ratio_to_peft_bfloat16": medians[PEFT_BF16] / medians[cached],
                "cached_seconds": medians[cached],
                "uncached_seconds": medians[uncached],
                "peft_seconds": medians[PEFT],
                "peft_bfloat16_seconds": medians[PEFT_BF16],
                "largest_loss_difference": times.apart(cached, uncached),
            }
        )
    return cases


def measure(model: str, datasets: Sequence[DatasetSpec], repeats: int, warm_up: int) -> dict[str, Any]:
    """Return the whole document."""
    store = Store.default()
    formats: dict[str, Any] = {"auto": "auto", "float32": "float32", PEFT: "float32", PEFT_BF16: "bfloat16"}
    models = {
        name: load_model(ModelSpec(name=model, device="cpu", dtype=dtype), store) for name, dtype in formats.items()
    }
    return {
        "benchmark": "deep_cached_trunk",
        "cases": [case for dataset in datasets for case in compare(models, dataset, repeats, warm_up, store)],
        "measured_on": {
            **measured_on(model, "cpu", repeats, warm_up),
            "n_prompt": N_PROMPT,
            "prompted": f"the last {N_BLOCKS} of {models['auto'].n_layers} blocks",
        },
    }


def main() -> None:
    """Measure and print."""
    options = parser(__doc__, model=True)
    options.add_argument("--squad", help="a SQuAD JSON file; default: the questions that are found here")
    options.add_argument("--sums-only", action="store_true", help="leave SQuAD out")
    chosen = options.parse_args()
    datasets = [DatasetSpec.parse({"name": "math"}), DatasetSpec.parse({"name": "squad", "path": chosen.squad})]
    document = measure(chosen.model, datasets[: 1 if chosen.sums_only else 2], chosen.repeats, chosen.warm_up)
    line = "{name:>16}: uncached {uncached_seconds:.2f} s, cached {cached_seconds:.2f} s, ratio {ratio:.2f}; "
    line += "PEFT {peft_seconds:.2f} s, ratio {ratio_to_peft:.2f}; losses within {largest_loss_difference:.1e}"
    tell(document, chosen.json, line)


if __name__ == "__main__":
    main()
