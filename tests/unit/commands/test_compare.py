"""The `compare` verb."""

import json

import numpy as np
import pytest

from core.store import Store, find_job, list_jobs
from tests.unit.jobs.measured import D_MODEL, tuned, tuning, written


@pytest.fixture
def runs(inline: Store, tiny_folder, tmp_path):
    """Return a tuned run, and one of another prior that was written by hand."""
    soft = tuning(tiny_folder, tmp_path / "sums.jsonl")
    other = soft.model_copy(update={"seed": 1})
    way = np.random.default_rng(0).normal(size=(3, 4, D_MODEL))
    return tuned(soft, inline, "t-aaa"), written(other, inline, "t-bbb", way)


def test_runs_are_measured_once_and_compared(ask, inline, runs):
    document = ask("compare", "t-a", "t-bbb", "t-aaa", "--examples", "2")
    assert [run["run"] for run in document["runs"]] == ["t-aaa", "t-bbb"]
    first = document["runs"][0]
    assert first["quality"]["loss"]["prior"] > 0
    assert first["speed"]["steps_to_target"]["value"] is not None
    (at,) = first["sites"]
    assert set(at) >= {"displacement", "collapse", "place", "shape", "worth"}
    assert document["prior_retained"][0]["verdict"] == "undecided"
    assert set(document["definitions"]) > {"collapse.cosine", "worth.drop"}
    measured = [job.id for job in list_jobs(inline, "measure")]
    assert ask("compare", "t-aaa", "t-bbb", "--examples", "2")["runs"] == document["runs"]
    assert [job.id for job in list_jobs(inline, "measure")] == measured


def test_a_table_for_people(call, inline, runs):
    code, out, _ = call("compare", "t-aaa", "--no-worth", "--target", "0.001")
    assert code == 0
    assert "t-aaa  isotropic, sums.jsonl, rate 0.05, fixed length" in out
    assert "displacement angle, site 0" in out
    line = next(line for line in out.splitlines() if "displacement mean shift" in line)
    assert "; displacements reversed at random " in line
    assert "worth" not in out
    line = next(line for line in out.splitlines() if "speed steps to target" in line)
    assert line.endswith("– [4, ]")
    assert "prior retained, site 0: – undecided" in out


def test_runs_of_different_models_are_a_bad_request(call, inline, runs, tiny_folder, tmp_path):
    model = {"name": str(tiny_folder), "device": "cpu", "dtype": "bfloat16"}
    written(tuning(tiny_folder, tmp_path / "sums.jsonl", model=model), inline, "t-ccc", np.ones((2, 4, D_MODEL)))
    code, out, err = call("compare", "t-aaa", "t-ccc", "--json")
    assert (code, out) == (2, "")
    assert "share no space; choose runs of one model" in err


MEASURE = {"run": "t-aaa", "posterior": "0" * 16}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("t-zzz",), "Unknown run or job 't-zzz'"),
        (("t-aaa", "--examples", "0"), "n_worth: Input should be greater than or equal to 1"),
        (("e-old",), "e-old is a measure job and has no posterior; name a tuning run."),
        ((), "Missing argument 'runs'"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, inline, runs, arguments, words):
    folder = find_job(inline, "t-aaa").path
    other = folder.parents[1] / "jobs" / "e-old"
    other.mkdir()
    (other / "spec.json").write_text(json.dumps({"kind": "measure", "spec": MEASURE, "created": 0.0}))
    (other / "status.json").write_text("{}")
    code, _, err = call("compare", *arguments)
    assert code == 2
    assert words in err
