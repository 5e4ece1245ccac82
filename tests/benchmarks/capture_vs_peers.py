"""Capture against TransformerLens' `run_with_cache`, nnsight and transformers' `output_hidden_states`.

A random Llama reads texts of random words, of 8 to 128 tokens, at all sites. Every side gives the same: exact mean and
covariance of all tokens at each site, and a sample of about 5,000 rows; the peers add them up with our `Accumulator`,
batch by batch, so that none has to hold what it read. They read 64 texts at a time in the data's order, as their
documentation does; TransformerLens keeps only the sites asked for (`names_filter`). Ours is the app's whole job: texts
are read and sorted by length, and the cloud, its table and its checksums are written, with the settings that a worker
of the engine is started with. Each side runs in a process of its own, and captures a few texts first, which is not
counted.

Peers take the model in the format its file has, float32, which is TransformerLens' default too; ours takes the app's
own format on this machine and float32, and transformers bfloat16 as well.

    python -m tests.benchmarks.capture_vs_peers --json
"""

import argparse
import importlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.activations.accumulate import Accumulator
from core.engine.memory import CACHES
from tests.benchmarks.sides import in_process, installed, largest_memory, machine, parser, show
from tests.llama import write_llama

N_VOCABULARY = 4096
WIDTH, BLOCKS = 256, 4
SHORTEST, LONGEST = 8, 128
AT_ONCE = 64
ROWS = 5000
FEW_TEXTS = 64
PACKAGES = {"TransformerLens": "transformer-lens", "nnsight": "nnsight"}
OURS, PLAIN = "ours", "output_hidden_states"
SIDES = (OURS, "ours, float32", *PACKAGES, PLAIN, f"{PLAIN}, bfloat16")
Read = Callable[[dict[str, Tensor]], list[Tensor]]
"""From what a tokenizer gives of a batch of texts to the stream (batch, pos, d_model) at each site."""


def write_inputs(folder: Path, n_texts: int) -> None:
    """Write the model, and texts of random words, frequent ones more often."""
    words = [f"w{i}" for i in range(N_VOCABULARY - 3)]
    sizes = {"hidden_size": WIDTH, "intermediate_size": 11 * WIDTH // 4, "num_hidden_layers": BLOCKS}
    write_llama(folder / "model", words, False, **sizes, num_attention_heads=4, num_key_value_heads=2)
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(3.4, 0.6, n_texts).astype(int), SHORTEST, LONGEST)
    texts = [np.minimum(rng.zipf(1.3, length), N_VOCABULARY - 4) for length in lengths]
    (folder / "texts.txt").write_text("\n\n".join(" ".join(f"w{word}" for word in text) for text in texts))


def ours(folder: Path, n_texts: int, dtype: Any) -> int:
    """Capture by the app's own job and return how many tokens were read."""
    from core.activations.capture import capture
    from core.specs import CloudSpec, DatasetSpec, ModelSpec
    from core.store import Store

    model = ModelSpec(name=str(folder / "model"), device="cpu", dtype=dtype)
    dataset = DatasetSpec(name="file", path=str(folder / "texts.txt"), samples=n_texts)
    cloud, _ = capture(CloudSpec(model=model, dataset=dataset, rows=ROWS), Store.default())
    return int(cloud.info["n_tokens_read"])


def transformer_lens(model: Any, tokenizer: Any) -> Read:
    """Return TransformerLens' way."""
    bridges: Any = importlib.import_module("transformer_lens.model_bridge")
    bridge = bridges.TransformerBridge.boot_transformers("model", hf_model=model, tokenizer=tokenizer, device="cpu")
    sites = [*(f"blocks.{k}.hook_resid_pre" for k in range(BLOCKS)), f"blocks.{BLOCKS - 1}.hook_resid_post"]

    def read(batch: dict[str, Tensor]) -> list[Tensor]:
        _, cache = bridge.run_with_cache(batch["input_ids"], names_filter=lambda name: name in sites)
        return [cache[site] for site in sites]

    return read


def nnsight(model: Any, _tokenizer: Any) -> Read:
    """Return nnsight's way."""
    traced: Any = importlib.import_module("nnsight").NNsight(model)

    def read(batch: dict[str, Tensor]) -> list[Tensor]:
        ids = batch["input_ids"]
        with traced.trace(input_ids=ids, use_cache=False):
            streams = list().save()  # noqa: C408  # pyright: ignore[reportAttributeAccessIssue]
            for layer in traced.model.layers:
                streams.append(layer.input)
            streams.append(traced.model.layers[-1].output)
        return streams

    return read


def plain(model: Any, _tokenizer: Any) -> Read:
    """Return transformers' own way; its last site is behind the last norm."""
    return lambda batch: model(**batch, use_cache=False, output_hidden_states=True).hidden_states


@torch.inference_mode()
def sums(read: Read, tokenizer: Any, texts: list[str]) -> int:
    """Add up every site's moments and keep a sample of rows; return how many tokens were read."""
    totals = [Accumulator(WIDTH, torch.device("cpu")) for _ in range(BLOCKS + 1)]
    every = max(1, sum(len(text.split()) for text in texts) // ROWS)
    rows: list[list[Tensor]] = [[] for _ in totals]
    for batch in batches(tokenizer, texts):
        there = batch["attention_mask"].bool()
        for total, kept, stream in zip(totals, rows, read(batch), strict=True):
            points = stream[there]
            total.add(points)
            kept.append(points[::every].float().clone())
    [(total.moments(), torch.cat(kept)) for total, kept in zip(totals, rows, strict=True)]
    return totals[0].count


def batches(tokenizer: Any, texts: list[str]) -> Iterator[dict[str, Tensor]]:
    """Yield texts as tokens, padded to the longest of their batch."""
    for start in range(0, len(texts), AT_ONCE):
        got = tokenizer(texts[start : start + AT_ONCE], return_tensors="pt", padding=True)
        yield {name: got[name] for name in ("input_ids", "attention_mask")}


def peer(name: str, folder: Path) -> Callable[[int], int]:
    """Return a peer's capture of the first texts."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "model")
    tokenizer.pad_token = tokenizer.eos_token
    dtype = torch.bfloat16 if name.endswith("bfloat16") else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=dtype).eval()
    ways = {"TransformerLens": transformer_lens, "nnsight": nnsight}
    read = ways.get(name, plain)(model, tokenizer)
    texts = (folder / "texts.txt").read_text().split("\n\n")
    return lambda n_texts: sums(read, tokenizer, texts[:n_texts])


def run_side(name: str, folder: Path, n_texts: int) -> dict[str, Any]:
    """Be one side: a few texts first, then all of them."""
    dtype = "float32" if name.endswith("float32") else "auto"
    work = (lambda n: ours(folder, n, dtype)) if name.startswith(OURS) else peer(name, folder)
    work(FEW_TEXTS)
    before, began = largest_memory(), time.perf_counter()
    tokens = work(n_texts)
    return {
        "tokens": tokens,
        "seconds": time.perf_counter() - began,
        "memory_before": before,
        "memory": largest_memory(),
    }


def measure(sizes: list[int], repeats: int) -> dict[str, Any]:
    """Return the whole document; the sides take turns."""
    there = [name for name in SIDES if name not in PACKAGES or installed(PACKAGES[name])]
    found: dict[tuple[str, int], list[dict[str, Any]]] = {(name, size): [] for size in sizes for name in there}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_inputs(folder, max(sizes))
        for turn in range(repeats):
            for (name, size), runs in found.items():
                own = {"PRIORSCOPE_CACHE": str(folder / f"cache-{turn}-{name}-{size}")}
                settings = own | {key: str(n) for key, n in CACHES.items()} if name.startswith(OURS) else own
                options = ["--side", name, "--folder", str(folder), "--documents", str(size)]
                runs.append(in_process("tests.benchmarks.capture_vs_peers", options, settings))
    return {
        "benchmark": "capture_vs_peers",
        "cases": [_case(name, size, found) for name, size in found],
        "sites": BLOCKS + 1,
        "d_model": WIDTH,
        "measured_on": {**machine(), "repeats": repeats, "left_out": [name for name in SIDES if name not in there]},
    }


def _case(name: str, size: int, found: dict[tuple[str, int], list[dict[str, Any]]]) -> dict[str, Any]:
    runs, reference = found[name, size], found[OURS, size]
    seconds = median(run["seconds"] for run in runs)
    return {
        "side": name,
        "documents": size,
        "tokens": runs[0]["tokens"],
        "seconds": seconds,
        "tokens_per_second": runs[0]["tokens"] / seconds,
        "our_ratio": seconds / median(run["seconds"] for run in reference),
        "memory": median(run["memory"] for run in runs),
        "memory_taken": median(run["memory"] - run["memory_before"] for run in runs),
    }


def main() -> None:
    """Print the document, or be one of its sides."""
    options = parser(__doc__)
    options.set_defaults(repeats=1)
    options.add_argument("--documents", type=int, nargs="+", default=[1000, 10_000], help="how many; several are told")
    options.add_argument("--side", help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.side:
        print(json.dumps(run_side(asked.side, asked.folder, asked.documents[0])))
        return
    document = measure(asked.documents, asked.repeats)
    line = "{documents:>6} {side:>22}: {tokens_per_second:,.0f} tokens/s, {memory:,.0f} bytes"
    show(document, asked.json, [line.format(**case) for case in document["cases"]])


if __name__ == "__main__":
    main()
