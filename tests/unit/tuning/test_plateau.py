"""Runs that end when they have stopped getting better."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.store import JobFolder, create_job
from core.store.endings import ending_of
from core.store.files import write_json
from core.tuning.plateau import plateau
from core.tuning.run import tune
from tests.runs import spec_of
from tests.unit.tuning.conftest import run

FLAT = {"learning_rate": 1e-7, "patience": 2, "improvement": 0.01, "steps": 40}
"""Of a run whose loss does not fall."""


@pytest.mark.parametrize(
    ("losses", "ended"),
    [
        ([5.0], False),
        ([5.0, 5.0], False),
        ([5.0, 5.0, 5.0], True),
        ([5.0, 4.0, 3.995], False),
        ([5.0, 4.0, 3.995, 3.991], True),
        ([5.0, 4.0, 3.995, 3.98], False),
        ([5.0, 4.0, 4.5, 3.9], False),
        ([5.0, 4.0, 6.0, 7.0], True),
    ],
)
def test_the_best_of_the_last_evaluations_counts_against_the_best_before_them(losses, ended):
    assert plateau(losses, 2, 0.01) is ended


def test_without_patience_nothing_ends_a_run_and_without_a_bound_any_improvement_counts():
    assert not plateau([5.0] * 9, 0, 0.01)
    assert plateau([5.0, 5.0], 1, 0.0)
    assert not plateau([5.0, 4.999999], 1, 0.0)


def test_a_run_on_a_plateau_ends_there_with_answers_and_says_so(store, tiny_folder, sums):
    job, result = run(spec_of(tiny_folder, sums, **FLAT, answer_every=100), store)
    assert (result["ending"], result["steps"], result["warmup_steps"]) == ("converged", 4, 2)
    assert result["validation"]["f1"] is not None
    trajectory = load_file(job.path / "trajectory.safetensors")
    assert trajectory["step"].tolist() == [0, 2, 4]
    assert np.array_equal(trajectory["prompt"][-1], load_file(job.path / "posterior.safetensors")["prompt"])


def test_a_plateau_between_snapshots_is_one(store, tiny_folder, sums):
    job, _ = run(spec_of(tiny_folder, sums, **FLAT, snapshot_every=3), store)
    assert load_file(job.path / "trajectory.safetensors")["step"].tolist() == [0, 3, 4]


def test_a_run_that_still_improves_at_its_longest_length_says_so(store, tiny_folder, sums):
    _, result = run(spec_of(tiny_folder, sums, patience=3), store)
    assert (result["ending"], result["steps"]) == ("longest length", 6)


def test_a_run_without_patience_has_a_fixed_length(store, tiny_folder, sums):
    _, result = run(spec_of(tiny_folder, sums), store)
    assert (result["ending"], result["steps"]) == ("fixed length", 6)


@pytest.mark.parametrize("step", [3, 4, 5])
def test_a_killed_run_ends_at_the_very_same_step_with_the_same_numbers(store, tiny_folder, sums, step):
    spec = spec_of(tiny_folder, sums, **{**FLAT, "patience": 3}, checkpoint_every=4)
    undisturbed, expected = run(spec, store)
    job = create_job(store, "tune", spec.as_json(), "t-2")

    def die(done, total, message=""):
        if message.startswith(f"Step {step} "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(spec, job, store, die)
    result = tune(spec, job, store)
    told = ("ending", "steps", "validation", "baseline")
    assert {name: result[name] for name in told} == {name: expected[name] for name in told}
    for name in ("posterior", "trajectory"):
        one, two = (load_file(each.path / f"{name}.safetensors") for each in (undisturbed, job))
        assert all(np.array_equal(one[key], two[key]) for key in one)


def test_a_run_that_was_killed_when_it_had_ended_ends_there_again(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums, **FLAT)
    job, expected = run(spec, store)
    result = tune(spec, job, store)
    assert [event["step"] for event in job.events(event="step")] == [1, 2, 3, 4]
    assert (result["steps"], result["validation"]) == (4, expected["validation"])


def _ended(store, kind: str, result: dict[str, object], **provenance: object) -> JobFolder:
    job = create_job(store, kind, {}, "t-0")
    job.update(state="succeeded")
    job.write_result(result)
    write_json(job.path / "provenance.json", provenance)
    return job


def test_a_run_from_before_there_was_a_choice_had_a_fixed_length(store):
    assert ending_of(_ended(store, "tune", {"steps": 9})) == "fixed length"


def test_how_a_run_ended_is_not_made_up(store):
    assert ending_of(_ended(store, "capture", {"n_rows": 9})) == ""
    assert ending_of(_ended(store, "tune", {}, imported={"unknown": ["steps"]})) == ""
    assert ending_of(create_job(store, "tune", {}, "t-1")) == ""
