import json
import math
from functools import partial

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from core.analysis.equivalence import tost
from core.analysis.retained import prior_retained
from core.analysis.steps_to_target import Reached
from core.store import create_job
from core.studies.arms import arms
from core.studies.claims import CLAIMS, position, quality, speed
from core.studies.claims.outcomes import MARGIN
from tests.unit.studies.claims.planted import SEEDS, STUDY, WOBBLE, PlantedBench, PlantedRun, runs_with

PRIORS = (*quality.SOFT, *quality.DEEP)


@pytest.mark.parametrize(
    ("gap", "noise", "verdict"), [(0.0, 1, "holds"), (0.5, 1, "fails"), (0.0, 10, "undecided"), (0.06, 1, "undecided")]
)
def test_quality_is_the_same_only_where_every_pair_is_within_the_margin(gap, noise, verdict):
    losses = dict.fromkeys(PRIORS, 1.0) | {"exclusion": 1.0 + gap}
    found = CLAIMS[6].judge(PlantedBench(runs_with(losses, noise)))
    assert found.verdict == verdict
    assert len(found.parts) == 6 + 3
    assert found.level == 0.9


def test_the_parts_of_quality_are_paired_tosts():
    bench = PlantedBench(runs_with(dict.fromkeys(PRIORS, 1.0)))
    part = CLAIMS[6].judge(bench).parts[0]
    oracle = tost(1 + WOBBLE, 1 + np.roll(WOBBLE, 1), MARGIN, paired=True)
    assert part.interval == oracle.difference
    assert part.p == oracle.p


def test_priors_that_differ_at_one_rate_are_compared_beside_at_the_rate_that_suits_each(store):
    bench = PlantedBench(runs_with({**dict.fromkeys(PRIORS, 1.0), "gaussian": 2.0}))
    bench.store = store
    suits = {"gaussian": 5e-4, "isotropic": 5e-3}
    for arm, best in suits.items():
        for spec in arms(STUDY)[arm].specs:
            for rate in suits.values():
                asked = spec.model_copy(update={"learning_rate": rate})
                job = create_job(store, "tune", asked.as_json(), f"t-{asked.fingerprint()[:10]}")
                job.write_result(PlantedRun("t", (1.0 if rate == best else 2.0) + float(WOBBLE[spec.seed])).result())
                job.update(state="succeeded")
    found = CLAIMS[6].judge(bench)
    beside = [part for part in found.parts if not part.decides]
    assert found.verdict == "fails"
    assert [part.name for part in beside] == ["Isotropic, rate 5e-3 − Gaussian fitted on the vocabulary"]
    assert beside[0].interval.value == pytest.approx(0)
    assert beside[0].n == SEEDS
    assert "Pairs also shown with each prior at its own best rate: 1." in found.words


@pytest.mark.parametrize(("gap", "noise", "verdict"), [(0, 1, "holds"), (0.2, 1, "fails"), (0, 10, "undecided")])
def test_cut_equals_kept(gap, noise, verdict):
    losses = {"form-cut": 1.0, "form-kept": 1.0 + gap}
    assert CLAIMS[10].judge(PlantedBench(runs_with(losses, noise))).verdict == verdict


@pytest.mark.parametrize(
    ("between", "untuned", "verdict"),
    [(1.0, 3.0, "holds"), (0.5, 3.0, "holds"), (1.4, 3.0, "fails"), (1.0, 0.5, "fails"), (1.05, 3.0, "undecided")],
)
def test_between_regions_a_prompt_must_help_and_not_be_worse(between, untuned, verdict):
    losses = {quality.BETWEEN: between, quality.INSIDE: 1.0}
    assert CLAIMS[11].judge(PlantedBench(runs_with(losses, untuned=untuned))).verdict == verdict


STEPS = list(range(0, 101, 10))


def curves(rates):
    """Return runs whose losses fall exponentially, by arm at these rates."""
    return {
        arm: [
            PlantedRun(f"{arm}-{seed}", 1.0, steps=STEPS, losses=[1 + 2 * math.exp(-rate * s * (1 + w)) for s in STEPS])
            for seed, w in enumerate(WOBBLE)
        ]
        for arm, rate in rates.items()
    }


@pytest.mark.parametrize(
    ("diverged", "verdict"), [(0.03, "holds"), (0.4, "fails"), (0.08, "undecided"), (0.001, "holds")]
)
def test_diverged_priors_are_slower_even_where_they_never_arrive(diverged, verdict):
    rates = {speed.SOFT_REFERENCE: 0.08, speed.DEEP_REFERENCE: 0.08}
    rates |= dict.fromkeys((*speed.SOFT, *speed.DEEP), diverged)
    found = CLAIMS[7].judge(PlantedBench(curves(rates)))
    assert found.verdict == verdict
    assert found.extra["runs_that_missed"] == (4 * SEEDS if diverged == 0.001 else 0)


def test_extra_steps_allow_for_gaps_between_evaluations_and_for_runs_that_end():
    known = [Reached(20, 10), Reached(30, 20), Reached(20, 10)]
    slow = [Reached(60, 50), Reached(50, 40), Reached(70, 60)]
    found = speed.extra_steps(slow, known)
    least, most = np.array([50 - 20, 40 - 30, 60 - 20]), np.array([60 - 10, 50 - 20, 70 - 10])
    assert found.value == pytest.approx(np.mean([40, 20, 50]))
    assert found.low == pytest.approx(ttest_1samp(least, 0).confidence_interval(0.95).low)
    assert found.high == pytest.approx(ttest_1samp(most, 0).confidence_interval(0.95).high)
    never = speed.extra_steps([Reached(None, 100)] * 3, known)
    assert never.high == math.inf
    assert never.low > 0
    assert speed.extra_steps([Reached(20, 10)] * 3, [Reached(None, 100)] * 3).low == -math.inf
    assert math.isnan(speed.extra_steps(slow[:1], known[:1]).low)
    assert speed.extra_steps([Reached(0, None)], [Reached(0, None)]).value == 0


def test_the_target_is_set_by_the_reference_alone_and_reached_by_each_of_its_runs():
    runs = curves({"xavier": 0.08})["xavier"]
    target = speed.reference_target(runs)
    assert target == pytest.approx(1.2, abs=0.02)
    late = PlantedRun("late", 1.0, steps=STEPS, losses=[3.0] * 10 + [2.9])
    assert speed.reference_target([*runs, late]) == pytest.approx(2.91)


def measured(features=None, distance=1.0, angle=10.0, supported=0.0):
    share = {"value": supported}
    site = {
        "features": features,
        "displacement": {"distance": {"value": distance}, "angle": {"value": angle}},
        "place": {"squad": {"supported": share, "inside": share}},
    }
    return {"sites": [site], "data": "squad", "n_prompt": 20}


@pytest.mark.parametrize(
    ("kept", "n_seeds", "verdict"), [(10.0, 5, "holds"), (0.0, 15, "fails"), (0.0, 2, "undecided")]
)
def test_priors_that_can_be_told_from_posteriors_decided_where_those_lie(monkeypatch, kept, n_seeds, verdict):
    monkeypatch.setattr(position, "prior_retained", partial(prior_retained, n_permutations=199))
    rng = np.random.default_rng(1)
    found = {
        arm: [measured((kept * place + 0.03 * rng.normal(size=6)).tolist()) for _ in range(n_seeds)]
        for place, arm in enumerate(PRIORS)
    }
    runs = runs_with(dict.fromkeys(PRIORS, 1.0))
    judged = CLAIMS[5].judge(PlantedBench(runs, found))
    if verdict == "holds":
        assert judged.parts[0].interval.low == pytest.approx(binomtest(20, 20).proportion_ci(0.95, "exact").low)
        assert (judged.parts[0].p or 1) < 0.01
    assert judged.verdict == verdict


def test_one_seed_tells_no_prior():
    found = {arm: [measured([float(place)] * 6)] for place, arm in enumerate(PRIORS)}
    runs = {arm: one[:1] for arm, one in runs_with(dict.fromkeys(PRIORS, 1.0)).items()}
    assert CLAIMS[5].judge(PlantedBench(runs, found)).verdict == "undecided"


@pytest.mark.parametrize(
    ("shares", "untuned", "verdict"),
    [
        ({"deep-gaussian": 0.0}, 3.0, "holds"),
        ({}, 3.0, "fails"),
        ({"deep-gaussian": 0.0}, 0.5, "fails"),
        ({"deep-gaussian": 0.47}, 3.0, "undecided"),
    ],
)
def test_one_useful_prior_off_the_activations_is_enough(shares, untuned, verdict):
    found = {arm: [measured(supported=shares.get(arm, 1.0))] * SEEDS for arm in position.APART}
    runs = runs_with(dict.fromkeys(position.APART, 1.0), untuned=untuned)
    assert CLAIMS[8].judge(PlantedBench(runs, found)).verdict == verdict


@pytest.mark.parametrize(
    ("fast", "angle", "verdict"),
    [(5.0, 50.0, "holds"), (1.2, 50.0, "fails"), (5.0, 2.0, "fails"), (2.0, 50, "undecided")],
)
def test_the_rate_decides_how_far_prompts_go(fast, angle, verdict):
    found = {
        position.FAST: [measured(distance=fast * (1 + w), angle=angle + w) for w in WOBBLE],
        position.SLOW: [measured(distance=1.0, angle=10.0 + w) for w in WOBBLE[::-1]],
    }
    runs = runs_with({position.FAST: 1.0, position.SLOW: 1.0})
    assert CLAIMS[9].judge(PlantedBench(runs, found)).verdict == verdict


def test_judging_again_with_more_seeds_is_allowed_less_error():
    judged = CLAIMS[10].judge(PlantedBench(runs_with({"form-cut": 1.0, "form-kept": 1.0})))
    widths = [np.ptp([(part := judged.after(looks).headline).interval.low, part.interval.high]) for looks in (1, 2, 5)]
    assert widths == sorted(widths)
    assert widths[0] > judged.headline.interval.high - judged.headline.interval.low
    assert sum(1 / (looks * (looks + 1)) for looks in range(1, 1000)) < 1


def test_looking_after_each_seed_does_not_bring_a_verdict_by_luck():
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        losses = rng.normal(0.05 + 1e-9, 0.03, 12)
        for looks in range(1, 7):
            one = {"form-cut": [PlantedRun("a", loss) for loss in losses[: looks + 2]]}
            two = {"form-kept": [PlantedRun("b", 0.0) for _ in range(looks + 2)]}
            if CLAIMS[10].judge(PlantedBench(one | two)).after(looks).verdict == "holds":
                wrong += 1
                break
    assert wrong / 100 <= 0.05


@pytest.mark.parametrize("noise", [1, 10])
def test_a_judgement_is_json_and_tells_all_that_a_page_shows(noise):
    claim = CLAIMS[6]
    made = claim.make(PlantedBench(runs_with(dict.fromkeys(PRIORS, 1.0), noise)))
    told = made.numbers["judgement"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["verdict"] == {1: "holds", 10: "undecided"}[noise]
    assert told["bounds"] == {"low": -MARGIN, "high": MARGIN, "words": "from -0.05 to 0.05"}
    assert f"{SEEDS} seeds" in told["rests_on"]
    assert STUDY.model.name in told["rests_on"]
    assert len(told["runs"]) == SEEDS * len(PRIORS)
    assert len(made.points) == 9
    assert made.picture.data
    assert told["verdict"] in made.caption
