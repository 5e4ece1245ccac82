"""Runs of a second, on sums made here."""

import json

import pytest

from core.specs import TuningSpec
from core.store import Store, create_job
from core.tuning.run import tune


@pytest.fixture
def sums(tmp_path):
    """Return a file of 40 sums with their answers."""
    path = tmp_path / "sums.jsonl"
    rows = [{"q": f"What is {i} + {j}?", "a": str(i + j)} for i in range(8) for j in range(5)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def spec_of(folder, path, **changes):
    data = {"name": "file", "path": str(path), "prompt_column": "q", "answer_column": "a"}
    whole = {
        "model": {"name": str(folder), "device": "cpu", "dtype": "float32"},
        "dataset": data,
        "prior": {"kind": "isotropic"},
        "n_prompt": 3,
        "steps": 6,
        "batch_size": 4,
        "learning_rate": 0.05,
        "warmup_steps": 2,
        "evaluate_every": 2,
        "n_validation": 6,
        "n_generation": 3,
        "max_new_tokens": 4,
        "snapshot_every": 2,
        "checkpoint_every": 2,
    }
    return TuningSpec.parse({**whole, **changes})


def run(spec, store: Store, name="t-1", progress=None):
    job = create_job(store, "tune", spec.as_json(), name)
    return job, tune(spec, job, store, *([progress] if progress else []))
