"""`tune --vary`: a run a value."""

import json

import pytest

from core.store import Store, find_job
from tests.unit.commands.test_verbs import questions, small_run

__all__ = ["questions", "small_run"]


def test_a_run_a_value_with_quality_and_displacement(ask, inline, small_run):
    document = ask(*small_run, "--vary", "spread_weight", "--values", "0, 0.5")
    assert document["field"] == "spread_weight"
    assert [row["value"] for row in document["runs"]] == [0, 0.5]
    for row in document["runs"]:
        assert row["status"] == "succeeded"
        assert row["validation"]["loss"] > 0
        assert row["displacement"]["angle_median"] > 0
    assert "regularisers" not in document["runs"][0]
    assert list(document["runs"][1]["regularisers"]) == ["spread"]
    plain = ask(*small_run)
    assert plain["run"] == document["runs"][0]["run"]


def test_a_cell_that_fails_is_told_and_does_not_stop_the_rest(call, inline, small_run):
    code, out, err = call(*small_run, "--vary", "prior", "--values", "posterior,isotropic", "--json")
    assert code == 1
    failed, done = json.loads(out)["runs"]
    assert (failed["value"], failed["status"]) == ("posterior", "failed")
    assert "The posterior prior is given 0 runs" in failed["error"]
    assert (done["value"], done["status"]) == ("isotropic", "succeeded")
    assert "1 of 2 runs did not succeed: prior posterior (failed); the others are shown." in err


@pytest.mark.parametrize("given", [("--vary", "seed"), ("--values", "1,2")])
def test_vary_and_values_go_together(call, inline, small_run, given):
    code, _, err = call(*small_run, *given)
    assert code == 2
    assert "--vary and --values go together" in err


def test_a_wrong_value_starts_nothing(call, inline, small_run):
    code, _, err = call(*small_run, "--vary", "steps", "--values", "4,0")
    assert code == 2
    assert "steps: Input should be greater than or equal to 1 (got '0')" in err
    assert not list(inline.root.glob("runs/*"))


def test_ctrl_c_cancels_all_of_them(call, store: Store, small_run, interrupted):
    code, _, err = call(*small_run, "--vary", "seed", "--values", "1,2")
    assert code == 130
    assert "error: stopped by SIGINT; 2 jobs were cancelled: the same command continues them." in err
    assert [find_job(store, f"t-{seed}").status().state for seed in (1, 2)] == ["cancelled"] * 2
