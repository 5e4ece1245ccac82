"""What is killed and damaged: each operation of the program on a small model, and the numbers that it gives."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.activations.clouds import find_cloud
from core.engine import client
from core.engine.runner import run_job
from core.exchange.bundle import export_bundle
from core.exchange.bundle_import import import_bundle
from core.jobs.atlas import find_atlas
from core.jobs.measure import TABLES, find_measures, measure_spec
from core.jobs.sweep import standings
from core.specs import AtlasSpec, CloudSpec, DatasetSpec, ModelSpec, Spec, SweepSpec, TuningSpec
from core.store import JobFolder, Store, find_job, list_jobs
from core.store.losses import read_losses
from core.store.prompts import read_prompts
from tests.jobs import done, measured
from tests.runs import spec_of

CACHE = "cache"
DEEP = {"method": "deep", "prompt_sites": [1, 2]}
TIMES = ("seconds", "steps_per_second", "worth_seconds", "time", "cached")
"""What a result tells of how long it took, and of what was there before."""


@dataclass(frozen=True)
class Place:
    """Where an operation works.

    Attributes:
        data: folder with `model`, `sums.jsonl` and texts, which all share.
        root: folder with the cache folder and what is written beside it.
        do: has a job done, which must succeed, and returns its folder.
    """

    data: Path
    root: Path
    do: Callable[[str, Spec, Store], JobFolder] = done

    @property
    def store(self) -> Store:
        """Return the cache folder."""
        return Store(self.root / CACHE)

    def tuning(self, **changes: Any) -> TuningSpec:
        """Return a run of a second."""
        return spec_of(self.data / "model", self.data / "sums.jsonl", **changes)

    def cloud(self, name: str = "cats") -> CloudSpec:
        """Return a small capture."""
        dataset = DatasetSpec(name="file", path=str(self.data / f"{name}.txt"), samples=10)
        model = ModelSpec(name=str(self.data / "model"), device="cpu", dtype="float32")
        return CloudSpec(model=model, dataset=dataset, rows=150, max_length=64)


def write_data(folder: Path) -> None:
    """Write the texts that operations read."""
    for name, text in {"cats": "the cat sat on mat {}.", "twice": "{0} + {0} = 2 * {0}"}.items():
        (folder / f"{name}.txt").write_text("\n\n".join(text.format(i * i + 3) for i in range(12)))


def capture(place: Place) -> Any:
    """Capture activations."""
    job = place.do("capture", place.cloud(), place.store)
    if cloud_numbers(place) is None:  # as the engine does where the job is there and what it stored is gone
        job.update(state="queued")
        run_job(job)
    return cloud_numbers(place)


def soft(place: Place) -> Any:
    """Tune a soft prompt."""
    return run_numbers(place.do("tune", place.tuning(), place.store))


def deep(place: Place) -> Any:
    """Tune deep prompts."""
    return run_numbers(place.do("tune", place.tuning(**DEEP), place.store))


def sweep(place: Place) -> Any:
    """Do every run of a sweep."""
    short = place.tuning(steps=2, n_generation=0)
    spec = SweepSpec.parse({"base": short.as_json(), "vary": {"seed": [0, 1]}})
    cells = [place.do("tune", one.cell.spec, place.store) for one in standings(spec, place.store)]
    return [run_numbers(job) for job in cells]


def atlas(place: Place) -> Any:
    """Measure activations at every site."""
    settings = {"sites": (0, 2, "final"), "n_permutations": 19, "n_components": 6, "n_map": 40}
    clouds = tuple(place.cloud(name) for name in ("cats", "twice"))
    spec = AtlasSpec.parse({"model": clouds[0].model, "clouds": clouds, **settings})
    place.do("atlas", spec, place.store)
    found = find_atlas(spec, place.store)
    assert found is not None
    return [frame.to_json() for frame in (found.statistics, found.directions, found.maps, found.points)]


def measure(place: Place) -> Any:
    """Measure a run that is there."""
    run = place.do("tune", place.tuning(), place.store)
    if find_measures(measure_spec(run), place.store) is None:
        place.do("measure", measure_spec(run), place.store)
    return measure_numbers(run, place.store)


def bundle(place: Place) -> Any:
    """Export a run that is there."""
    out = place.root / "out.zip"
    out.unlink(missing_ok=True)
    run = place.do("tune", place.tuning(), place.store)
    export_bundle([run], out, place.store)
    elsewhere = Store(place.root / "elsewhere")
    import_bundle(out, elsewhere)
    return run_numbers(find_job(elsewhere, run.id))


def import_(place: Place) -> Any:
    """Import a bundle that is there."""
    store = Store(place.root / "another")
    import_bundle(place.data / "bundle.zip", store)
    return [run_numbers(job) for job in list_jobs(store, "tune")]


OPERATIONS: dict[str, Callable[[Place], Any]] = {
    "capture": capture,
    "soft": soft,
    "deep": deep,
    "sweep": sweep,
    "atlas": atlas,
    "measure": measure,
    "bundle": bundle,
    "import": import_,
}


def cloud_numbers(place: Place) -> Any:
    """Return all numbers of the small capture."""
    cloud = find_cloud(place.cloud(), place.store)
    if cloud is None:
        return None
    sites = {str(site): _sha256(cloud.points(site)) for site in cloud.info["sites"]}
    means = {str(site): _sha256(cloud.moments(site).mean) for site in cloud.info["sites"]}
    return [sites, means, cloud.rows.to_json()]


def run_numbers(job: JobFolder) -> Any:
    """Return all numbers of a run that do not depend on the clock."""
    prompts, losses = read_prompts(job), read_losses(job)
    assert prompts is not None
    told = _timeless(job.result())
    return [told, prompts.steps.tolist(), _sha256(prompts.vectors), losses.losses.tolist(), losses.baselines]


def measure_numbers(run: JobFolder, store: Store) -> Any:
    """Return all numbers that are measured of a run."""
    found = measured(run, store)
    return [_timeless(found.summary), [found.table(name).to_json() for name in TABLES], sorted(found.null_points)]


def main(name: str, place: Place, answer: Path) -> None:
    """Do an operation in a process that may be killed, and write its numbers."""
    import torch

    torch.set_num_threads(1)
    answer.write_text(json.dumps(OPERATIONS[name](place)))


def by_engine(kind: str, spec: Spec, store: Store) -> JobFolder:
    """Have the engine of the cache folder do a job, which must succeed, and return its folder."""
    job = client.submit(kind, spec, store)
    status = client.wait(job)
    assert status.state == "succeeded", status.error
    return job


def different(found: Any, expected: Any, where: str = "") -> str:
    """Return where numbers differ from those expected, and what stands there; empty where they do not."""
    if type(found) is type(expected) and isinstance(found, dict | list) and len(found) == len(expected):
        parts = sorted(expected) if isinstance(expected, dict) else range(len(expected))
        if isinstance(found, list) or found.keys() == expected.keys():
            return next(filter(None, (different(found[i], expected[i], f"{where}/{i}") for i in parts)), "")
    return "" if found == expected else f"{where}: {str(found)[:100]} and not {str(expected)[:100]}"


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(below) for name, below in value.items() if name not in TIMES}
    return [_timeless(below) for below in value] if isinstance(value, list) else value


def _sha256(array: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
