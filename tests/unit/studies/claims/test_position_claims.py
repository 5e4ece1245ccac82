"""C5, C8 and C9 on planted prompts and measures."""

import numpy as np
import pytest

from core.store.endings import LONGEST
from core.studies.arms import DEEP, RANDOM, SOFT
from core.studies.claims import CLAIMS, position
from core.studies.claims.base import Judged
from tests.unit.studies.claims.planted_runs import D_MODEL, N_PROMPT, STUDY, Planted, RunsBench, wobbled


def contracted(kept: float, random: float = 0.0, spread: float = 0.1, apart: float = 30.0):
    """Return runs whose priors lie far apart, and whose posteriors keep a share of that."""

    def plan(arm: str, seed: int) -> Planted:
        name = arm.removesuffix(RANDOM)
        place = (SOFT.index(name) if name in SOFT else DEEP.index(name)) + 1
        rng = np.random.default_rng((place, seed))
        centre = np.zeros(D_MODEL)
        centre[place % D_MODEL] = apart
        share = random if arm.endswith(RANDOM) else kept
        noise = spread * rng.normal(size=(N_PROMPT, D_MODEL))
        home = np.full(D_MODEL, 3.0)
        return Planted(before=centre + noise, after=home + share * (centre - home) + noise)

    return plan


def test_c05_holds_where_planted(store):
    found = CLAIMS[5].judge(RunsBench(store, contracted(1.0)))
    assert found.verdict == "holds"
    assert found.deciding[0].interval.value == pytest.approx(1.0, abs=0.05)
    assert [control.verdict for control in found.controls] == ["fails", "fails"]
    assert "training is not the cause" not in found.told


def test_c05_fails_where_training_forgets_the_prior(store):
    found = CLAIMS[5].judge(RunsBench(store, contracted(0.0)))
    assert found.verdict == "fails"
    assert found.deciding[0].interval.value == pytest.approx(0.0, abs=0.1)
    null = found.deciding[0].null
    assert null is not None
    assert null.value < 0.2


def test_c05_stays_undecided_where_posteriors_are_noisy_priors_equal_or_runs_not_converged(store):
    equal = CLAIMS[5].judge(RunsBench(store, contracted(1.0, apart=0.0)))
    assert equal.verdict == "undecided"
    assert "cannot be told apart" in equal.told
    told = CLAIMS[5].reproduced(equal, STUDY)
    assert told.numbers["judgement"]["value"] is None
    assert told.picture.data


def test_c05_stays_undecided_where_runs_have_not_converged(store):
    plan = contracted(1.0)

    def unfinished(arm: str, seed: int) -> Planted:
        made = plan(arm, seed)
        return Planted(before=made.before, after=made.after, ending=LONGEST)

    assert CLAIMS[5].judge(RunsBench(store, unfinished)).verdict == "undecided"


def test_c05_on_random_labels_alike_is_no_finding_of_training(store):
    found = CLAIMS[5].judge(RunsBench(store, contracted(1.0, random=1.0)))
    assert [control.verdict for control in found.controls] == ["holds", "holds"]
    assert "The same holds for random labels, so training is not the cause." in found.told


def shares(
    supported: dict[str, float], losses: dict[str, float] | None = None, prior: float = 1.0, random: float = 1.0, **more
):
    """Return runs whose vectors are supported to these shares, 1 by default."""
    plain = wobbled(losses or {}, **more)

    def plan(arm: str, seed: int) -> Planted:
        made = plain(arm, seed)
        after = random if arm.endswith(RANDOM) else supported.get(arm, 1.0)
        return Planted(loss=made.loss, untuned=made.untuned, ending=made.ending, supported=(prior, after))

    return plan


def test_c08_holds_where_one_prior_is_off_the_activations_and_as_good_as_the_reference(store):
    found = CLAIMS[8].judge(RunsBench(store, shares({"deep-gaussian": 0.0})))
    assert found.verdict == "holds"
    assert found.headline.name == "Deep, Gaussian fitted at each block"
    assert {control.name: control.verdict for control in found.controls} == {
        "zero steps": "fails",
        "random labels": "fails",
    }


@pytest.mark.parametrize(
    ("supported", "losses", "untuned"),
    [({}, {}, 3.0), ({"isotropic": 0.0}, {"isotropic": 1.5}, 3.0), ({"isotropic": 0.0}, {}, 0.5)],
)
def test_c08_fails_where_no_prior_is_off_good_and_useful_at_once(store, supported, losses, untuned):
    assert CLAIMS[8].judge(RunsBench(store, shares(supported, losses, untuned=untuned))).verdict == "fails"


def test_c08_stays_undecided_on_the_bound_and_where_no_run_converged(store):
    assert CLAIMS[8].judge(RunsBench(store, shares({"isotropic": 0.49}))).verdict == "undecided"


def test_c08_stays_undecided_where_no_run_converged(store):
    found = CLAIMS[8].judge(RunsBench(store, shares({"isotropic": 0.0}, ending=LONGEST)))
    assert found.verdict == "undecided"
    assert "Not converged" in found.told


def test_c08_whose_prior_samples_lie_off_as_well_is_no_finding_of_training(store):
    found = CLAIMS[8].judge(RunsBench(store, shares({"isotropic": 0.0}, prior=0.0)))
    assert found.verdict == "holds"
    assert "The same holds for zero steps, so training is not the cause." in found.told


def nearest(after: dict[str, float], before: float = 1.5, random: float = 1.5, noise: float = 0.0):
    """Return runs whose vectors lie this far from the vocabulary; its rows are 1 to 2 apart."""

    def plan(arm: str, seed: int) -> Planted:
        distance = random if arm.endswith(RANDOM) else after.get(arm, 1.5)
        return Planted(nearest=(before, distance + noise * (seed % 2 - 0.5)))

    return plan


def test_c09_holds_where_one_prior_and_rate_keep_away(store):
    found = CLAIMS[9].judge(RunsBench(store, nearest({"isotropic-slow": 3.0})))
    assert found.verdict == "holds"
    assert found.headline.name == "Isotropic, rate 5e-4"
    assert "training is not the cause" not in found.told


def test_c09_fails_where_every_prompt_is_as_near_as_a_row(store):
    found = CLAIMS[9].judge(RunsBench(store, nearest({})))
    assert found.verdict == "fails"
    assert len(found.parts) == len(position.RATES)


def test_c09_stays_undecided_where_seeds_disagree(store):
    assert CLAIMS[9].judge(RunsBench(store, nearest({"isotropic": 1.95}, noise=0.3))).verdict == "undecided"


@pytest.mark.parametrize("name", ["zero steps", "random labels"])
def test_c09_that_holds_on_a_control_as_well_says_so(store, name):
    far = {"before": 3.0} if name == "zero steps" else {"random": 3.0}
    found: Judged = CLAIMS[9].judge(RunsBench(store, nearest({"isotropic": 3.0}, **far)))
    assert found.verdict == "holds"
    assert f"The same holds for {name}, so training is not the cause." in found.told
