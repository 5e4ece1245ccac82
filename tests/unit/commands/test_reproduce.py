"""The `reproduce` verb: what a person may ask for; the figures themselves are tested in tests/unit/studies."""

import json

import pytest

from core.specs import StudySpec
from core.studies import shipped
from core.studies.arms import arms
from core.studies.items import FIGURES, ITEMS
from tests.finished import finished_study


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "There is nothing to make; give --figure N, --claims or --all."),
        (["--figure", "99"], f"Figure 99 cannot be reproduced; there are {', '.join(map(str, FIGURES))}."),
        (["--figure", "one"], f"Figure 'one' is not a number; give one of {', '.join(map(str, FIGURES))}."),
        (["--texts", "news,math"], "--texts takes one data set, not 2 ('news,math'); name one."),
        (["--questions", ""], "--questions is '', which names no data set; write for example"),
        (["--all", "--quick", "--paper"], "--quick and --paper are two sizes of a study; give one of them."),
        (["--seed", "-1"], "seed: Input should be greater than or equal to 0 (got '-1')"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(call, store, tmp_path, arguments, reason):
    code, out, err = call("reproduce", *arguments, "--out", str(tmp_path / "out"), "--json")
    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_must_be_named(call, store):
    code, _, err = call("reproduce", "--figure", "1")
    assert code == 2
    assert "There is no folder to write to; name one with --out DIR." in err


def test_a_dry_run_lists_runs_cost_and_what_is_not_the_papers(call, store):
    code, out, _ = call("reproduce", "--paper", "--dry-run", "--json")
    plan = json.loads(out)
    assert code == 0
    assert plan["study"]["model"]["name"] == "meta-llama/Llama-3.2-1B"
    assert plan["items"] == list(ITEMS)
    known = arms(StudySpec.asked("paper"))
    assert {row["arm"]: row["runs"] for row in plan["arms"]} == {
        name: len(known[name].specs) for name in {arm for item in ITEMS.values() for arm in item.arms}
    }
    assert plan["missing"]["items"] == len(ITEMS)
    assert plan["hours"] > 1
    assert plan["gigabytes"] > 0
    assert len(plan["deviations"]) > 3
    assert not any((store.root / "runs").iterdir())


def test_without_a_finished_study_there_is_nothing_to_check(call, store, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    code, out, err = call("reproduce", "--check", "--json")
    assert (code, out) == (1, "")
    assert "No finished study came with this program" in err


def test_a_finished_study_in_part_says_what_it_lacks_and_why(call, store, monkeypatch, tmp_path):
    finished = finished_study(tmp_path, "film")
    monkeypatch.setattr(shipped, "FINISHED", finished.folder.parent)
    code, out, err = call("reproduce", "--quick", "--out", str(tmp_path / "out"), "--json")
    report = json.loads(out)
    assert code == 0
    assert [one["item"] for one in report["items"]] == [item for item in ITEMS if item in finished.manifest.items]
    assert report["not_made"] == {item: finished.why_not(item) for item in ITEMS if item not in finished.manifest.items}
    command = finished.manifest.command
    assert report["not_made"]["film"] == f"not in the finished study: `{command}` makes it"
    n_runs = finished.manifest.left["claim-5"]
    assert n_runs > 0
    assert report["not_made"]["claim-5"].startswith(
        f"not in the finished study: it needs {n_runs} further tuning runs;"
    )
    assert f"film: not in the finished study: `{command}` makes it." in err
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("not in the finished study") == len(report["not_made"])


def test_the_models_of_finished_studies_are_named_where_the_asked_one_has_none(call, store, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", finished_study(tmp_path).folder.parent)
    code, _, err = call("reproduce", "--out", str(tmp_path / "out"))
    assert code == 2
    assert "A finished study came with the program: --model smollm2-135m." in err


def test_a_finished_study_with_nothing_to_check_says_so(call, store, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", finished_study(tmp_path).folder.parent)
    code, out, err = call("reproduce", "--check", "--json")
    assert (code, out) == (1, "")
    assert "has neither figure-9 nor a run of deep-gaussian, so there is nothing to check" in err
