"""Runs of a sweep as they stand, are asked for, cancelled and kept."""

import pytest

from core.engine import client
from core.errors import BadRequest, UnknownName, Unreachable
from core.jobs.sweep import (
    Standing,
    cancel_runs,
    find_sweep,
    follow_runs,
    keep_sweep,
    kept_sweeps,
    standings,
    submit_runs,
    to_do,
)
from core.specs import SweepSpec, TuningSpec
from core.specs.sweep import parse_sweep
from core.store import JobFolder, Store, list_jobs

SWEEP = parse_sweep("{priors: [isotropic, xavier], learning_rates: [1e-3, 1e-2], seeds: [0, 1], compare_seeds: [7]}")


@pytest.fixture
def queued(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[TuningSpec]:
    """Make folders under their real names instead of starting an engine, and return what was asked for."""
    asked: list[TuningSpec] = []

    def submit(kind: str, spec: TuningSpec, store: Store, again: bool = False) -> JobFolder:
        if spec.learning_rate > 1:
            raise BadRequest("too steep")
        asked.append(spec)
        job = client.prepare(kind, spec, store, again)
        job.change(("failed", "cancelled", "interrupted"), state="queued")
        return job

    monkeypatch.setattr(client, "submit", submit)
    return asked


def end(one: Standing, loss: float | None) -> None:
    """Let a run come to an end, of its own or by a failure."""
    assert one.job is not None
    if loss is None:
        one.job.update(state="failed", error="it broke")
        return
    one.job.write_result({"validation": {"loss": loss}})
    one.job.update(state="succeeded", finished=1.0)


def test_a_sweep_is_kept_once_and_found_by_its_id(store: Store):
    assert kept_sweeps(store) == []
    first, second = keep_sweep(SWEEP, store), keep_sweep(SweepSpec.parse({"priors": ["isotropic"]}), store)
    assert keep_sweep(parse_sweep(SWEEP.canonical_json()), store) == first
    assert sorted(kept_sweeps(store)) == sorted([first, second])
    assert find_sweep(first, store) == SWEEP
    with pytest.raises(UnknownName, match=f"Unknown sweep 's-0'; known: {min(first, second)}"):
        find_sweep("s-0", store)


def test_each_run_is_asked_for_once_and_found_by_its_fingerprint(store: Store, queued: list[TuningSpec]):
    found = standings(SWEEP, store)
    assert [one.state for one in found] == ["not started"] * 8
    assert len(to_do(found)) == 8
    assert [one.state for one in submit_runs(found, store)] == ["queued"] * 8
    again = standings(SWEEP, store)
    assert [one.job.id for one in again if one.job] == [one.job.id for one in submit_runs(again, store) if one.job]
    assert len(list_jobs(store)) == 8
    assert to_do(again) == []


def test_runs_that_have_ended_are_left_alone_unless_failed_ones_are_retried(store: Store, queued: list[TuningSpec]):
    found = submit_runs(standings(SWEEP, store), store)
    end(found[0], 2.0)
    end(found[1], None)
    queued.clear()
    now = standings(SWEEP, store)
    assert to_do(now) == []
    assert [one.cell for one in to_do(now, retry=True)] == [now[1].cell]
    submit_runs(now, store)
    assert len(queued) == 6
    queued.clear()
    assert [one.state for one in submit_runs(now, store, retry=True)] == ["succeeded", *["queued"] * 7]
    assert len(queued) == 7


def test_what_died_before_does_not_count_against_a_run_that_is_asked_for_again(store: Store, queued: list[TuningSpec]):
    found = submit_runs(standings(SWEEP, store), store)
    assert found[0].job is not None
    found[0].job.update(attempts=2)
    submit_runs(standings(SWEEP, store), store)
    assert found[0].job.stored_status().attempts == 0


def test_a_refused_run_does_not_keep_the_others_from_the_queue(store: Store, queued: list[TuningSpec]):
    steep = parse_sweep("{priors: [isotropic], learning_rates: [0.1, 2, 0.2]}")
    found = submit_runs(standings(steep, store), store)
    assert [(one.state, one.error) for one in found] == [("queued", ""), ("refused", "too steep"), ("queued", "")]
    unknown = parse_sweep("{priors: [isotropic], datasets: [math, 'math:no_such_module']}")
    states = [one.state for one in standings(unknown, store)]
    assert states == ["not started", "refused"]


def test_an_engine_that_is_not_there_is_no_refusal(store: Store, monkeypatch: pytest.MonkeyPatch):
    def submit(*_args, **_more):
        raise Unreachable("No scheduler answers")

    monkeypatch.setattr(client, "submit", submit)
    with pytest.raises(Unreachable, match="No scheduler answers"):
        submit_runs(standings(SWEEP, store), store)


def test_the_comparison_comes_when_a_groups_search_has_ended(store: Store, queued: list[TuningSpec]):
    found = submit_runs(standings(SWEEP, store), store)
    isotropic, xavier = found[:4], found[4:]
    for one, loss in zip(isotropic, (3.0, 2.0, None, 1.0), strict=True):  # at the high rate seed 0 failed
        end(one, loss)
    now = standings(SWEEP, store)
    assert len(now) == 9
    assert (now[8].cell.stage, now[8].cell.spec.seed, now[8].cell.spec.learning_rate) == ("compare", 7, 1e-3)
    assert now[8].state == "not started"
    for one, loss in zip(xavier, (3.0, 2.0, 1.0, 1.0), strict=True):
        end(one, loss)
    assert [one.cell.spec.learning_rate for one in standings(SWEEP, store)[8:]] == [1e-3, 1e-2]


def test_all_that_has_not_ended_is_cancelled(store: Store, queued: list[TuningSpec]):
    found = submit_runs(standings(SWEEP, store), store)
    end(found[0], 1.0)
    assert cancel_runs(found, store) == 7
    now = standings(SWEEP, store)
    assert [one.state for one in now] == ["succeeded", *["cancelled"] * 7]
    assert len(to_do(now)) == 7


def test_runs_are_followed_to_their_ends_one_after_the_other(
    store: Store, queued: list[TuningSpec], monkeypatch: pytest.MonkeyPatch
):
    followed, told = [], []

    def wait(job, on_status):
        followed.append(job.id)
        on_status(job.status())

    monkeypatch.setattr(client, "wait", wait)
    found = submit_runs(standings(SWEEP, store), store)
    follow_runs([*found, Standing(found[0].cell, error="refused")], lambda job, _: told.append(job.id))
    assert followed == told == [one.job.id for one in found if one.job]
