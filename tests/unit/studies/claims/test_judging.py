"""Claims judged for real on a tiny model, seeds added, and what the Findings page reads of them."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from core.analysis.spending import spent_error
from core.engine import client
from core.engine.lookup import job_id
from core.engine.tasks import find_task
from core.errors import BadRequest
from core.progress import silent
from core.specs import DecideSpec, StudyItemSpec
from core.store import create_job
from core.studies.arms import arms
from core.studies.claims import CLAIMS
from core.studies.decide import KIND, decide_claim
from core.studies.judgements import best, judgements


@pytest.fixture(scope="module")
def judged(bench):
    """Judge the claims whose runs are few."""
    return {number: bench.obtain(StudyItemSpec(study=bench.spec, item=f"claim-{number}")) for number in (2, 3, 9, 10)}


@pytest.mark.parametrize("number", [2, 3, 9, 10])
def test_a_claim_is_judged_on_a_real_model(bench, judged, number):
    told = judged[number].result.numbers["judgement"]
    assert told["number"] == number
    assert told["verdict"] in ("holds", "fails", "undecided")
    assert told["parts"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    kept = judged[number].reproduced
    assert len(kept.points) == len(told["parts"])
    assert kept.picture.data
    claim = CLAIMS[number]
    known = arms(bench.spec)
    n_runs = sum(len(known[arm].specs) for arm in {*claim.arms, *claim.controls})
    assert len(told["runs"]) == told["n_runs"] == n_runs


@pytest.fixture
def here(bench, monkeypatch):
    """Have the jobs that a job asks for done in this process."""

    def submit(kind, spec, store):
        return bench.do(kind, spec)

    monkeypatch.setattr(client, "submit", submit)
    return bench


def decide(bench, clock: Callable[[], Iterator[int]] = itertools.count, **given) -> dict[str, Any]:
    asked = DecideSpec.parse({"study": bench.spec, "claim": 10, **given})
    job = create_job(bench.store, KIND, asked.as_json(), job_id(KIND, asked))
    ticks = clock()
    result = decide_claim(asked, job, bench.store, silent, lambda: float(next(ticks)))
    job.write_result(result)
    job.update(state="succeeded")
    return result


def test_seeds_are_added_up_to_the_most_and_each_look_is_told(here, judged):
    result = decide(here, most_seeds=4)
    looks = result["looks"]
    # The study itself has judged the claim with two seeds.
    assert [look["n_seeds"] for look in looks] == [3, 4][: len(looks)]
    told = result["numbers"]["judgement"]
    assert told["looks"] == 1 + len(looks)
    assert [look["spent"] for look in looks] == [spent_error(n / 4, 0.1) for n in (3, 4)][: len(looks)]
    assert told["n_seeds"] == looks[-1]["n_seeds"] <= 4
    if looks[-1]["verdict"] == "undecided":
        assert told["stopped"] == "undecided with 4 seeds, the most that the request allows"
    else:
        assert told["stopped"] == f"decided with {told['n_seeds']} seeds"
    assert len(told["runs"]) == 2 * told["n_seeds"]
    found = best(judgements(here.store), here.spec, 10)
    assert found is not None
    assert found.job.kind == KIND
    assert [asdict(one) for one in found.analyses] == looks
    assert found.reproduced.caption == result["caption"]


def test_the_budget_ends_it(here):
    result = decide(here, clock=lambda: itertools.count(0, 100), minutes=1, claim=11)
    assert len(result["looks"]) == 1
    assert result["numbers"]["judgement"]["stopped"] == (
        "undecided with 2 seeds; the budget of 1 minutes has no room for the next analysis, with 3"
    )


def test_a_claim_that_was_analysed_with_the_most_seeds_is_refused(here, judged):
    with pytest.raises(
        BadRequest, match=r"C10 was analysed with [234] seeds already, and 2 are the most allowed; allow"
    ):
        decide(here, most_seeds=2)


def test_more_seeds_are_the_same_study(here, judged):
    found = judgements(here.store)
    assert {one.claim for one in found} >= {2, 3, 9, 10}
    more = here.spec.with_seeds(7)
    assert more.without_seeds == here.spec.without_seeds
    assert best(found, more, 9) == best(found, here.spec, 9)
    other = here.spec.model_copy(update={"steps": 3})
    assert best(found, other, 9) is None


def test_what_cannot_be_decided_by_seeds_is_refused_before_it_is_queued(bench):
    task = find_task(KIND)
    with pytest.raises(BadRequest, match=r"There is no claim 99; there are 1, 2, .*16\."):
        task.context(DecideSpec(study=bench.spec, claim=99))
    with pytest.raises(BadRequest, match="C2 rests on documents, so further seeds cannot decide it; give the study"):
        task.context(DecideSpec(study=bench.spec, claim=2))
    assert task.lane == "study"
