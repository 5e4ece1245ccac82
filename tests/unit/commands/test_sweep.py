"""`sweep`: many runs from one file, done in this very process."""

import json

import pandas as pd
import pytest

import core.commands.sweep as commands
from core.engine import client
from core.jobs.sweep import find_sweep
from core.store import Store, list_jobs
from tests.unit.commands.test_verbs import questions

__all__ = ["questions"]


@pytest.fixture
def file(tmp_path, questions, tiny_folder):
    """Return a function that writes a sweep of runs of a second."""
    base = {
        "model": {"name": str(tiny_folder), "dtype": "float32"},
        "steps": 4,
        "n_prompt": 3,
        "n_validation": 4,
        "dataset": {"name": "file", "path": str(questions), "prompt_column": "q", "answer_column": "a"},
        "n_generation": 0,
        "evaluate_every": 2,
    }

    def write(**axes):
        path = tmp_path / "sweep.yaml"
        path.write_text(json.dumps({"base": base, **axes}))
        return str(path)

    return write


def test_a_search_and_the_comparison_at_its_rates(ask, call, inline, file, tmp_path):
    path = file(name="small", priors=["isotropic"], learning_rates=[1e-3, 1e-1], seeds=[0], compare_seeds=[5, 6])
    cost = ask("sweep", path, "--dry-run")
    assert (cost["runs"], cost["to_do"], cost["compared_later"], cost["minutes"]) == (2, 2, 2, None)
    assert cost["megabytes"] > 0
    assert not list_jobs(inline)
    assert not (inline.root / "sweeps").exists()
    document = ask("sweep", path, "--out", str(tmp_path / "table.parquet"))
    assert document["counts"] == {"succeeded": 4}
    assert document["name"] == "small"
    assert [row["stage"] for row in document["runs"]] == ["search"] * 2 + ["compare"] * 2
    (group,) = document["best_rates"]["groups"]
    assert group["chosen_on"] == "other seeds"
    assert set(group["losses"]) == {"5", "6"}
    table = pd.read_parquet(tmp_path / "table.parquet")
    assert table["run"].tolist() == [row["run"] for row in document["runs"]]
    assert ask("sweep", find_sweep(document["sweep"], inline).canonical_json()) == document, "nothing is done twice"
    assert len(list_jobs(inline)) == 4
    _, told, _ = call("sweep", path)
    heads, *lines = told.splitlines()
    assert heads.split() == ["learning_rate", "seed", "run", "status", "loss", "steps_to_target", "angle_median"]
    assert [line.split()[2] for line in lines[:4]] == [row["run"] for row in document["runs"]]
    assert lines[4].startswith(f"isotropic: rate {group['rate']:g}, loss {group['loss']['value']:.4g} [")
    assert lines[-1] == "The rate was chosen on other seeds than those compared."
    after = ask("sweep", path, "--dry-run")
    assert (after["to_do"], after["minutes"], after["compared_later"]) == (0, 0, 0)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_the_table_is_written_as_its_name_says(ask, inline, file, tmp_path, ending):
    out = tmp_path / f"table.{ending}"
    document = ask("sweep", file(priors=["isotropic"]), "--out", str(out))
    read = pd.read_csv if ending == "csv" else pd.read_json
    assert read(out)["loss"].tolist() == pytest.approx([row["loss"] for row in document["runs"]])


def test_a_run_that_fails_does_not_stop_the_rest_and_is_done_once_more_by_a_retry(call, inline, file, monkeypatch):
    path = file(priors=["posterior", "isotropic"])
    code, out, err = call("sweep", path, "--json")
    assert code == 1
    failed, done = json.loads(out)["runs"]
    assert (failed["status"], done["status"]) == ("failed", "succeeded")
    assert "The posterior prior is given 0 runs" in failed["error"]
    assert "2 of 2 runs to do: an unknown time" in err
    assert (
        "1 of 2 runs did not succeed (1 failed); the others are shown. Add --retry to run the failed ones once more"
        in err
    )
    folder = next(job for job in list_jobs(inline) if job.id == failed["run"])
    tried = folder.status().started
    call("sweep", path)
    assert folder.status().started == tried
    call("sweep", path, "--retry")
    assert folder.status().started > tried


def test_a_model_of_the_hub_is_fetched_before_its_runs_are_named(ask, inline, file, monkeypatch):
    fetched = []
    monkeypatch.setattr(commands, "model_revision", lambda _: None)
    monkeypatch.setattr(commands, "run", lambda kind, spec, _: fetched.append((kind, spec.dtype)))
    ask("sweep", file(priors=["isotropic"], seeds=[0, 1]))
    assert fetched == [("model", "float32")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no-such.yaml",), "The sweep file 'no-such.yaml' cannot be read"),
        (("FILE", "--out", "table.xls"), "cannot be written as 'table.xls'; end its name in .csv, .json, .parquet"),
        (("FILE", "--out", "/nowhere/t.csv"), "The table cannot be written to /nowhere/t.csv"),
        (("FILE", "--scheduler", "8786"), "PRIORSCOPE_SCHEDULER is '8786', which is not an address"),
    ],
)
def test_what_cannot_be_is_refused(call, file, arguments, message, monkeypatch, request):
    if "/nowhere" in str(arguments):
        request.getfixturevalue("inline")
    else:
        request.getfixturevalue("store")
    monkeypatch.setenv(client.SCHEDULER, "")
    path = file(priors=["isotropic"])
    code, _, err = call("sweep", *(path if part == "FILE" else part for part in arguments))
    assert code == 2
    assert message in err


def test_ctrl_c_cancels_all_of_them(call, store: Store, file, interrupted):
    code, _, err = call("sweep", file(priors=["isotropic"], seeds=[1, 2]))
    assert code == 130
    assert "error: stopped by SIGINT; 2 jobs were cancelled: the same command continues them." in err
    assert [job.status().state for job in list_jobs(store)] == ["cancelled"] * 2
