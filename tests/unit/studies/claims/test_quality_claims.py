"""C6, C10 and C11 on planted runs."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.seeds import tost
from core.analysis.two_way import two_way
from core.store.endings import LONGEST
from core.studies.arms import BETWEEN, CUT, INSIDE, SOFT
from core.studies.claims import CLAIMS
from core.studies.claims.base import Judged
from core.studies.claims.common_step import AT_COMMON_STEP, losses_at_common_step
from core.studies.claims.outcomes import AT_BEST_RATES, MARGIN, POOLED, UNPOOLED
from tests.unit.studies.claims.planted_runs import SEEDS, WOBBLE, Planted, RunsBench, wobbled


def judged(store, number: int, losses: dict[str, float], noise: float = 1.0, **more) -> Judged:
    return CLAIMS[number].judge(RunsBench(store, wobbled(losses, noise, **more)))


def test_c06_holds_where_planted(store):
    found = judged(store, 6, {})
    assert (found.verdict, found.verdict_on("a"), found.verdict_on("b")) == ("holds", "holds", "holds")
    assert found.level == 0.9
    assert len(found.deciding) == 6 + 3


def test_c06_fails_where_one_soft_prior_is_worse_and_the_deep_ones_hold(store):
    found = judged(store, 6, {"exclusion": 1.5})
    assert (found.verdict, found.verdict_on("a"), found.verdict_on("b")) == ("fails", "fails", "holds")


@pytest.mark.parametrize(("losses", "noise"), [({}, 15), ({"exclusion": 1.055}, 1)])
def test_c06_stays_undecided_where_seeds_or_the_margin_leave_it_open(store, losses, noise):
    found = judged(store, 6, losses, noise)
    assert found.verdict_on("a") == "undecided"
    (sentence, *_) = CLAIMS[6].judgement(found, RunsBench(store, wobbled({})).spec).sentences
    assert sentence.units_needed is not None
    assert sentence.units_needed > SEEDS
    assert sentence.smallest is not None


def test_c06_is_not_judged_on_runs_that_did_not_converge(store):
    plan = wobbled({})

    def cut_short(arm: str, seed: int) -> Planted:
        return replace(plan(arm, seed), ending=LONGEST) if arm == "xavier" and seed < 2 else plan(arm, seed)

    found = CLAIMS[6].judge(RunsBench(store, cut_short))
    assert (found.verdict_on("a"), found.verdict_on("b")) == ("undecided", "holds")
    assert "Not converged: too few runs" in found.told
    assert "Xavier, rate 5e-3 6 of 8" in found.told
    told = CLAIMS[6].judgement(found, RunsBench(store, plan).spec)
    assert told.n_runs - told.n_converged == 2


def test_one_run_in_eight_that_did_not_converge_is_left_out(store):
    plan = wobbled({})

    def cut_short(arm: str, seed: int) -> Planted:
        return replace(plan(arm, seed), ending=LONGEST, loss=9.0) if (arm, seed) == ("xavier", 0) else plan(arm, seed)

    found = CLAIMS[6].judge(RunsBench(store, cut_short))
    assert found.verdict == "holds"
    assert {part.n for part in found.deciding if part.sentence == "a"} == {SEEDS - 1}


def test_c06_pools_the_variance_where_it_is_alike_and_shows_both(store):
    plan = wobbled({})
    found = CLAIMS[6].judge(RunsBench(store, plan))
    losses = np.array([[plan(arm, seed).loss for seed in range(SEEDS)] for arm in SOFT])
    layout = two_way(losses)
    assert layout.p_equal > 0.1
    first, beside = (
        next(p for p in found.parts if p.sentence == "a" and p.decides),
        next(p for p in found.parts if p.quantity == UNPOOLED),
    )
    assert first.interval == layout.difference(0, 1, 0.9)
    assert first.freedom == 3 * (SEEDS - 1)
    assert beside.interval == tost(losses[0], losses[1], MARGIN, paired=True).difference


def test_c06_does_not_pool_where_one_prior_varies_more(store):
    plan, wild = wobbled({}), wobbled({}, 30)
    found = CLAIMS[6].judge(RunsBench(store, lambda arm, seed: (wild if arm == "exclusion" else plan)(arm, seed)))
    parts = [part for part in found.parts if part.sentence == "a"]
    assert {part.freedom for part in parts if part.decides} == {SEEDS - 1}
    assert {part.quantity for part in parts} >= {POOLED}


def test_c06_shows_soft_priors_at_the_better_of_their_rates_beside(store):
    found = judged(store, 6, {"gaussian": 2.0, "gaussian-slow": 1.0})
    beside = {part.name: part for part in found.parts if part.quantity == AT_BEST_RATES}
    assert len(beside) == 6
    assert not any(part.decides for part in beside.values())
    name = "Isotropic, rate 5e-3 − Gaussian fitted on the vocabulary, rate 5e-3"
    assert abs(beside[name].interval.value) < 0.01
    assert found.verdict_on("a") == "fails"


def test_a_better_rate_is_chosen_though_one_of_its_runs_did_not_converge(store):
    plan = wobbled({"gaussian": 1.0, "gaussian-slow": 2.0})

    def cut_short(arm: str, seed: int) -> Planted:
        return replace(plan(arm, seed), ending=LONGEST) if (arm, seed) == ("gaussian", 3) else plan(arm, seed)

    found = CLAIMS[6].judge(RunsBench(store, cut_short))
    beside = {part.name: part for part in found.parts if part.quantity == AT_BEST_RATES}
    one = beside["Isotropic, rate 5e-3 − Gaussian fitted on the vocabulary, rate 5e-3"]
    assert one.n == SEEDS - 1
    assert abs(one.interval.value) < 0.05


def test_c06_shows_beside_what_runs_that_went_on_longer_gain_by_that_alone(store):
    def falling(arm: str, seed: int) -> Planted:
        """Return a run that falls as all others do, and ends sooner or later."""
        end = 120 if arm == "deep-xavier" else 200 + 20 * (seed % 3)
        curve = {step: 2.0 - step / 400 + 0.002 * WOBBLE[seed] for step in range(0, end + 1, 20)}
        return Planted(loss=curve[end], curve=curve)

    found = CLAIMS[6].judge(RunsBench(store, falling))
    name = "Deep, Gaussian fitted at each block − Deep, Xavier"
    mine = [part for part in found.parts if part.name == name]
    ends, as_long = mine[0], next(part for part in mine if part.quantity == AT_COMMON_STEP)
    assert ends.decides
    assert ends.interval.value < -0.15
    assert not as_long.decides
    assert as_long.interval.value == pytest.approx(0.0, abs=1e-9)
    assert as_long.n == SEEDS


def test_losses_at_a_common_step_are_means_of_the_last_four_shared_evaluations(store):
    curves = [{0: 9.0, 20: 5.0, 40: 4.0, 60: 3.0, 80: 2.0, 100: 1.0}, {0: 8.0, 20: 7.0, 40: 6.0, 60: 5.0, 80: 4.0}]
    bench = RunsBench(store, lambda arm, _: Planted(curve=curves[arm == "gaussian"]))
    long, short = bench.runs("xavier")[0], bench.runs("gaussian")[0]
    assert losses_at_common_step(long, short) == (3.5, 5.5)


def test_c10_holds_where_planted(store):
    assert judged(store, 10, {}).verdict == "holds"


def test_c10_fails_where_planted(store):
    assert judged(store, 10, {CUT: 1.3}).verdict == "fails"


def test_c10_stays_undecided_where_planted(store):
    assert judged(store, 10, {}, 15).verdict == "undecided"
    assert judged(store, 10, {}, 0, ending=LONGEST).verdict == "undecided"


def test_c11_holds_where_planted(store):
    assert judged(store, 11, {BETWEEN: 0.9, INSIDE: 1.0}).verdict == "holds"


@pytest.mark.parametrize(("between", "untuned"), [(1.4, 3.0), (1.0, 0.5)])
def test_c11_fails_where_it_costs_or_does_not_help(store, between, untuned):
    assert judged(store, 11, {BETWEEN: between}, untuned=untuned).verdict == "fails"


def test_c11_stays_undecided_on_the_margin_and_with_fewer_than_eight_converged_seeds(store):
    assert judged(store, 11, {BETWEEN: 1.05}).verdict == "undecided"
    plan = wobbled({BETWEEN: 0.9})

    def seven(arm: str, seed: int) -> Planted:
        return replace(plan(arm, seed), ending=LONGEST) if seed == 7 else plan(arm, seed)

    found = CLAIMS[11].judge(RunsBench(store, seven))
    assert found.verdict == "undecided"
    assert "Not converged" in found.told
