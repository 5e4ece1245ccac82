"""Tuning runs of a second, on sums that are made here."""

import json
from pathlib import Path
from typing import Any

from core.specs import TuningSpec

SIZES = {"n_prompt": 3, "steps": 6, "batch_size": 4, "n_validation": 6, "n_generation": 3, "max_new_tokens": 4}
PACE = {"learning_rate": 0.05, "warmup_steps": 2, "evaluate_every": 2, "snapshot_every": 2, "checkpoint_every": 2}


def write_sums(path: Path) -> Path:
    """Write 40 sums with their answers."""
    rows = [{"q": f"What is {i} + {j}?", "a": str(i + j)} for i in range(8) for j in range(5)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def spec_of(folder: Path, path: Path, **changes: Any) -> TuningSpec:
    """Return a run of the model in a folder on a file of questions."""
    model = {"name": str(folder), "device": "cpu", "dtype": "float32"}
    data = {"name": "file", "path": str(path), "prompt_column": "q", "answer_column": "a"}
    return TuningSpec.parse(
        {"model": model, "dataset": data, "prior": {"kind": "isotropic"}, **SIZES, **PACE, **changes}
    )
