"""Runs to measure: one that was tuned, and ones that are written by hand."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from core.specs import TuningSpec
from core.store import JobFolder, Store, create_job
from core.tuning.run import tune
from tests.runs import spec_of, write_sums

D_MODEL = 32


def tuning(folder: Path, path: Path, **changes) -> TuningSpec:
    """Return a run of a second on sums that are written to `path`."""
    short = {"n_prompt": 4, "steps": 4, "warmup_steps": 1, "n_generation": 2, "max_new_tokens": 2, "snapshot_every": 1}
    return spec_of(folder, write_sums(path), **{**short, **changes})


def tuned(spec: TuningSpec, store: Store, name: str) -> JobFolder:
    """Return a run that was tuned here and now."""
    job = create_job(store, "tune", spec.as_json(), name)
    job.write_result(tune(spec, job, store))
    job.update(state="succeeded", done=spec.steps, total=spec.steps)
    return job


def written(spec: TuningSpec, store: Store, name: str, way: np.ndarray, sites: tuple[int, ...] = ()) -> JobFolder:
    """Return a run whose prompts are given: (n, n_prompt, d) of a soft one, (n, n_sites, n_prompt, d) of a deep one."""
    job = create_job(store, "tune", spec.as_json(), name)
    way, extra = way.astype(np.float32), {"site": np.array(sites)} if sites else {}
    save_file({"prompt": way, "step": np.arange(len(way)), **extra}, job.path / "trajectory.safetensors")
    for file, prompt in (("prior", way[0]), ("posterior", way[-1])):
        save_file({"prompt": np.ascontiguousarray(prompt), **extra}, job.path / f"{file}.safetensors")
    for step, loss in enumerate(np.linspace(3, 2, len(way))):
        job.append(event="evaluation", step=step, validation={"loss": float(loss), "accuracy": 0.5})
    job.update(state="cancelled", done=len(way) - 1)
    return job
