"""What a study costs: what is missing, what is shared, and what is not known."""

import os

import pytest

from core.activations.clouds import CLOUD
from core.activations.estimate import measured_pace
from core.commands.reproduce import cost_line
from core.errors import UnknownName
from core.jobs.readings import find_line, line_spec
from core.specs import StudyItemSpec, StudySpec, TuningSpec
from core.store import Store, create_job
from core.studies.arms import arms
from core.studies.cost import Pace, StudyCost, missing_runs, study_cost
from core.studies.items import ITEMS

STANDARD = StudySpec.asked("standard")
HOUR = 3600.0


@pytest.fixture
def two_cores(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def ended(store: Store, spec: TuningSpec, steps_per_second: float) -> None:
    job = create_job(store, "tune", spec.as_json(), "t-0")
    job.write_result({"steps": 1, "seconds": 1 / steps_per_second, "steps_per_second": steps_per_second})
    job.update(state="succeeded")


def test_items_that_share_runs_count_them_once_and_made_ones_not_at_all(bench):
    apart = [study_cost(bench.spec, [item], bench.store).n_runs for item in ("figure-6", "figure-7")]
    assert apart == [2, 2]
    assert study_cost(bench.spec, ["figure-6", "figure-7", "figure-6"], bench.store).n_runs == 4
    bench.obtain(StudyItemSpec(study=bench.spec, item="figure-6"))
    left = study_cost(bench.spec, ["figure-6", "figure-7"], bench.store)
    assert (left.n_items, left.n_runs) == (1, 2)
    done = study_cost(bench.spec, ["figure-6"], bench.store)
    assert (done.n_items, done.n_runs, done.n_captures, done.seconds) == (0, 0, 0, 0)
    assert cost_line(done) == "All items are made already."


def test_more_seeds_and_steps_cost_more(bench):
    def seconds(**more: int) -> float:
        found = study_cost(bench.spec.model_copy(update=more), ["figure-8"], bench.store).seconds
        assert found is not None
        return found

    assert seconds(n_seeds=4) > seconds(n_seeds=2)
    assert seconds(steps=400) > seconds(steps=4)


def test_a_baseline_that_runs_share_counts_once(bench, store):
    def seconds(n_seeds: int) -> float:
        found = study_cost(bench.spec.model_copy(update={"n_seeds": n_seeds}), ["figure-8"], store).seconds
        assert found is not None
        return found

    run, _ = Pace(store).of_run(arms(bench.spec)["gaussian"].specs[0])
    assert seconds(3) - seconds(2) == pytest.approx(run)
    baseline = Pace(store).of_baselines(arms(bench.spec)["gaussian"].specs[0])
    assert baseline is not None
    assert baseline > 0


def test_two_arms_that_are_the_same_runs_count_once(store):
    runs = [spec.canonical_json() for spec in missing_runs(STANDARD, list(ITEMS)[:-1], store)]
    assert len(runs) == len(set(runs))
    known = arms(STANDARD)
    assert known["deep-sums-gaussian"].specs == known["deep-gaussian"].specs


def test_readings_count_and_those_that_are_done_do_not(bench):
    def n_readings(*items: str) -> int:
        return study_cost(bench.spec, items, bench.store).n_readings

    n_soft, n_deep = 6 * 2 + 4, 3 * 2 + 3  # pairs of priors by seed, and the two seeds of each prior
    assert n_readings("lines") == n_soft + n_deep
    assert n_readings("lines", "claim-15") == n_soft + n_deep + 6 + 3, "random labels have one seed here"
    assert n_readings("generalisation") == (4 + 3) * 2
    assert n_readings("doses", "claim-16") == 2
    assert n_readings("figure-6") == 0
    first, second = (bench.runs(arm)[0] for arm in ("isotropic", "gaussian"))
    bench.made(find_line, "line", line_spec(first, second))
    assert n_readings("lines") == n_soft + n_deep - 1


def test_transfer_counts_runs_from_scratch_and_from_posteriors(bench):
    n_seeds, n_tasks, n_pairs = 2, 3, 6
    n_runs = (n_tasks + n_pairs) * n_seeds
    assert len(missing_runs(bench.spec, ["transfer"], bench.store)) == n_runs
    bench.runs("deep-gaussian")
    assert len(missing_runs(bench.spec, ["transfer"], bench.store)) == n_runs - n_seeds


def test_the_guess_for_the_standard_study_is_hours_and_not_weeks(store, two_cores):
    found = study_cost(STANDARD, list(ITEMS), store)
    assert found.seconds is not None
    assert 10 * HOUR < found.seconds < 100 * HOUR
    assert not found.measured


def test_a_deep_run_is_guessed_to_read_the_blocks_above_its_prompt_alone(store):
    known = arms(STANDARD)
    (soft, _), (deep, _) = (Pace(store).of_run(known[name].specs[0]) for name in ("gaussian", "deep-gaussian"))
    assert soft is not None
    assert deep is not None
    assert deep < soft / 5, "3 of 30 blocks"


def test_runs_of_another_kind_on_the_same_model_tell_the_pace(store):
    soft, deep = (arms(STANDARD)[name].specs[0] for name in ("gaussian", "deep-gaussian"))
    ended(store, soft, steps_per_second=2.0)
    once, known = Pace(store).of_run(deep)
    assert not known
    ended(store, soft, steps_per_second=4.0)
    twice, _ = Pace(store).of_run(deep)
    assert once is not None
    assert twice == pytest.approx(once / 2)
    assert Pace(store).of_run(soft)[1], "one alike was measured"


def test_a_capture_of_few_tokens_does_not_tell_the_pace(store):
    model = STANDARD.model
    for key, pace in (("large", 3e11), ("small", 2e10)):
        info = {"model": model.name, "asked_device": model.device, "asked_dtype": model.dtype}
        store.make(CLOUD, key, {}, lambda _, info=info, pace=pace: {**info, "operations_per_second": pace})
    assert measured_pace(model, store) == 3e11


def test_what_is_not_known_is_said(store):
    study = StudySpec.asked("quick", model={"name": "some/unknown-model"})
    found = study_cost(study, list(ITEMS), store)
    assert found.seconds is None
    assert "the time is unknown until the model is here" in cost_line(found)
    assert "partly a guess" in cost_line(StudyCost(3, 2, 1, 120.0, False, 2e6))
    with pytest.raises(UnknownName, match="figure-99"):
        study_cost(study, ["figure-99"], store)
