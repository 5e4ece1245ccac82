"""The Findings page: verdicts, a claim opened, seeds added, everything at once."""

import json
import time
from collections.abc import Sequence
from urllib.parse import parse_qs

import pytest

from core.engine.lookup import job_id
from core.specs import DecideSpec, ModelSpec, StudyItemSpec, StudySpec
from core.store import JobFolder, Store, create_job
from core.studies import shipped
from core.studies.analyses import Analysis, charged
from core.studies.claims import CLAIMS
from core.studies.decide import KIND as DECIDE
from core.studies.figure import Reproduced, keep
from core.studies.items import ITEMS, KIND, VERSION
from tests.app.conftest import charts_of, open_page, texts_of
from tests.finished import finished_study
from tests.unit.studies.claims.planted_runs import RunsBench, wobbled

MODEL = ModelSpec()
QUICK = StudySpec.asked("quick", model=MODEL)


@pytest.fixture
def judge(tmp_path):
    """Return a function that judges C10 on planted runs, kept apart from the store of the test."""

    def judged(noise: float, study: StudySpec = QUICK, earlier: Sequence[int] = ()) -> Reproduced:
        bench = RunsBench(Store(tmp_path / f"runs-{noise}-{study.fingerprint()}"), wobbled({}, noise))
        found, _ = charged(CLAIMS[10].judge(bench), 8, [Analysis(n, 0.0) for n in earlier], 12)
        return CLAIMS[10].reproduced(found, study)

    return judged


def put(store: Store, kind: str, spec: StudyItemSpec | DecideSpec, made: Reproduced, **more) -> JobFolder:
    job = create_job(store, kind, spec.as_json(), job_id(kind, spec))
    job.write_result({"version": VERSION, **keep(made, job.path), "seconds": 12.0, **more})
    job.update(state="succeeded")
    return job


@pytest.fixture
def undecided(store, judge) -> Store:
    put(store, KIND, StudyItemSpec(study=QUICK, item="claim-10"), judge(15))
    return store


def button(app, label):
    return next(one for one in app.button if one.label == label)


def test_an_empty_store_says_what_to_do_and_what_it_costs(store, no_engine):
    app = open_page("findings", claim="5")
    shown = texts_of(app)
    assert "No claim has been judged yet" in shown
    assert "C5 has not been judged on this study yet" in shown
    assert CLAIMS[5].rule.split(":")[0] in shown.replace("\\", "")
    assert "tuning runs" in shown
    button(app, "Reproduce this claim").click().run()
    assert no_engine == [("study", StudyItemSpec(study=QUICK, item="claim-5"))]


def test_a_claim_shows_words_rule_verdict_and_what_it_rests_on(undecided, no_engine):
    app = open_page("findings", claim="10")
    shown = texts_of(app).replace("\\", "")
    for text in (CLAIMS[10].quote, CLAIMS[10].statistic, CLAIMS[10].why, CLAIMS[10].null, CLAIMS[10].rule):
        assert text in shown
    assert f"{QUICK.n_seeds} seeds of soft prompts on {QUICK.soft_task.label} (at most {QUICK.steps} steps of" in shown
    assert any("? undecided" in str(one.proto.body) for one in app.get("html"))
    assert "16 of 16 runs converged." in shown
    assert "Judged by version 2 of the rules." in shown
    assert "It would take about" in shown
    matrix, picture = charts_of(app)
    assert "C10 Prepend-and-cut equals the extended sequence" in matrix["layout"]["yaxis"]["ticktext"]
    assert "undecided, this interval alone" in [trace["name"] for trace in picture["data"]]
    assert "90% interval" in shown
    assert "Claimed: **from -0.05 to 0.05**. 8 seeds, p" in shown


def test_the_claim_is_in_the_address(undecided, no_engine):
    app = open_page("findings", claim="10")
    app.selectbox(key="findings.claim").select(7).run()
    assert app.query_params["claim"] == "7"
    assert "C7 has not been judged on this study yet" in texts_of(app)


def test_a_study_of_another_size_has_a_column_and_a_name(undecided, judge, no_engine):
    other = QUICK.model_copy(update={"steps": 77, "n_texts": 99})
    put(undecided, KIND, StudyItemSpec(study=other, item="claim-10"), judge(1, other))
    app = open_page("findings", claim="10")
    names = charts_of(app)[0]["layout"]["xaxis"]["ticktext"]
    assert names == ["smollm2-135m · Quick", "smollm2-135m · Texts per data<br>set: 99, Steps of soft prompts:<br>77"]
    options = app.selectbox(key="findings.study").options
    assert options == ["Standard", "Quick", "Texts per data set: 99, Steps of soft prompts: 77"]


def test_seeds_are_offered_with_cost_and_budget_only_where_undecided(undecided, judge, no_engine):
    app = open_page("findings", claim="10", minutes="3")
    assert "The next analysis, with 3 seeds:" in texts_of(app)
    button(app, "Add seeds").click().run()
    kind, asked = no_engine[0]
    assert kind == DECIDE
    assert isinstance(asked, DecideSpec)
    assert (asked.claim, asked.minutes, asked.most_seeds, asked.study.n_seeds) == (10, 3.0, 12, QUICK.n_seeds)
    decided = put(undecided, KIND, StudyItemSpec(study=QUICK, item="claim-10"), judge(1))
    decided.update(state="succeeded")
    undecided_again = open_page("findings", claim="10")
    assert "? undecided" not in "".join(str(one.proto.body) for one in undecided_again.get("html"))
    assert "Add seeds" not in [one.label for one in undecided_again.button]


def test_seeds_that_were_added_are_told_and_stand_before_the_first_verdict(undecided, judge, no_engine):
    more = QUICK.with_seeds(8)
    made = judge(1, more, (3, 6))
    made.numbers["judgement"]["stopped"] = "decided with 8 seeds"
    looks = [{"n_seeds": n, "verdict": "undecided", "value": 0.0, "low": -1.0, "high": 1.0} for n in (3, 6, 8)]
    put(undecided, DECIDE, DecideSpec(study=QUICK, claim=10), made, looks=looks)
    shown = texts_of(open_page("findings", claim="10"))
    assert "Judged 3 times, with more seeds each time" in shown
    app = open_page("findings", claim="10")
    assert "Interim analyses: decided with 8 seeds" in [one.label for one in app.expander]


def test_everything_is_submitted_at_once_and_can_be_cancelled(undecided, no_engine):
    app = open_page("findings", show="everything")
    assert f"**{len(ITEMS) - 1} of {len(ITEMS)} items** are left" in texts_of(app)
    button(app, "Reproduce everything").click().run()
    assert [spec.item for _, spec in no_engine] == [item for item in ITEMS if item != "claim-10"]
    assert {kind for kind, _ in no_engine} == {KIND}


def test_items_in_progress_are_shown_and_cancelled(undecided, no_engine):
    spec = StudyItemSpec(study=QUICK, item="figure-1")
    job = create_job(undecided, KIND, spec.as_json(), job_id(KIND, spec))
    app = open_page("findings", show="everything")
    assert "at the mean pace of 1 finished item" in texts_of(app)
    button(app, "Cancel all").click().run()
    assert job.status().state == "cancelled"


def test_the_report_can_be_had_once_something_is_made(undecided, no_engine):
    labels = [one.proto.label for one in open_page("findings", show="everything").get("download_button")]
    assert labels == ["Report as one page"]


def test_transfer_is_offered_with_its_cost_and_shown_once_made(store, judge, no_engine):
    app = open_page("findings", show="transfer")
    assert "Transfer has not been measured on this study yet" in texts_of(app)
    assert "tuning runs" in texts_of(app)
    spec = StudyItemSpec(study=QUICK, item="transfer")
    button(app, "Measure transfer").click().run()
    assert no_engine == [(KIND, spec)]
    put(store, KIND, spec, judge(1))
    assert len(charts_of(open_page("findings", show="transfer"))) == 1


def test_runs_behind_a_verdict_are_linked(undecided, no_engine):
    app = open_page("findings", claim="10")
    links = [link.proto for link in app.get("page_link")]
    compare = next(link for link in links if link.label.startswith("Compare the first seed"))
    asked = json.loads(parse_qs(compare.query_string)["runs"][0])
    assert asked == ["t-soft-cut-0", "t-gaussian-0"]
    assert len([link for link in links if link.label.startswith(("t-soft-cut", "t-gaussian"))]) == 16


def test_a_study_is_shown_while_it_runs_without_a_click(store, no_engine):
    small = QUICK.model_copy(update={"n_texts": 60})
    asked = {item: StudyItemSpec(study=small, item=item) for item in ("figure-9", "figure-4")}
    jobs = {item: create_job(store, KIND, spec.as_json(), job_id(KIND, spec)) for item, spec in asked.items()}
    jobs["figure-9"].update(state="running", message="Sampling", done=1, total=4)
    app = open_page("findings")
    assert app.selectbox(key="findings.study").value == small.without_seeds.fingerprint()[:8], "it opens on what runs"
    (bar,) = app.get("progress")
    assert bar.proto.text.startswith(f"0 of {len(ITEMS)} items · Figure 9")
    assert "Sampling · 1 of 4" in bar.proto.text
    marks = texts_of(open_page("findings", show="everything"))
    assert ":material/progress_activity: Figure 9" in marks
    assert ":material/schedule: Figure 4" in marks


@pytest.mark.parametrize(("seconds", "running"), [(5, True), (120, False)])
def test_between_two_items_of_the_command_line_a_study_still_runs(store, no_engine, judge, seconds, running):
    job = put(store, KIND, StudyItemSpec(study=QUICK, item="claim-10"), judge(0.5))
    job.update(finished=time.time() - seconds)
    app = open_page("findings")
    assert bool(app.get("progress")) is running
    offers = [one.label for one in open_page("findings", show="everything").button]
    assert ("Reproduce everything" in offers) is not running


def test_the_page_opens_on_a_finished_study_while_nothing_of_the_model_is_made(store, no_engine, monkeypatch, tmp_path):
    elsewhere = QUICK.model_copy(update={"model": ModelSpec(name="nobody/elsewhere")})
    finished = finished_study(tmp_path, study=elsewhere)
    monkeypatch.setattr(shipped, "FINISHED", finished.folder.parent)
    app = open_page("findings", claim="10")
    assert app.selectbox(key="findings.study").options[-1] == "nobody/elsewhere · Quick, came with the program"
    shown = texts_of(app).replace("\\", "")
    assert "This study came with the program." in shown
    assert "It lacks 31 items of 38: " in shown
    assert charts_of(app)[0]["layout"]["xaxis"]["ticktext"] == ["nobody/elsewhere · Quick"]
    assert CLAIMS[10].statistic in shown
    app.selectbox(key="findings.claim").select(5).run()
    shown = texts_of(app).replace("\\", "")
    assert "Not in the finished study: it needs" in shown
    assert "C5 has not been judged on this study yet" in shown


def test_the_page_opens_on_ones_own_model_once_something_of_it_is_made(undecided, no_engine, monkeypatch, tmp_path):
    elsewhere = QUICK.model_copy(update={"model": ModelSpec(name="nobody/elsewhere")})
    monkeypatch.setattr(shipped, "FINISHED", finished_study(tmp_path, study=elsewhere).folder.parent)
    assert open_page("findings", claim="10").selectbox(key="findings.study").value == "quick"


def test_a_study_of_a_model_that_cannot_be_had_offers_no_seeds_and_says_why(store, judge, no_engine):
    gone = QUICK.model_copy(update={"model": ModelSpec(name="stories-elsewhere")})
    put(store, KIND, StudyItemSpec(study=gone, item="claim-10"), judge(15, gone))
    app = open_page("findings", claim="10", model="stories-elsewhere")
    shown = texts_of(app).replace("\\", "")
    assert "its model, stories-elsewhere, is not in a registry. Start the program in the directory that holds" in shown
    assert "Add seeds" not in [one.label for one in app.button]
    assert not app.error
    app = open_page("findings", claim="5", model="stories-elsewhere")
    assert "its model, stories-elsewhere, is not in a registry." in texts_of(app).replace("\\", "")
    assert "Reproduce this claim" not in [one.label for one in app.button]
    assert not app.error
    for shown, label in (("everything", "Reproduce everything"), ("transfer", "Measure transfer")):
        app = open_page("findings", show=shown, model="stories-elsewhere")
        assert "is not in a registry." in texts_of(app)
        assert label not in [one.label for one in app.button]
        assert not app.error
