"""The numbers of this tree against those of an earlier commit, to the last digit.

Run before a change of structure lands: `python -m tests.benchmarks.same_numbers --against COMMIT`. Both trees do the
same commands (samples of every prior, soft and deep runs, a comparison) on one machine, each in a process and a
cache folder of its own. Prose may differ, for words get better; every number, key, id and tensor must be equal.

Against a commit whose runs are of an earlier version (`core.tuning.VERSION`), `--across` compares what must be equal
all the same: samples, and soft runs with that version's settings spelled out (gradients clipped at 1). Ids and new keys
do not count there, and numbers may differ by a millionth, since losses without a prompt are rounded otherwise now.
"""

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[2]
STORIES = ROOT.parent / "shared" / "data" / "models" / "stories260k"
IDS = ("run", "measured_by", "key")
"""Keys of ids, which hold the version."""
ROUNDED = 1e-6
"""Share by which numbers may differ across versions."""
TIMES = ("seconds", "per_second", "bytes")
"""Endings of the keys that are measured by the clock or depend on the disk."""
PRIORS: dict[str, dict[str, Any]] = {
    "isotropic": {"kind": "isotropic"},
    "xavier": {"kind": "xavier"},
    "gaussian": {"kind": "gaussian", "covariance": "ledoit_wolf"},
    "exclusion": {"kind": "exclusion", "c": 5},
    "rejection": {"kind": "exclusion", "c": 5, "sampler": "rejection"},
    "interpolation": {"kind": "interpolation"},
    "vae": {"kind": "vae"},
    "knn": {"kind": "knn"},
    "mixture": {"kind": "mixture"},
    "vocabulary": {"kind": "vocabulary"},
}
SHORT = (
    *("--samples", "80", "--steps", "8", "--n-prompt", "6", "--batch-size", "4"),
    *("--evaluate-every", "4", "--answer-every", "4", "--clip-norm", "1"),
)
DEEP = ("--method", "deep", "--prompt-sites=-2,-1", "--rate-unit", "relative", "--learning-rate", "0.03")
RUNS: dict[str, tuple[str, ...]] = {
    "soft": ("--prior", "exclusion", "--log-prior-weight", "0.01"),
    "spread": ("--prior", "isotropic", "--spread-weight", "0.1"),
    "deep": ("--prior", "gaussian", *DEEP),
    "deep-mixture": ("--prior", "mixture", "--log-prior-weight", "0.01", *DEEP),
}


@contextmanager
def earlier_tree(commit: str) -> Iterator[Path]:
    """Check a commit out into a folder of its own, which goes afterwards."""
    with tempfile.TemporaryDirectory() as name:
        earlier = Path(name) / "earlier"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(earlier), commit], cwd=ROOT, check=True)
        try:
            yield earlier
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(earlier)], cwd=ROOT, check=True)


def commands(model: Path, folder: Path, across: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the arguments of each command but the comparison, which needs the runs' ids."""
    on_model = ["--model", str(model)]
    for name, prior in PRIORS.items():
        out = ["--out", str(folder / f"{name}.safetensors")]
        yield f"sample {name}", ["sample", "--prior", json.dumps(prior), "--vocabulary", *on_model, "-n", "200", *out]
    for name, options in RUNS.items():
        if across and "deep" in options:  # fitted on activations, now of the training documents alone
            continue
        yield f"tune {name}", ["tune", *on_model, "--dataset", "math", "--dtype", "float32", *SHORT, *options]


def numbers_of(tree: Path, model: Path, across: bool) -> dict[str, Any]:
    """Run every command in a tree and return its documents by name, with a checksum of each tensor file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents: dict[str, Any] = {}
        try:
            for command, arguments in commands(model, folder, across):
                documents[command] = _run(tree, folder, arguments)
            runs = [document["run"] for command, document in documents.items() if command.startswith("tune")]
            if not across:
                documents["compare"] = _run(tree, folder, ["compare", *runs])
        finally:
            stop = (
                "from core.engine.client import stop_engine; from core.store import Store; stop_engine(Store.default())"
            )
            _python(tree, folder, ["-c", stop])
        for tensors in sorted(folder.glob("*.safetensors")):
            prompt = load_file(tensors)["prompt"]
            documents[f"tensor {tensors.stem}"] = [*prompt.shape, hashlib.sha256(prompt.tobytes()).hexdigest()]
    return documents


def _run(tree: Path, folder: Path, arguments: list[str]) -> Any:
    print(f"{tree.name}: {' '.join(arguments[:3])}", file=sys.stderr)
    return json.loads(_python(tree, folder, ["-m", "core", *arguments, "--json"]))


def _python(tree: Path, folder: Path, arguments: list[str]) -> str:
    environment = os.environ | {"PYTHONPATH": str(tree), "PRIORSCOPE_CACHE": str(folder / "cache")}
    done = subprocess.run([sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{tree.name}: {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def differences(then: Any, now: Any, where: str = "", across: bool = False) -> Iterator[str]:
    """Yield each place where two documents differ in a number, a key or an id; `where` is the path to it."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            path = f"{where}.{key}".lstrip(".")
            if key not in then or key not in now:
                if key in then or not across:
                    yield f"{path}: only {'now' if key in now else 'then'}"
            elif not key.endswith(TIMES) and key != "out" and not (across and key in IDS):
                yield from differences(then[key], now[key], path, across)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(one, other, f"{where}[{i}]", across)
    elif across and isinstance(then, float) and isinstance(now, float) and math.isclose(then, now, rel_tol=ROUNDED):
        return
    elif then != now and not (_is_prose(then) and _is_prose(now)):
        yield f"{where}: {then!r} then, {now!r} now"


def _is_prose(value: Any) -> bool:
    return isinstance(value, str) and " " in value


def main() -> None:
    """Compare this tree with a commit and exit with 1 where they differ."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--against", required=True, help="commit to compare with")
    options.add_argument("--across", action="store_true", help="compare with a commit of an earlier version of tuning")
    options.add_argument("--model", type=Path, default=STORIES, help="folder of a small causal language model")
    options.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    asked = options.parse_args()
    with earlier_tree(asked.against) as earlier:
        then = numbers_of(earlier, asked.model, asked.across)
    now = numbers_of(ROOT, asked.model, asked.across)
    found = list(differences(then, now, across=asked.across))
    if asked.json:
        print(json.dumps({"against": asked.against, "same": not found, "compared": sorted(now), "differences": found}))
    else:
        print("\n".join(found) or f"All of {len(now)} documents and tensors are the same as at {asked.against}.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
