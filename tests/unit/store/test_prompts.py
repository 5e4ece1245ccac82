import numpy as np
import pytest
from safetensors.numpy import save_file

from core.errors import BadRequest
from core.specs import TuningSpec, parse_prior
from core.store import create_job
from core.store.prompts import read_prompt, read_prompts


@pytest.fixture
def job(store):
    spec = TuningSpec(prior=parse_prior("isotropic"), steps=20)
    return create_job(store, "tune", spec.as_json(), "t-1")


def _write(path, name: str, steps: list[int]) -> None:
    prompt = np.arange(len(steps), dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    save_file({"prompt": prompt, "step": np.array(steps)}, path / f"{name}.safetensors")


def test_prompts_of_a_run_in_progress_end_with_the_latest_snapshot(job):
    assert read_prompts(job) is None
    _write(job.path, "trajectory", [0, 5, 10])
    save_file({"prompt": np.full((2, 3), 9, np.float32)}, job.path / "posterior.safetensors")
    job.update(state="running", done=12, total=20)
    found = read_prompts(job)
    assert found is not None
    assert found.steps.tolist() == [0, 5, 10]
    assert (found.posterior(0) == 2).all()


def test_prompts_of_a_cancelled_run_end_with_its_posterior(job):
    _write(job.path, "trajectory", [0, 5, 10])
    save_file({"prompt": np.full((2, 3), 9, np.float32)}, job.path / "posterior.safetensors")
    job.update(state="cancelled", done=12, total=20)
    found = read_prompts(job)
    assert found is not None
    assert found.steps.tolist() == [0, 5, 10, 12]
    assert (found.posterior(0) == 9).all()
    assert (found.prior(0) == 0).all()


def test_a_deep_run_tells_its_sites(job):
    prompt = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    site = np.array([0, 7])
    save_file(
        {"prompt": np.stack([prompt, prompt + 1]), "step": np.array([0, 5]), "site": site},
        job.path / "trajectory.safetensors",
    )
    save_file({"prompt": prompt, "site": site}, job.path / "prior.safetensors")
    found = read_prompts(job)
    assert found is not None
    assert found.sites == (0, 7)
    assert found.vectors.shape == (2, 2, 4, 3)
    assert (found.prior(7) == prompt[1]).all()
    assert (found.posterior(0) == prompt[0] + 1).all()
    with pytest.raises(BadRequest, match="no prompt at site 3; it has one at: 0, 7"):
        found.at(3)
    assert read_prompt(job.path / "prior.safetensors")[0] == (0, 7)
