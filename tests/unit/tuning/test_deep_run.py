import json
import shutil
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from core.activations.clouds import find_cloud
from core.errors import BadRequest, Cancelled, DiskFull
from core.lm.load import load_model
from core.progress import silent
from core.specs import TuningSpec
from core.store import Store
from core.store.prompts import read_prompts
from core.tuning import trunk as trunks
from core.tuning.setup import set_up
from core.tuning.start import draw_prompt, fit_priors, report
from tests.runs import spec_of
from tests.unit.lm.models import NOT_FAST, frozen_of
from tests.unit.tuning.conftest import run

DEEP = {"method": "deep", "prompt_sites": (1, -1)}


@pytest.mark.parametrize("form", ["cut", "kept"])
def test_a_deep_run_writes_its_sites(store, tiny_folder, sums, form):
    job, result = run(spec_of(tiny_folder, sums, **DEEP, deep_form=form), store)
    assert (result["status"], result["sites"]) == ("succeeded", [1, 2])
    found = read_prompts(job)
    assert found is not None
    assert found.sites == (1, 2)
    assert found.steps.tolist() == [0, 2, 4, 6]
    assert found.vectors.shape == (4, 2, 3, 32)
    posterior = load_file(job.path / "posterior.safetensors")
    assert posterior["site"].tolist() == [1, 2]
    assert np.array_equal(posterior["prompt"][1], found.posterior(2))
    assert not np.array_equal(found.prior(1), found.posterior(1))
    assert set(result["prior"]["sites"]) == {"1", "2"}
    assert result["trunk"]["bytes"] > 0


def test_a_deep_run_with_and_without_the_kept_trunk_gives_the_same_numbers(store, tiny_folder, sums):
    losses, prompts = [], []
    for number, kept in enumerate((True, False)):
        job, result = run(spec_of(tiny_folder, sums, **DEEP, cache_trunk=kept), store, f"t-{number}")
        losses.append(result["validation"]["loss"])
        prompts.append(load_file(job.path / "posterior.safetensors")["prompt"])
    assert abs(losses[0] - losses[1]) < 1e-5
    assert np.allclose(prompts[0], prompts[1], atol=1e-4)


def test_a_cancelled_deep_run_resumes_to_the_same_numbers(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, **DEEP)
    whole, _ = run(spec, store, "t-1")

    def stop(done, total, message=""):
        if message.startswith("Step 5"):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run(spec, store, "t-2", stop)
    from core.store import find_job
    from core.tuning.run import tune

    job = find_job(store, "t-2")
    tune(spec, job, store)
    ends = [load_file(folder.path / "posterior.safetensors")["prompt"] for folder in (whole, job)]
    assert np.array_equal(ends[0], ends[1])


def test_a_relative_rate_is_one_in_units_of_each_sites_prior_sample(store, tiny_folder, sums):
    prior = {"kind": "isotropic", "std": 0.5}
    soft, _ = run(spec_of(tiny_folder, sums, prior=prior, learning_rate=0.1, rate_unit="relative"), store, "t-1")
    start = load_file(soft.path / "prior.safetensors")["prompt"]
    rate = 0.1 * float(np.sqrt((start**2).mean()))
    same, _ = run(spec_of(tiny_folder, sums, prior=prior, learning_rate=rate), store, "t-2")
    ends = [load_file(job.path / "posterior.safetensors")["prompt"] for job in (soft, same)]
    assert np.allclose(ends[0], ends[1], atol=1e-6)
    deep = {**DEEP, "prior": {"kind": "gaussian", "covariance": "diagonal"}, "rate_unit": "relative", "warmup_steps": 0}
    job, _ = run(spec_of(tiny_folder, sums, **deep, learning_rate=0.01, steps=1, snapshot_every=1), store, "t-3")
    prompts = read_prompts(job)
    assert prompts is not None
    for site in prompts.sites:
        unit = float(np.sqrt((prompts.prior(site) ** 2).mean()))
        moved = np.abs(prompts.posterior(site) - prompts.prior(site))
        assert np.median(moved) == pytest.approx(0.01 * unit, rel=1e-2)  # AdamW's first step is the rate itself


def test_a_trunk_is_made_once_for_runs_that_share_examples(store: Store, tiny_folder, sums):
    first = set_up(spec_of(tiny_folder, sums, **DEEP), store)
    second = set_up(spec_of(tiny_folder, sums, **DEEP, learning_rate=0.01, seed=3), store)
    assert (first.trunk["cached"], second.trunk["cached"]) == (False, True)
    n_tokens = sum(len(item.example.ids) for item in (*first.training.items, *first.held_out.items[:6]))
    assert first.trunk["bytes"] == 4 * 32 * n_tokens
    other = set_up(spec_of(tiny_folder, sums, **DEEP, n_prompt=4), store)
    assert other.trunk["cached"] is False


def test_no_trunk_where_the_embeddings_are_prompted(store, tiny_folder, sums):
    for changes in ({}, {"method": "deep"}, {**DEEP, "cache_trunk": False}):
        assert set_up(spec_of(tiny_folder, sums, **changes), store).trunk == {}


def test_a_trunk_that_does_not_fit_on_the_disk(store, tiny_folder, sums, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(
        DiskFull, match=r"^Keeping the stream that enters block 1 \(0 MB\), which cache_trunk asks for,"
    ):
        set_up(spec_of(tiny_folder, sums, **DEEP), store)


def test_a_trunk_can_be_cancelled(store, tiny_folder, sums):
    def stop(done, total, message=""):
        if message.startswith("Keeping the stream"):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        set_up(spec_of(tiny_folder, sums, **DEEP), store, stop)
    assert not list((store.root / "artifacts").glob(f"{trunks.TRUNK}/*"))


def fitted(spec: TuningSpec, sites, store):
    return fit_priors(spec, sites, 32, store, silent)


def test_each_site_has_a_prior_of_its_own_cloud(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, **DEEP, prior={"kind": "gaussian"})
    priors = fitted(spec, (1, 2), store)
    cloud = find_cloud(spec.activations(1, 2), store)
    assert cloud is not None
    means = [prior.sample(4000, np.random.default_rng(0)).mean(0) for prior in priors]
    for site, mean in zip((1, 2), means, strict=True):
        expected = cloud.moments(site)
        assert np.abs(mean - expected.mean).max() < 6 * np.sqrt(np.diag(expected.covariance).max() / 4000)
    assert set(report(spec, (1, 2), priors)["sites"]) == {"1", "2"}


def test_one_prior_for_all_sites(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, **DEEP, prior={"kind": "gaussian"}, prior_fits="first")
    priors = fitted(spec, (1, 2), store)
    assert priors[0] is priors[1]
    assert set(report(spec, (1, 2), priors)["sites"]) == {"1"}
    prompt = draw_prompt(spec, priors)
    assert prompt.shape == (2, 3, 32)
    assert not torch.equal(prompt[0], prompt[1])


def test_the_embeddings_of_a_deep_prompt_may_be_fitted_on_the_vocabulary(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, method="deep", prompt_sites=(0, 2), prior={"kind": "vocabulary"})
    model: Any = load_model(spec.model, store).model
    embedding = model.get_input_embeddings().weight.numpy()
    prompt = draw_prompt(spec, fitted(spec, (0, 2), store)).numpy()
    for vector in prompt[0]:
        assert np.abs(embedding - vector).max(axis=1).min() < 1e-4


def test_a_site_that_is_not_there(store, tiny_folder, sums):
    with pytest.raises(BadRequest, match=r"^Block 7 cannot be prompted: the model has blocks 0 to 2"):
        set_up(spec_of(tiny_folder, sums, method="deep", prompt_sites=(7,)), store)


def test_deep_prompts_on_an_unmapped_architecture(store, tiny_folder, sums, monkeypatch):
    monkeypatch.setattr("core.tuning.setup.load_model", lambda *_: frozen_of(NOT_FAST["gpt2"]))
    with pytest.raises(BadRequest, match=r"^Prompts inside blocks are not mapped for the architecture 'gpt2'; mapped"):
        set_up(spec_of(tiny_folder, sums, **DEEP), store)


def test_the_instruction_is_measured_as_the_text_it_is(store, tiny_folder, sums):
    """Put before each example as text, it gives the loss that the baseline reports."""
    from core.lm.batch import IGNORED, Example, collate
    from core.lm.prompted import GenericPrompted

    spec = spec_of(tiny_folder, sums, instruction="Add.")
    setup = set_up(spec, store)
    tokenizer, losses, n = setup.frozen.tokenizer, 0.0, 0
    before = tokenizer("Add.\n", add_special_tokens=False).input_ids
    for item in setup.held_out.items[:6]:
        labels = (*[IGNORED] * len(before), *item.example.labels)
        batch = collate([Example((*before, *item.example.ids), labels)])
        found, _ = GenericPrompted(setup.frozen).scores(torch.zeros(1, 0, 32), batch)
        losses, n = losses + float(found.sum()), n + len(found)
    _, result = run(spec, store)
    assert result["baseline"]["instruction"]["loss"] == pytest.approx(losses / n, rel=1e-5)


def test_an_instruction_that_leaves_no_room(store, tiny_folder, sums):
    with pytest.raises(
        BadRequest,
        match=r"^The instruction's 1021 tokens do not fit before the longest validation example and its answer \(\d+ "
        r"of the model's 1024 positions\); shorten it to \d+ tokens, or lower max_length",
    ):
        set_up(spec_of(tiny_folder, sums, instruction="a" * 1020), store)


def test_the_usual_instruction_is_left_out_where_it_does_not_fit(store, tiny_folder, sums, tmp_path):
    narrow = shutil.copytree(tiny_folder, tmp_path / "narrow")
    config = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 40}))
    assert set_up(spec_of(narrow, sums), store).instruction is None


def test_plain_text_has_no_instruction(store, tiny_folder, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(f"This is text number {i}." for i in range(20)))
    whole = json.loads(spec_of(tiny_folder, path).canonical_json())
    whole["dataset"] = {"name": "file", "path": str(path)}
    assert set_up(TuningSpec.parse(whole), store).instruction is None
