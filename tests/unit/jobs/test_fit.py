"""Fits as jobs: one job, one stored fit, and everybody who samples finds it."""

from pathlib import Path

import numpy as np
import pytest

from core.activations.references import gather
from core.engine import client, tasks
from core.errors import BadRequest, Cancelled
from core.jobs.fit import fit_and_keep, request_of
from core.priors.fitting import FIT, find_fit
from core.progress import silent
from core.specs import CloudSpec, DatasetSpec, FitSpec, ModelSpec, parse_prior
from core.store import Store, create_job, list_jobs

VAE = parse_prior({"kind": "vae", "d_latent": 3, "d_hidden": 8, "steps": 60, "warmup_steps": 5})


@pytest.fixture
def spec(tiny_folder: Path) -> FitSpec:
    return FitSpec(prior=VAE, model=ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32"))


def test_the_cloud_is_made_and_the_fit_found_by_whoever_samples(spec: FitSpec, store: Store) -> None:
    job = create_job(store, "fit", spec.as_json(), "f-1")
    result = fit_and_keep(spec, job, store, silent)
    references = gather(spec.prior, request_of(spec), store)
    found = find_fit(VAE, references, store)
    assert found is not None
    assert found.report() == result["report"]
    assert fit_and_keep(spec, job, store, silent)["key"] == result["key"]


def test_sites_of_one_capture_have_fits_of_their_own(spec: FitSpec, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("\n\n".join(f"Passage {i}: the cat sat on mat number {i * i}." for i in range(12)))
    dataset = DatasetSpec(name="file", path=str(path), samples=10)
    cloud = CloudSpec(model=spec.model, dataset=dataset, sites=(0, 2), rows=200, max_length=64)
    job, drawn = create_job(store, "fit", {}, "f-1"), []
    for site in (0, 2):
        asked = FitSpec(prior=VAE, model=spec.model, reference=cloud, site=site)
        fit_and_keep(asked, job, store, silent)
        found = find_fit(VAE, gather(VAE, request_of(asked), store), store)
        assert found is not None
        drawn.append(found.sample(4, np.random.default_rng(0)))
    assert sum(kind == FIT for kind, _, _ in store.artifacts()) == 2
    assert not np.allclose(drawn[0], drawn[1], rtol=0.1)


def test_a_cancelled_fit_leaves_the_cloud_and_no_fit(spec: FitSpec, store: Store) -> None:
    def stop(done: int, total: int, message: str = "") -> None:
        if message.startswith("Training"):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit_and_keep(spec, create_job(store, "fit", {}, "f-1"), store, stop)
    assert find_fit(VAE, gather(VAE, request_of(spec), store), store) is None


def test_the_task_is_long_and_checked_before_it_is_queued(spec: FitSpec, store: Store) -> None:
    task = tasks.find_task("fit")
    assert (task.prefix, task.lane_of(spec), task.keeps) == ("f", "heavy", False)
    assert task.context(spec) == task.context(spec)
    with pytest.raises(BadRequest, match="The prior 'gaussian' is fitted at once"):
        client.submit("fit", spec.model_copy(update={"prior": parse_prior("gaussian")}), store)
    assert list_jobs(store) == []
