"""Folders of runs as a failing disk, a person or another program may have left them."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.engine import client
from core.engine.local import unfinished
from core.specs import TuningSpec, parse_prior
from core.store import Store, damaged_folders, find_job, list_jobs, list_succeeded
from core.store.maintenance import verify_all
from tests.faults.mutate import mutated, mutated_bytes, numbered
from tests.unit.jobs.measured import written

SPEC = TuningSpec(prior=parse_prior("isotropic"), steps=4, n_prompt=3)


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Return cache folders with a sound run and one with odd files."""
    return numbered("job folder", _read, rng, folder)


def _read(rng: random.Random, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    store = Store(folder / "cache")
    for name in ("t-sound", "t-odd"):
        job = written(SPEC, store, name, np.ones((3, 3, 8), np.float32))
        job.write_result({"run": name, "validation": {"loss": 2.0}, "steps": 4})
        job.update(state="succeeded", done=4)
    odd = store.root / "runs" / "t-odd"
    for path in rng.sample(sorted(path for path in odd.iterdir() if path.name[0] != "."), rng.randint(1, 3)):
        if path.suffix == ".json" and rng.random() < 0.8:
            data = json.loads(path.read_text())
            data.pop("sha256", None)
            path.write_text(json.dumps(mutated(data, rng)))
        else:
            path.write_bytes(mutated_bytes(path.read_bytes(), rng))
    for name in ("t-sound", "t-odd"):
        job = store.root / "runs" / name
        assert job.is_dir()
    assert "t-sound" in {job.id for job, _ in list_succeeded(store, "tune")}
    shown = [job.id for job in list_jobs(store)] + [damaged.job.id for damaged in damaged_folders(store)]
    assert sorted(shown) == ["t-odd", "t-sound"]
    client.engine_state(store)
    unfinished(store)
    verify_all(store)
    for job in list_jobs(store):
        job.status()
    found = find_job(store, "t-odd", damaged=True)
    if found.status().state not in ("queued", "running"):
        found.delete()
        assert [job.id for job in list_jobs(store)] == ["t-sound"]
    return ""
