"""Planned analyses: what each may err, that reruns are charged, and that seeds bring no verdict by luck."""

import numpy as np
import pytest

from core.analysis.power import decided_from, decided_with, spread_of
from core.analysis.seeds import over_seeds
from core.analysis.spending import spent_error
from core.analysis.verdict import Bounds
from core.engine.lookup import job_id
from core.specs import StudyItemSpec
from core.store import Store, create_job
from core.studies.analyses import Analysis, analyses_of, charged, make_claim, planned
from core.studies.claims import CLAIMS
from core.studies.claims.base import Judged, Part
from core.studies.claims.possible import one_inside
from core.studies.figure import keep
from core.studies.foresight import foreseen
from core.studies.items import KIND, VERSION
from tests.unit.studies.claims.planted_runs import STUDY, RunsBench, wobbled


def judged(values: np.ndarray) -> Judged:
    """Return a claim that a mean lies above 0, told from these seeds."""
    n = len(values)
    return Judged([Part("mean", "nats", over_seeds(values), Bounds(low=0.0), n=n, freedom=n - 1)], "")


def test_analyses_are_planned_up_to_the_most():
    assert planned(3, 48) == [6, 12, 24, 48]
    assert planned(5, 12) == [6, 12]
    assert planned(8, 10) == [10]
    assert planned(12, 12) == []


def test_the_first_analysis_makes_the_error_of_its_interval_and_later_ones_less():
    alone = judged(np.random.default_rng(0).normal(1, 1, 6))
    first, spent = charged(alone, 6, [], 12)
    assert (first, spent) == (alone, 0.0)
    second, spent = charged(alone, 6, [Analysis(3, 0.0)], 12)
    assert spent == spent_error(0.5, 0.05)
    assert second.n_analyses == 2
    assert second.headline.interval.low < alone.headline.interval.low
    last, spent = charged(alone, 12, [Analysis(3, 0.0), Analysis(6, spent)], 12)
    assert spent == pytest.approx(0.05)
    assert second.headline.interval.low < last.headline.interval.low < alone.headline.interval.low


def test_the_spread_of_seeds_is_the_same_however_many_analyses_are_charged():
    values = np.random.default_rng(0).normal(1, 1, 6)
    alone = judged(values)
    second, _ = charged(alone, 6, [Analysis(3, 0.0)], 12)
    stated, level = second.decided_by(second.headline)
    assert spread_of(stated, 6, level) == pytest.approx(values.std(ddof=1))
    assert spread_of(alone.headline.stated, 6) == pytest.approx(values.std(ddof=1))
    assert level > 0.95
    assert decided_from(stated, level) == pytest.approx(decided_with(float(values.std(ddof=1)), 6, level))


def test_where_one_case_is_enough_its_interval_is_widened_for_their_number_before_power_is_told():
    rng = np.random.default_rng(1)
    cases = {name: rng.normal(mean, 1, 6) for name, mean in (("best", 3.0), ("other", -3.0), ("third", -4.0))}
    parts = [Part(name, "nats", over_seeds(values), Bounds(low=0.0), n=6, freedom=5) for name, values in cases.items()]
    found = Judged(parts, "", one_inside, one_is_enough=True)
    stated, level = found.decided_by(found.headline)
    assert level == pytest.approx(1 - 0.05 / 3)
    assert spread_of(stated, 6, level) == pytest.approx(cases["best"].std(ddof=1))
    assert found.decided_by(parts[1]) == (parts[1].stated, 0.95)  # all must fail, which needs no correction


def test_error_that_is_used_up_leaves_the_claim_undecided_and_says_so():
    found, _ = charged(judged(np.full(24, 5.0) + np.arange(24)), 24, [Analysis(6, 0.0), Analysis(12, 0.05)], 24)
    assert found.verdict == "undecided"
    assert "The error that further analyses may make is used up." in found.told


def test_seeds_that_are_added_bring_no_wrong_verdict_more_often_than_the_error():
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        values, earlier = rng.normal(0, 1, 24), [Analysis(3, 0.0)]
        for n in planned(3, 24):
            found, spent = charged(judged(values[:n]), n, earlier, 24)
            earlier.append(Analysis(n, spent))
            if found.verdict != "undecided":
                wrong += 1
                break
    assert wrong / 300 <= 0.08  # 0.05, and three standard errors


def make(store: Store, n_seeds: int) -> dict:
    """Judge C10 on a study with so many seeds, and keep it as its job would; return the judgement."""
    study = STUDY.model_copy(update=dict.fromkeys(("n_seeds", "n_deep_seeds"), n_seeds))
    bench = RunsBench(store, wobbled({}, 5))
    bench.spec = study
    made = make_claim(CLAIMS[10], bench)
    spec = StudyItemSpec(study=study, item="claim-10")
    job = create_job(store, KIND, spec.as_json(), job_id(KIND, spec))
    job.write_result({"version": VERSION, **keep(made, job.path), "seconds": 1.0})
    job.update(state="succeeded")
    return made.numbers["judgement"]


def test_a_study_that_is_made_again_with_more_seeds_is_charged_for_the_analyses_before(store):
    first = make(store, 3)
    assert (first["looks"], first["spent"], first["n_seeds"]) == (1, 0.0, 3)
    second = make(store, 6)
    assert (second["looks"], second["spent"]) == (2, spent_error(6 / 48, 0.1))
    study = STUDY.with_seeds(8)
    assert analyses_of(CLAIMS[10], study, store) == [Analysis(3, 0.0), Analysis(6, second["spent"])]
    assert analyses_of(CLAIMS[10], study.model_copy(update={"steps": 25}), store) == []
    assert analyses_of(CLAIMS[11], study, store) == []
    alone = CLAIMS[10].judge(RunsBench(store, wobbled({}, 5)))
    last = make(store, 8)
    assert last["looks"] == 3
    assert last["low"] < alone.headline.interval.low


def test_the_same_number_of_seeds_again_is_no_further_analysis(store):
    make(store, 3)
    assert make(store, 3)["looks"] == 1


def test_what_a_claim_could_decide_is_said_before_the_start_from_runs_at_hand(store):
    assert foreseen(CLAIMS[10], STUDY, store) == ""
    told = make(store, 6)
    spread = told["sentences"][0]["spread"]
    said = foreseen(CLAIMS[10], STUDY, store)
    assert said.startswith("With 8 seeds it would be decided in 80 % of cases")
    assert f"bound: {decided_with(spread, 8, 0.9):.3g} (variance of 6 seeds on smollm2-135m)." in said
    assert foreseen(CLAIMS[1], STUDY, store) == ""
