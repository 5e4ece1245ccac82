"""Runs of a second, on sums made here."""

import pytest

from core.store import Store, create_job
from core.tuning.run import tune
from tests.runs import write_sums


@pytest.fixture
def sums(tmp_path):
    """Return a file of 40 sums with their answers."""
    return write_sums(tmp_path / "sums.jsonl")


def run(spec, store: Store, name="t-1", progress=None):
    job = create_job(store, "tune", spec.as_json(), name)
    return job, tune(spec, job, store, *([progress] if progress else []))
