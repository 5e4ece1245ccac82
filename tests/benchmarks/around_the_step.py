"""What a run costs beside its steps, here and at an earlier commit.

Both trees tune the same prompts, from two seeds, on one machine in turn: the first run of a study measures the
baselines, the second finds them. The model is a random Llama with a vocabulary of 262,144, of which a few blocks are
enough to see what its logits cost; sums are read as words. `--blocks 18 --width 640` has the size of a model of 270
million parameters.

    python -m tests.benchmarks.around_the_step --against COMMIT --json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.same_numbers import ROOT, earlier_tree

N_VOCABULARY = 262_144
RUN = """
import json, sys, time
from pathlib import Path
from core.specs import TuningSpec
from core.store import Store, create_job
from core.tuning.run import tune

store, found = Store(Path(sys.argv[1])), []
for seed in (0, 1):
    spec = TuningSpec.parse({**json.loads(sys.argv[2]), "seed": seed})
    job, began = create_job(store, "tune", spec.as_json(), f"t-{seed}"), time.process_time()
    result = tune(spec, job, store)
    steps = result["steps"] / result["steps_per_second"]
    found.append({"seconds": result["seconds"], "steps": steps, "processor": time.process_time() - began})
print(json.dumps(found))
"""


def write_inputs(folder: Path, blocks: int, width: int) -> dict[str, Any]:
    """Write the model and the sums, and return the run's spec as JSON."""
    from tests.llama import SPECIAL, write_llama

    words = ["What", "is", "+", "?", *map(str, range(N_VOCABULARY - len(SPECIAL) - 4))]
    sizes = {"hidden_size": width, "intermediate_size": 2048, "num_hidden_layers": blocks}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256}
    write_llama(folder / "model", words, characters=False, **sizes, **heads)
    rows = [{"q": f"What is {i} + {j} ?", "a": str(i + j)} for i in range(16) for j in range(16)]
    (folder / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {
        "model": {"name": str(folder / "model"), "device": "cpu", "dtype": "float32"},
        "dataset": {"name": "file", "path": str(folder / "sums.jsonl"), "prompt_column": "q", "answer_column": "a"},
        "prior": {"kind": "isotropic"},
        "batch_size": 16,
        "evaluate_every": 12,
        "n_validation": 32,
        "snapshot_every": 100,
        "checkpoint_every": 100,
    }


def measure(tree: Path, cache: Path, spec: dict[str, Any]) -> list[dict[str, float]]:
    """Return seconds, seconds of steps, and processor seconds of two runs of a tree, each with its share around."""
    command = [sys.executable, "-c", RUN, str(cache), json.dumps(spec)]
    done = subprocess.run(
        command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{tree}: the run failed:\n{done.stderr}")
    runs = json.loads(done.stdout.splitlines()[-1])
    for run in runs:
        run |= {"around": run["seconds"] - run["steps"], "share": 1 - run["steps"] / run["seconds"]}
    return runs


def main() -> None:
    """Print what both trees spend around the steps, and the ratio of the second runs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--against", required=True, help="commit to compare with")
    options.add_argument("--blocks", type=int, default=2)
    options.add_argument("--width", type=int, default=640)
    options.add_argument("--steps", type=int, default=24)
    options.add_argument("--answers", type=int, default=64, help="generated answers")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name, earlier_tree(asked.against) as earlier:
        folder = Path(name)
        spec = write_inputs(folder, asked.blocks, asked.width)
        spec |= {"steps": asked.steps, "answer_every": asked.steps, "n_generation": asked.answers}
        before = measure(earlier, folder / "before", spec)
        after = measure(ROOT, folder / "after", spec)
    document = {
        "against": asked.against,
        **{key: vars(asked)[key] for key in ("blocks", "width", "steps", "answers")},
        "before": before,
        "after": after,
        "ratio": [then["around"] / now["around"] for then, now in zip(before, after, strict=True)],
    }
    if asked.json:
        print(json.dumps(document, indent=1))
        return
    for word, runs in (("before", before), ("after", after)):
        for i, run in enumerate(runs):
            around, steps, share = run["around"], run["steps"], run["share"]
            print(f"{word}, run {i + 1}: {around:.1f} s around {steps:.1f} s of steps, {share:.0%} of the run")
    print("around the steps, before / after:", ", ".join(f"{ratio:.1f}" for ratio in document["ratio"]))


if __name__ == "__main__":
    main()
