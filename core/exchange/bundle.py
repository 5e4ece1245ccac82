"""Runs as a bundle: all their files, their measures and pictures, each file with its checksum."""

import hashlib
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core import __version__
from core.errors import BadRequest, DamagedArtifact
from core.exchange.bundle_pictures import coordinates, pictures
from core.exchange.peft_adapter import require_empty
from core.jobs.measure import VERSION, tuning_spec
from core.specs import TuningSpec
from core.specs.base import JsonObject
from core.store import JobFolder, Store, list_jobs
from core.store.files import disk_errors, write_atomically
from core.store.seal import SealedFile

FORMAT: Literal["priorscope-bundle"] = "priorscope-bundle"
FORMAT_VERSION = 1
MANIFEST = "bundle.json"
LOG_BYTES = 16_000_000
"""Of the end of a log, that a bundle takes along."""
README = "README.md"
RUN_FILES = (
    "spec.json",
    "status.json",
    "result.json",
    "provenance.json",
    "prior.json",
    "events.jsonl",
    "log.txt",
    "metrics.parquet",
    "prior.safetensors",
    "posterior.safetensors",
    "trajectory.safetensors",
)
"""Files of a run's folder; a checkpoint is left out, because bundled runs have ended."""
MEASURE_FILES = (
    "spec.json",
    "status.json",
    "result.json",
    "log.txt",
    "vectors.parquet",
    "nulls.parquet",
    "worth.parquet",
    "trajectory.parquet",
    "attention.parquet",
    "nulls.safetensors",
)
"""Files of the folder of a job that measured a run."""


class Manifest(BaseModel):
    """`bundle.json`: what a bundle holds.

    Attributes:
        format: always `FORMAT`.
        version: of the format.
        program: version of the program that made it.
        created: seconds since the epoch.
        runs: their ids.
        files: by name, with `/` between folders.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    format: Literal["priorscope-bundle"]
    version: int
    program: str | None = None
    created: float | None = None
    runs: tuple[str, ...] = ()
    files: dict[str, SealedFile]

    @property
    def n_bytes(self) -> int:
        """Return the size of all files."""
        return sum(entry.bytes for entry in self.files.values())


_README = """# A bundle of priorscope {version}

Runs: {runs}. Import them into a cache folder with

```
python -m core import {name}
```

which checks every file against `{manifest}` first. `runs/` holds each run's spec and results
(including its trajectory), `jobs/` its measures, `coordinates/` where its vectors lie on the maps
that existed, `figures/` pages to open in a browser.
"""


def export_bundle(runs: Sequence[JobFolder], out: Path, store: Store) -> JsonObject:
    """Write finished runs as a bundle: a zip file if the name ends in .zip, else a folder.

    Args:
        runs: at least one.
        out: an empty or new folder, or a new file NAME.zip.
        store: with measures and maps.

    Returns:
        format, out, runs, numbers of measures, coordinates and files, bytes, and the local files
        that the specs name: those are not in the bundle, but their paths are.

    Raises:
        BadRequest: a run in progress, or something at `out` already.
        DiskFull: the disk is full.
    """
    specs = {run.id: _bundled(run) for run in runs}
    packed = out.suffix.lower() == ".zip"
    if packed and out.exists():
        raise BadRequest(f"{out} exists already; name a new file with --out, or remove the old one.")
    if not packed:
        require_empty(out)
    with disk_errors(out), tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        folder = Path(scratch) if packed else out
        folder.mkdir(parents=True, exist_ok=True)
        measures = _copy_jobs(runs, folder, store)
        places = sum(_draw(run, specs[run.id], folder, store) for run in runs)
        words = {"version": __version__, "runs": ", ".join(specs), "name": out.name, "manifest": MANIFEST}
        write_atomically(folder / README, _README.format(**words).encode())
        manifest = _write_manifest(folder, list(specs))
        if packed:
            _pack(folder, out)
    return {
        "format": "bundle",
        "out": str(out),
        "runs": list(specs),
        "n_measures": measures,
        "n_coordinates": places,
        "n_files": len(manifest.files),
        "bytes": manifest.n_bytes,
        "local_files": sorted(set(_local_files(specs.values()))),
    }


def _bundled(run: JobFolder) -> TuningSpec:
    """Return a run's spec if the run can be bundled."""
    if run.kind != "tune":
        raise BadRequest(f"{run.id} is a {run.kind} job; only tuning runs go into a bundle.")
    if damage := run.verify():
        raise DamagedArtifact(damage)
    if not run.status().ended or not (run.path / "posterior.safetensors").is_file():
        raise BadRequest(f"Run {run.id} is {run.status().state} and has no posterior; wait for its end.")
    return tuning_spec(run)


def _copy_jobs(runs: Sequence[JobFolder], folder: Path, store: Store) -> int:
    """Copy runs and their measures, and return the number of measures."""
    for run in runs:
        _copy(run, folder / "runs" / run.id, RUN_FILES)
    names = {run.id for run in runs}
    measures = [job for job in list_jobs(store, "measure") if job.spec.get("run") in names and _is_current(job)]
    for job in measures:
        _copy(job, folder / "jobs" / job.id, MEASURE_FILES)
    return len(measures)


def _is_current(job: JobFolder) -> bool:
    result = job.result() if job.status().state == "succeeded" else None
    return bool(result) and result["version"] == VERSION


def _copy(job: JobFolder, target: Path, names: Sequence[str]) -> None:
    target.mkdir(parents=True)
    for name in names:
        source = job.path / name
        if source.is_file():
            raw = source.read_bytes()
            (target / name).write_bytes(raw[-LOG_BYTES:] if name == "log.txt" else raw)


def _draw(run: JobFolder, spec: TuningSpec, folder: Path, store: Store) -> int:
    """Write coordinates and pictures of a run, and return the number of maps it lies on."""
    placed = coordinates(run, spec, store)
    if placed:
        (folder / "coordinates").mkdir(exist_ok=True)
    for name, found in placed.items():
        found.table.to_parquet(folder / "coordinates" / f"{run.id}-{name}.parquet", index=False)
    (folder / "figures").mkdir(exist_ok=True)
    for name, text in pictures(run, spec, placed).items():
        (folder / "figures" / name).write_text(text, encoding="utf-8")
    return len(placed)


def _write_manifest(folder: Path, runs: Sequence[str]) -> Manifest:
    files = {
        path.relative_to(folder).as_posix(): SealedFile(bytes=path.stat().st_size, sha256=_sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = Manifest(
        format=FORMAT, version=FORMAT_VERSION, program=__version__, created=time.time(), runs=tuple(runs), files=files
    )
    write_atomically(folder / MANIFEST, manifest.model_dump_json(indent=1).encode())
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    packed.write(path, path.relative_to(folder).as_posix())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def _local_files(specs: Iterable[TuningSpec]) -> Iterator[str]:
    for spec in specs:
        if spec.dataset.path:
            yield spec.dataset.path
        if Path(spec.model.name).is_absolute():
            yield spec.model.name
