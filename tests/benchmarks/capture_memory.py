"""Whether the memory of a capture grows with its data set: a tenth of the tokens against all, each in its own process.

A random Llama of two blocks reads texts of random words at all three sites; 5,000 rows are kept and moments are summed
over all tokens. Both sides make the same capture first of a few texts, so that what torch and the libraries take once
is not counted. `ratio` is the largest memory with all tokens over that with a tenth, 1 if it is flat;
`growth_bytes_a_token` is what is left of a slope: a corpus keeps a few numbers of each token, and its text.

    python -m tests.benchmarks.capture_memory --json
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.page_times import write_model, write_texts
from tests.benchmarks.sides import in_process, largest_memory, machine

N_TOKENS = 1_000_000
N_WORDS = 500
N_VOCABULARY = 2000
D_MODEL = 288
FEW_TEXTS = 20


def capture_texts(model: Path, texts: Path, n_texts: int) -> dict[str, Any]:
    """Capture the first texts of a file, and return the process's largest memory with what was done."""
    from core.activations.capture import capture
    from core.specs import CloudSpec, DatasetSpec, ModelSpec
    from core.store import Store

    def spec(samples: int) -> CloudSpec:
        dataset = DatasetSpec(name="file", path=str(texts), samples=samples)
        return CloudSpec(model=ModelSpec(name=str(model), device="cpu", dtype="float32"), dataset=dataset)

    store = Store.default()
    capture(spec(FEW_TEXTS), store)
    before = largest_memory()
    cloud, _ = capture(spec(n_texts), store)
    return {
        "tokens": cloud.info["n_tokens_read"],
        "seconds": cloud.info["seconds"],
        "tokens_per_second": cloud.info["tokens_per_second"],
        "memory_before": before,
        "memory": largest_memory(),
    }


def side(folder: Path, n_tokens: int) -> dict[str, Any]:
    """Run one side in a process of its own, with a cache and a file of its own."""
    texts = folder / f"texts-{n_tokens}.txt"
    write_texts(texts, N_VOCABULARY, n_tokens // N_WORDS, N_WORDS)
    return in_process(
        "tests.benchmarks.capture_memory",
        ["--side", str(n_tokens), "--folder", str(folder)],
        {"PRIORSCOPE_CACHE": str(folder / f"cache-{n_tokens}")},
    )


def measure(n_tokens: int) -> dict[str, Any]:
    """Return the benchmark's document."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_model(folder / "model", N_VOCABULARY, D_MODEL)
        tenth, whole = side(folder, n_tokens // 10), side(folder, n_tokens)
    growth = (whole["memory"] - tenth["memory"]) / (whole["tokens"] - tenth["tokens"])
    return {
        "benchmark": "capture_memory",
        "ratio": whole["memory"] / tenth["memory"],
        "growth_bytes_a_token": growth,
        "all_activations_bytes_a_token": 4 * D_MODEL * 3,
        "a_tenth": tenth,
        "whole": whole,
        "measured_on": machine(),
    }


def main() -> None:
    """Print the document, or be one of its sides."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    options.add_argument("--tokens", type=int, default=N_TOKENS, help="of the larger side")
    options.add_argument("--side", type=int, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.side:
        texts = asked.folder / f"texts-{asked.side}.txt"
        print(json.dumps(capture_texts(asked.folder / "model", texts, asked.side // N_WORDS)))
        return
    document = measure(asked.tokens)
    if asked.json:
        print(json.dumps(document))
        return
    for name in ("a_tenth", "whole"):
        facts = document[name]
        print(
            f"{facts['tokens']:,} tokens: {facts['memory'] / 1e6:,.0f} MB at most, "
            f"{facts['tokens_per_second']:,.0f} tokens/s"
        )
    print(f"ratio {document['ratio']:.2f}, {document['growth_bytes_a_token']:.0f} bytes a further token")


if __name__ == "__main__":
    main()
