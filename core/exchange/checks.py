"""What a job's folder from elsewhere must hold before it is taken in: everything that is read of it later."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from safetensors import SafetensorError
from safetensors.numpy import load_file

from core.errors import DamagedArtifact, PriorscopeError
from core.jobs.measure import TABLES
from core.sources.models import describe_model
from core.specs import TuningSpec
from core.specs.base import JsonObject
from core.specs.measure import MeasureSpec
from core.store import JobFolder, Store
from core.store.prompts import read_prompt, read_trajectory
from core.store.record_files import check, read_events, read_object, read_result, read_status
from core.store.records import MeasureResult, Provenance

MAX_ROWS = 5_000_000
"""Of a table."""
COLUMNS = {
    "metrics": {"step", "loss", "gradient_norm", "learning_rate", "seconds"},
    "vectors": {"site", "vector"},
    "nulls": {"site"},
    "worth": {"site", "vector", "change", "delta_loss"},
    "trajectory": {"site", "step", "vector", "token"},
    "attention": {"block", "vector"},
}
"""Columns that are read, by the table's name."""


def require_run(job: JobFolder, store: Store) -> None:
    """Check a tuning run that has ended.

    Raises:
        DamagedArtifact: a file is missing or is not what a run writes.
    """
    spec = TuningSpec.parse(job.spec)
    check(_object(job, "provenance.json"), Provenance, "provenance.json")
    _object(job, "prior.json")
    if (job.path / "result.json").exists() or read_status(job.path / "status.json").state == "succeeded":
        _result(job)
    if (job.path / "events.jsonl").exists():
        for _ in read_events(job.path / "events.jsonl", job.kind):
            pass
    _table(job, "metrics")
    shapes, sites = {}, {}
    for name in ("prior", "posterior"):
        path = job.path / f"{name}.safetensors"
        if path.exists() or name == "posterior":
            sites[name], prompt = read_prompt(path)
            shapes[name] = prompt.shape
    path = job.path / "trajectory.safetensors"
    if path.exists():
        sites["trajectory"], prompts, steps = read_trajectory(path)
        shapes["trajectory"] = prompts.shape[1:]
        if len(steps) and steps[-1] > spec.steps:
            raise DamagedArtifact(f"{path.name} goes on to step {steps[-1]}, after the last one, {spec.steps}")
    if len(set(shapes.values())) > 1 or len(set(sites.values())) > 1:
        raise DamagedArtifact(f"the shapes of {', '.join(shapes)} differ: {', '.join(map(str, shapes.values()))}")
    _require_shape(shapes["posterior"], sites["posterior"], spec, store)


def require_measure(job: JobFolder) -> None:
    """Check a job that measured a run.

    Raises:
        DamagedArtifact: a file is missing or is not what such a job writes.
    """
    spec = MeasureSpec.parse(job.spec)
    result = check(_result(job), MeasureResult, "result.json")
    if result.run != spec.run or result.posterior != spec.posterior:
        raise DamagedArtifact(f"result.json is of the run {result.run}, not of {spec.run} as it was measured")
    tables = {name: _table(job, name) for name in TABLES}
    if missing := [name for name in ("vectors", "nulls", "trajectory") if tables[name] is None]:
        raise DamagedArtifact(f"{missing[0]}.parquet is missing")
    path = job.path / "nulls.safetensors"
    try:
        nulls = load_file(path)
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise DamagedArtifact(f"{path.name} cannot be read as safetensors ({error})") from None
    for name, points in nulls.items():
        if points.ndim != 2 or points.shape[1] != result.d_model or not np.isfinite(points).all() or "." not in name:
            raise DamagedArtifact(f"{path.name}: {name[:80]!r} is no table of finite numbers, {result.d_model} wide")


def _require_shape(shape: tuple[int, ...], sites: tuple[int, ...], spec: TuningSpec, store: Store) -> None:
    n_sites, n_prompt, d_model = shape
    if n_prompt != spec.n_prompt:
        raise DamagedArtifact(f"the prompt has {n_prompt} vectors and the spec asks for {spec.n_prompt}")
    if spec.method == "soft" and (n_sites, sites) != (1, (0,)):
        raise DamagedArtifact(f"the prompt of a soft run is at the sites {sites}, not at 0")
    try:
        model = describe_model(spec.model, store)
    except PriorscopeError:
        return  # a model that is not on this machine, and whose shape is not known here
    if model.d_model is not None and model.d_model != d_model:
        raise DamagedArtifact(f"the prompt is {d_model} wide and {spec.model.name!r} is {model.d_model}")
    if model.n_layers is not None and max(sites) >= model.n_layers:
        raise DamagedArtifact(f"the prompt is at block {max(sites)} and {spec.model.name!r} has {model.n_layers}")


def _result(job: JobFolder) -> JsonObject:
    try:
        return read_result(job.path / "result.json", job.kind)
    except FileNotFoundError:
        raise DamagedArtifact("result.json is missing") from None


def _object(job: JobFolder, name: str) -> object:
    try:
        return read_object(job.path / name)
    except FileNotFoundError:
        return {}


def _table(job: JobFolder, name: str) -> pd.DataFrame | None:
    path: Path = job.path / f"{name}.parquet"
    if not path.exists():
        return None
    try:
        import pyarrow.parquet

        n_rows = pyarrow.parquet.read_metadata(path).num_rows
        if n_rows > MAX_ROWS:
            raise DamagedArtifact(f"{path.name} has {n_rows:,} rows, and {MAX_ROWS:,} are allowed")
        table = pd.read_parquet(path)
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise DamagedArtifact(f"{path.name} cannot be read as Parquet ({str(error)[:200]})") from None
    if missing := sorted(COLUMNS[name] - set(table.columns)):
        raise DamagedArtifact(f"{path.name} has no column {missing[0]!r}")
    text = [column for column in COLUMNS[name] - {"token", "change"} if table[column].dtype.kind not in "iuf"]
    if text:
        raise DamagedArtifact(f"{path.name}: the column {text[0]!r} does not hold numbers")
    return table
