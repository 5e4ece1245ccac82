"""C14 to C16 on planted runs whose readings are planted as well."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.jobs.readings import Elsewhere, Line
from core.store.endings import LONGEST
from core.studies.arms import DEEP, DOSES, PLAIN, RANDOM, SOFT, WEIGHTS, dose_arm
from core.studies.claims import CLAIMS
from core.studies.claims.base import Judged
from core.studies.claims.basins import PAIRS
from core.studies.doses import doses
from core.studies.generalisation import foreign_datasets, generalisation
from core.studies.lines import StudyLines, lines
from tests.unit.studies.claims.planted_runs import STUDY, WOBBLE, Planted, RunsBench, wobbled

SHARES = [0.0, 0.25, 0.5, 0.75, 1.0]


def arm_of(run: str) -> tuple[str, int]:
    """Return arm and seed of a planted run."""
    arm, _, seed = run.removeprefix("t-").rpartition("-")
    return arm, int(seed)


def abroad(losses: dict[str, float], noise: float = 1.0, random: dict[str, float] | None = None):
    """Return what prompts do on foreign data: 5 nats, or an arm's own loss."""

    def answer(spec):
        arm, seed = arm_of(spec.run)
        known = random or {} if arm.endswith(RANDOM) else losses
        loss = known.get(arm.removesuffix(RANDOM), 5.0) + noise * float(np.roll(WOBBLE, len(arm))[seed])
        return [Elsewhere(data.label, loss, 9.0) for data in spec.datasets]

    return {"generalise": answer}


def generalised(store, *given, **more) -> Judged:
    plan = wobbled({}, ending=more.pop("ending")) if "ending" in more else wobbled({})
    return CLAIMS[14].judge(RunsBench(store, plan, abroad(*given, **more)))


def test_c14_holds_where_one_prior_generalises_better(store):
    found = generalised(store, {"exclusion": 4.0})
    assert found.verdict == "holds"
    assert found.headline.name.startswith("Exclusion, c = 5, rate 5e-3 − Xavier")
    assert [control.verdict for control in found.controls] == ["fails"]


def test_c14_fails_where_no_prior_does(store):
    assert generalised(store, {"isotropic": 6.0}).verdict == "fails"


@pytest.mark.parametrize(("losses", "noise"), [({"gaussian": 4.95}, 1), ({}, 15)])
def test_c14_stays_undecided_on_the_margin_and_where_seeds_disagree(store, losses, noise):
    assert generalised(store, losses, noise).verdict == "undecided"


def test_c14_is_not_judged_on_runs_that_did_not_converge(store):
    found = generalised(store, {"exclusion": 4.0}, ending=LONGEST)
    assert found.verdict == "undecided"
    assert "Not converged" in found.told


def test_c14_that_holds_on_random_labels_as_well_says_so(store):
    found = generalised(store, {"exclusion": 4.0}, random={"exclusion": 4.0})
    assert "The same holds for random labels, so training is not the cause." in found.told


def test_a_prompt_is_read_on_all_tasks_but_its_own():
    home = STUDY.soft_task.label
    labels = [data.label for data in foreign_datasets(STUDY, "isotropic")]
    assert home not in labels
    assert len(labels) == len(set(labels)) == len(STUDY.tasks)
    assert STUDY.questions.label in labels


def test_the_matrix_has_a_row_per_prior_and_its_colour_is_the_difference_from_the_reference(store):
    found = generalisation(RunsBench(store, wobbled({}), abroad({"exclusion": 4.0}, 0)))
    every: Any = found.picture.data
    (drawn,) = every
    assert drawn["z"].shape == (len(SOFT) + len(DEEP), len(STUDY.tasks))
    rows = dict(zip((*SOFT, *DEEP), drawn["z"], strict=True))
    assert rows["exclusion"] == pytest.approx(-1)
    assert rows["isotropic"] == pytest.approx(0)


def barriers(between: float, within: float, noise: float = 0.05, random: float | None = None):
    """Return lines with barriers of these heights."""

    def answer(spec):
        (one, first), (other, second) = arm_of(spec.first), arm_of(spec.second)
        height = between if one != other else within
        if one.endswith(RANDOM):
            height = random if random is not None and one != other else within
        top = 1 + height + noise * float(WOBBLE[first] + WOBBLE[second])
        return Line(SHARES, [1.0, (1 + top) / 2, max(top, 1.0), (1 + top) / 2, 1.0])

    return {"line": answer}


def test_c15_holds_where_the_barrier_between_priors_is_higher(store):
    found = CLAIMS[15].judge(RunsBench(store, wobbled({}), barriers(2.0, 1.0)))
    assert found.verdict == "holds"
    assert found.parts[0].interval.value == pytest.approx(1.0, abs=0.01)
    assert [control.verdict for control in found.controls] == ["fails", "fails"]


def test_c15_fails_where_seeds_of_one_prior_are_as_far_apart(store):
    assert CLAIMS[15].judge(RunsBench(store, wobbled({}), barriers(1.0, 1.0))).verdict == "fails"


@pytest.mark.parametrize(("between", "noise", "ending"), [(1.05, 5, None), (3.0, 0.05, LONGEST)])
def test_c15_stays_undecided_on_the_margin_and_where_runs_did_not_converge(store, between, noise, ending):
    plan = wobbled({}, ending=ending) if ending else wobbled({})

    def tilted(spec):
        line = barriers(between, 1.0, 0)["line"](spec)
        (one, first), (other, _) = arm_of(spec.first), arm_of(spec.second)
        top = max(line.losses) + (noise * float(WOBBLE[first]) if one != other else 0)
        return Line(SHARES, [1.0, 1.0, top, 1.0, 1.0])

    assert CLAIMS[15].judge(RunsBench(store, plan, {"line": tilted})).verdict == "undecided"


def test_c15_shows_each_pair_of_priors_beside(store):
    def short(spec):
        """Return lines without a barrier between the Gaussian and the exclusion prior."""
        arms = {arm_of(spec.first)[0], arm_of(spec.second)[0]}
        return barriers(0.0 if arms == {"gaussian", "exclusion"} else 2.0, 1.0, 0)["line"](spec)

    found = CLAIMS[15].judge(RunsBench(store, wobbled({}), {"line": short}))
    pairs = {part.name: part for part in found.parts if part.quantity == PAIRS and part.sentence == "a"}
    name = "Gaussian fitted on the vocabulary, rate 5e-3 and Exclusion, c = 5, rate 5e-3"
    assert {round(part.interval.value, 3) for own, part in pairs.items() if own != name} == {1.0}
    assert pairs[name].interval.value == pytest.approx(-1.0)
    assert len(pairs) == 6
    assert not any(part.decides for part in pairs.values())
    decides = next(part for part in found.deciding if part.sentence == "a")
    assert decides.interval.value == pytest.approx((5 * 1.0 - 1.0) / 6)


def test_c15_that_holds_on_random_labels_as_well_says_so(store):
    found = CLAIMS[15].judge(RunsBench(store, wobbled({}), barriers(2.0, 1.0, random=2.0)))
    assert "The same holds for random labels, so training is not the cause." in found.told


def test_a_barrier_is_the_highest_loss_above_the_higher_end_and_never_below_0():
    assert Line([0, 0.5, 1], [1.0, 4.0, 2.0]).barrier == 2.0
    assert Line([0, 0.5, 1], [1.0, 0.5, 2.0]).barrier == 0.0


def test_the_excess_of_some_seeds_rests_on_their_lines_alone():
    high, low = Line([0, 0.5, 1], [1.0, 3.0, 1.0]), Line([0, 0.5, 1], [1.0, 1.5, 1.0])
    found = StudyLines({("p", "q", 0): high, ("p", "q", 1): low}, {("p", 0, 1): low, ("p", 1, 2): high})
    assert found.excess([0, 1]) == pytest.approx(np.mean([2.0, 0.5]) - 0.5)
    assert np.isnan(found.excess([0]))


def test_the_picture_of_lines_has_a_panel_per_method_and_a_mean_per_group(store):
    found = lines(RunsBench(store, wobbled({}), barriers(2.0, 1.0, 0)))
    drawn: Any = found.picture.data
    assert len(drawn) == 4
    assert drawn[0]["y"].tolist() == pytest.approx([1, 2, 3, 2, 1])
    assert drawn[0]["name"] == "two priors, one seed (48 lines)"
    assert set(found.points["barrier"].round(6)) == {1.0, 2.0}


def dosed(moves: dict[str, float], costs: dict[str, float] | None = None, noise: float = 1.0, **more):
    """Return runs whose regularisers decrease their own quantity by these shares, and cost this much."""
    plain = wobbled(
        {dose_arm(name, dose): 1 + (costs or {}).get(name, 0.0) for name in WEIGHTS for dose in DOSES}, **more
    )
    owner = {dose_arm(name, dose): name for name in WEIGHTS for dose in DOSES}

    def plan(arm: str, seed: int) -> Planted:
        made = plain(arm, seed)
        if arm not in owner:
            return made
        moved = moves.get(owner[arm], 0.5) + noise * float(WOBBLE[seed])
        return replace(made, regularisers={owner[arm]: {"weight": 1.0, "start": 1.0, "end": 1.0 + (1 - moved)}})

    return plan


def measured(_spec):
    return {name: {"start": 1.0, "end": 2.0} for name in WEIGHTS} | {
        name: {"start": 0.0, "end": 2.0} for name in WEIGHTS if name != "log_prior"
    }


def judged_doses(store, *given, **more) -> Judged:
    return CLAIMS[16].judge(RunsBench(store, dosed(*given, **more), {"penalties": measured}))


def test_c16_holds_where_every_regulariser_moves_its_quantity_at_no_cost(store):
    found = judged_doses(store, {})
    assert found.verdict == "holds"
    assert {found.verdict_on(sentence) for sentence in "abcde"} == {"holds"}


@pytest.mark.parametrize(("moves", "costs"), [({"spread": 0.0}, {}), ({}, {"spread": 0.5})])
def test_c16_fails_where_one_regulariser_does_nothing_or_costs(store, moves, costs):
    # Half of the change shown is that of quantities which are counted from 0.
    found = judged_doses(store, {**moves}, costs)
    assert found.verdict == "fails"
    assert found.verdict_on("e") == "fails"
    assert found.verdict_on("a") == "holds"


def test_c16_stays_undecided_where_seeds_disagree_or_the_plain_runs_did_not_converge(store):
    assert judged_doses(store, dict.fromkeys(WEIGHTS, 0.2), noise=30).verdict == "undecided"
    plan = dosed({})

    def unfinished(arm: str, seed: int) -> Planted:
        return replace(plan(arm, seed), ending=LONGEST) if arm == PLAIN else plan(arm, seed)

    found = CLAIMS[16].judge(RunsBench(store, unfinished, {"penalties": measured}))
    assert found.verdict == "undecided"
    assert "Not converged" in found.told


def test_the_dose_curves_show_change_and_cost_of_each_weight(store):
    found = doses(RunsBench(store, dosed({}, {"l2": 0.25}, noise=0), {"penalties": measured}))
    rows = found.points.loc[found.points["regulariser"] == "Stay near the initial prompt"]
    assert rows["weight"].tolist() == [0.1, 1.0, 10.0]
    assert rows["own quantity, change"].to_numpy() == pytest.approx(-0.25)
    assert rows["loss, change"].to_numpy() == pytest.approx(0.25, abs=0.01)
    log_prior = found.points.loc[found.points["regulariser"] == "Stay likely (MAP)", "own quantity, change"]
    assert log_prior.to_numpy() == pytest.approx(-0.5)
    drawn: Any = found.picture.data
    assert len(drawn) == 2 * len(WEIGHTS)
