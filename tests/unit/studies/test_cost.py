"""What a study costs: what is missing, what is shared, and what is not known."""

import pytest

from core.commands.reproduce import cost_line
from core.errors import UnknownName
from core.specs import StudyItemSpec, StudySpec
from core.studies.cost import StudyCost, study_cost
from core.studies.items import ITEMS


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


def test_what_is_not_known_is_said(store):
    study = StudySpec.asked("quick", model={"name": "some/unknown-model"})
    found = study_cost(study, list(ITEMS), store)
    assert found.seconds is None
    assert "the time is unknown until the model is here" in cost_line(found)
    assert "partly a guess" in cost_line(StudyCost(3, 2, 1, 120.0, False, 2e6))
    with pytest.raises(UnknownName, match="figure-99"):
        study_cost(study, ["figure-99"], store)
