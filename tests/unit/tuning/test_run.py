import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from core.errors import BadData, BadRequest, Cancelled, Diverged
from core.store import create_job
from core.store.losses import read_losses
from core.tuning.run import tune
from tests.jobs import done
from tests.runs import spec_of
from tests.unit.tuning.conftest import run


def test_a_run_writes_its_folder(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, answer_every=4)
    job, result = run(spec, store)

    assert (result["run"], result["status"], result["steps"]) == ("t-1", "succeeded", 6)
    names = {"loss", "accuracy", "answer_loss", "end_loss", "exact_match", "f1", "precision", "recall"}
    assert set(result["validation"]) == names
    baselines = ("no_prompt", "prior_sample", "instruction")
    assert {name: set(found) for name, found in result["baseline"].items()} == dict.fromkeys(baselines, names)
    assert result["steps_per_second"] > 0

    prior = load_file(job.path / "prior.safetensors")["prompt"]
    posterior = load_file(job.path / "posterior.safetensors")["prompt"]
    trajectory = load_file(job.path / "trajectory.safetensors")
    assert prior.shape == posterior.shape == (3, 32)
    assert posterior.dtype == np.float32
    assert trajectory["step"].tolist() == [0, 2, 4, 6]
    assert np.array_equal(trajectory["prompt"][0], prior)
    assert np.array_equal(trajectory["prompt"][-1], posterior)
    assert not np.array_equal(prior, posterior)

    metrics = pd.read_parquet(job.path / "metrics.parquet")
    assert metrics["step"].tolist() == list(range(7))
    assert metrics["validation_loss"].notna().tolist() == [True, False] * 3 + [True]
    assert [event["step"] for event in job.events(event="step")] == [1, 2, 3, 4, 5, 6]
    assert [event["step"] for event in job.events(event="evaluation")] == [0, 2, 4, 6]
    (baseline,) = job.events(event="baseline")
    assert baseline["prior_sample"]["loss"] == metrics["validation_loss"][0]
    assert json.loads((job.path / "provenance.json").read_text())["seeds"] == {"run": 0, "data": 0}
    assert result["prior"]["std"] == json.loads((job.path / "prior.json").read_text())["std"] == 0.02


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(store, tiny_folder, sums):
    first, result = run(spec_of(tiny_folder, sums), store, "t-1")
    again, same = run(spec_of(tiny_folder, sums), store, "t-2")
    other, _ = run(spec_of(tiny_folder, sums, seed=1), store, "t-3")
    read = [load_file(job.path / "posterior.safetensors")["prompt"] for job in (first, again, other)]
    assert np.array_equal(read[0], read[1])
    assert not np.array_equal(read[0], read[2])
    assert result["validation"] == same["validation"]


class StopAt:
    """Progress that cancels the first time a message begins so."""

    def __init__(self, words):
        self.words = words

    def __call__(self, done, total, message=""):
        if self.words and message.startswith(self.words):
            self.words = ""
            raise Cancelled("stopped")


@pytest.mark.parametrize("words", ["Step 3 ", "Step 4 ", "Baseline: prior", "Answering"])
def test_a_cancelled_run_keeps_its_prompt_and_goes_on_to_the_very_same_numbers(store, tiny_folder, sums, words):
    spec = spec_of(tiny_folder, sums)
    undisturbed, expected = run(spec, store, "t-1")
    job = create_job(store, "tune", spec.as_json(), "t-2")
    with pytest.raises(Cancelled):
        tune(spec, job, store, StopAt(words))
    assert load_file(job.path / "posterior.safetensors")["prompt"].shape == (3, 32)

    result = tune(spec, job, store)
    assert result["validation"] == expected["validation"]
    assert result["baseline"] == expected["baseline"]
    for name in ("prior", "posterior", "trajectory"):
        one, two = (load_file(each.path / f"{name}.safetensors") for each in (undisturbed, job))
        assert all(np.array_equal(one[key], two[key]) for key in one)
    columns = ["step", "loss", "gradient_norm", "learning_rate", "validation_loss", "validation_accuracy"]
    one, two = (pd.read_parquet(each.path / "metrics.parquet", columns=columns) for each in (undisturbed, job))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def die_in_step_5(spec, job, store):
    """Tune until the process would be killed, after the checkpoint of step 4."""

    def die(done, total, message=""):
        if message.startswith("Step 5 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(spec, job, store, die)


def test_a_killed_run_goes_on_from_its_last_checkpoint(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums)
    undisturbed, _ = run(spec, store, "t-1")
    job = create_job(store, "tune", spec.as_json(), "t-2")
    die_in_step_5(spec, job, store)
    tune(spec, job, store)
    (resumed,) = job.events(event="resumed")
    assert resumed["step"] == 4
    one, two = (load_file(each.path / "posterior.safetensors")["prompt"] for each in (undisturbed, job))
    assert np.array_equal(one, two)


def test_a_damaged_checkpoint_is_not_believed(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums)
    job, expected = run(spec, store)
    (job.path / "checkpoint" / "state.safetensors").write_bytes(b"nonsense")
    assert tune(spec, job, store)["validation"] == expected["validation"]
    assert not list(job.events(event="resumed"))


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_prompt(store, tiny_folder, sums, monkeypatch):
    from core.lm.prompted import FastPrompted

    spec = spec_of(tiny_folder, sums)
    right, calls = FastPrompted.loss, []

    def wrong(self, prompt, batch):
        calls.append(prompt.detach().clone())
        return right(self, prompt, batch) * (float("nan") if len(calls) == 4 else 1.0)

    monkeypatch.setattr(FastPrompted, "loss", wrong)
    job = create_job(store, "tune", spec.as_json(), "t-1")
    with pytest.raises(Diverged, match=r"The loss is nan at step 4 of 6.*last good prompt is kept.*learning rate"):
        tune(spec, job, store)
    kept = load_file(job.path / "posterior.safetensors")["prompt"]
    assert np.array_equal(kept, calls[2][0].numpy())


def test_a_prompt_that_is_not_finite_never_reaches_a_checkpoint(store, tiny_folder, sums, monkeypatch):
    from torch.optim import AdamW

    right, calls = AdamW.step, []

    def wrong(self, *given, **named):
        calls.append(0)
        found = right(self, *given, **named)
        if len(calls) == 4:
            self.param_groups[0]["params"][0].data[0, 0] = float("inf")
        return found

    monkeypatch.setattr(AdamW, "step", wrong)
    spec = spec_of(tiny_folder, sums)
    job = create_job(store, "tune", spec.as_json(), "t-1")
    with pytest.raises(Diverged, match=r"no longer finite \(1 values\) after step 4 of 6; the last good"):
        tune(spec, job, store)
    for name in ("posterior.safetensors", "trajectory.safetensors", "checkpoint/state.safetensors"):
        assert np.isfinite(load_file(job.path / name)["prompt"]).all(), name
    monkeypatch.undo()
    assert tune(spec, job, store)["status"] == "succeeded"


def test_a_validation_loss_that_is_not_finite_stops_the_run(store, tiny_folder, sums, monkeypatch):
    from core.tuning.evaluation import Validation

    right = Validation.measure

    def wrong(self, prompt, progress):
        found = right(self, prompt, progress)
        return {**found, "loss": float("nan")} if calls.append(0) or len(calls) == 6 else found

    calls: list[int] = []
    monkeypatch.setattr(Validation, "measure", wrong)
    spec = spec_of(tiny_folder, sums)
    job = create_job(store, "tune", spec.as_json(), "t-1")
    with pytest.raises(
        Diverged, match=r"The validation loss is nan after step 6 of 6.*Lower the learning rate \(0\.05\)"
    ):
        tune(spec, job, store)
    assert np.isfinite(load_file(job.path / "posterior.safetensors")["prompt"]).all()


def test_answers_are_measured_along_the_way(store, tiny_folder, sums):
    job, result = run(spec_of(tiny_folder, sums, answer_every=3), store)
    answered = [event["step"] for event in job.events(event="evaluation") if "f1" in event["validation"]]
    assert answered == [0, 3, 6]
    metrics = pd.read_parquet(job.path / "metrics.parquet")
    assert metrics["validation_f1"].notna().tolist() == [step in (0, 3, 6) for step in range(7)]
    assert metrics["validation_f1"][6] == result["validation"]["f1"]


def test_plain_text_is_tuned_as_language_modelling(store, tiny_folder, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(f"Story number {i} is short." for i in range(12)))
    spec = spec_of(tiny_folder, path, dataset={"name": "file", "path": str(path)})
    _, result = run(spec, store)
    assert result["validation"]["loss"] > 0
    assert result["validation"]["f1"] is None


@pytest.mark.parametrize("position", ["before_bos", "after_bos"])
def test_it_learns(store, stories_folder, sums, position):
    spec = spec_of(stories_folder, sums, steps=40, evaluate_every=40, prompt_position=position, n_generation=0)
    _, result = run(spec, store)
    loss = result["validation"]["loss"]
    assert loss < 0.8 * min(result["baseline"]["no_prompt"]["loss"], result["baseline"]["prior_sample"]["loss"])


def test_a_fitted_prior_starts_from_the_vocabulary(store, tiny_folder, sums):
    job, _ = run(spec_of(tiny_folder, sums, prior={"kind": "gaussian"}), store)
    assert json.loads((job.path / "prior.json").read_text())["kind"] == "gaussian"


def test_a_prompt_that_leaves_no_room_is_refused(store, tiny_folder, sums, tmp_path):
    narrow = shutil.copytree(tiny_folder, tmp_path / "narrow")
    config = json.loads((narrow / "config.json").read_text())
    (narrow / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 30}))
    with pytest.raises(BadRequest, match=r"^25 prompt vectors leave 5 of the model's 30 positions") as error:
        run(spec_of(narrow, sums, n_prompt=25), store)
    assert str(error.value).endswith("set n_prompt to 22 or less.")


def test_examples_that_are_all_too_long_are_named_with_the_bound(store, tiny_folder, sums):
    with pytest.raises(BadData, match=r"No training example .* at most 8 tokens \(the shortest has \d+\).*max_length"):
        run(spec_of(tiny_folder, sums, max_length=8), store)


def spoil(path, at: float) -> None:
    """Flip one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[int(at * (len(raw) - 1))] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("at", [0.05, 0.3, 0.6, 0.99])
def test_a_flipped_bit_in_a_checkpoint_never_gives_other_numbers(store, tiny_folder, sums, at):
    spec = spec_of(tiny_folder, sums)
    undisturbed, expected = run(spec, store, "t-1")
    job = create_job(store, "tune", spec.as_json(), "t-2")
    die_in_step_5(spec, job, store)
    spoil(job.path / "checkpoint" / "state.safetensors", at)
    assert tune(spec, job, store)["validation"] == expected["validation"]
    assert not list(job.events(event="resumed")), "it begins again"
    one, two = (load_file(each.path / "posterior.safetensors")["prompt"] for each in (undisturbed, job))
    assert np.array_equal(one, two)


def test_a_checkpoint_without_a_checksum_is_not_believed(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums)
    _, expected = run(spec, store, "t-1")
    job = create_job(store, "tune", spec.as_json(), "t-2")
    die_in_step_5(spec, job, store)
    path = job.path / "checkpoint" / "state.safetensors"
    path.write_bytes(path.read_bytes().replace(b"sha256", b"sha`56"))
    assert tune(spec, job, store)["validation"] == expected["validation"]
    assert not list(job.events(event="resumed")), "it begins again"


def found(job):
    """Return what a run measured."""
    result = job.result()
    assert result is not None
    return result["validation"], result["baseline"]


FILES = (
    "checkpoint/state.safetensors",
    "events.jsonl",
    "metrics.parquet",
    "posterior.safetensors",
    "prior.json",
    "prior.safetensors",
    "provenance.json",
    "result.json",
    "trajectory.safetensors",
)


@pytest.mark.parametrize("name", FILES)
def test_a_run_whose_file_was_changed_is_made_again_with_the_same_numbers(store, tiny_folder, sums, name):
    spec = spec_of(tiny_folder, sums)
    job = done("tune", spec, store)
    before, losses = found(job), read_losses(job)
    prompt = load_file(job.path / "posterior.safetensors")["prompt"]
    spoil(job.path / name, 0.5)
    assert f"{name} does not match its checksum" in job.verify()
    assert job.status().state == "damaged"
    again = done("tune", spec, store)
    assert (again.path, again.verify()) == (job.path, "")
    assert found(again) == before
    assert read_losses(again).losses.tolist() == losses.losses.tolist()
    assert np.array_equal(load_file(again.path / "posterior.safetensors")["prompt"], prompt)
    assert len(list((store.root / "damaged").iterdir())) == 1


def test_a_deleted_result_is_made_again_from_the_checkpoint(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums)
    job = done("tune", spec, store)
    before = found(job)
    (job.path / "result.json").unlink()
    assert "result.json is missing" in job.status().error
    assert found(done("tune", spec, store)) == before
    (resumed,) = job.events(event="resumed")
    assert resumed["step"] == spec.steps
