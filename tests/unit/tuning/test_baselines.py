"""Baselines, which runs share."""

import pytest

from core.tuning.baselines import BASELINE
from core.tuning.evaluation import Validation
from tests.runs import spec_of
from tests.unit.tuning.conftest import run


@pytest.fixture
def answered(monkeypatch) -> list[int]:
    """Return the number of vectors of each prompt that answers are generated for."""
    right, found = Validation.answer, []

    def count(self, prompt, progress):
        found.append(prompt.shape[1])
        return right(self, prompt, progress)

    monkeypatch.setattr(Validation, "answer", count)
    return found


def kept(store) -> int:
    return len(list((store.root / "artifacts" / BASELINE).glob("*")))


def test_runs_of_other_priors_methods_and_seeds_share_what_no_training_is_worth(store, tiny_folder, sums, answered):
    _, first = run(spec_of(tiny_folder, sums), store, "t-1")
    n_instruction = answered[1]
    assert answered == [0, n_instruction, 3]
    others = [{"seed": 1}, {"prior": "xavier"}, {"method": "deep", "prompt_sites": (1,)}, {"labels": "random"}]
    for i, changes in enumerate(others):
        answered.clear()
        _, other = run(spec_of(tiny_folder, sums, **changes), store, f"t-{i + 2}")
        assert answered == [3]
        for name in ("no_prompt", "instruction"):
            assert other["baseline"][name] == first["baseline"][name]
    assert kept(store) == 2


@pytest.mark.parametrize("changes", [{"n_validation": 5}, {"n_generation": 2}, {"max_new_tokens": 3}])
def test_other_examples_or_other_answers_are_other_baselines(store, tiny_folder, sums, changes):
    run(spec_of(tiny_folder, sums), store, "t-1")
    run(spec_of(tiny_folder, sums, **changes), store, "t-2")
    assert kept(store) == 4


def test_another_instruction_is_another_baseline_of_the_same_examples(store, tiny_folder, sums):
    _, one = run(spec_of(tiny_folder, sums), store, "t-1")
    _, other = run(spec_of(tiny_folder, sums, instruction="Add them up."), store, "t-2")
    assert kept(store) == 3
    assert one["baseline"]["no_prompt"] == other["baseline"]["no_prompt"]
    assert one["baseline"]["instruction"] != other["baseline"]["instruction"]


def test_the_prior_sample_answers_only_where_answers_are_followed(store, tiny_folder, sums):
    _, end_alone = run(spec_of(tiny_folder, sums, answer_every=6), store, "t-1")
    _, followed = run(spec_of(tiny_folder, sums, answer_every=3), store, "t-2")
    assert end_alone["baseline"]["prior_sample"]["f1"] is None
    assert followed["baseline"]["prior_sample"]["f1"] is not None
    assert end_alone["validation"] == followed["validation"]
