"""The Overview and System pages."""

import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from core.engine.lookup import job_id
from core.figures.layer import Layer
from core.specs import ModelSpec
from core.specs.demo import DemoSpec
from core.store import Store, create_job, find_job
from core.studies import shipped
from pages.overview_parts import demo_pictures
from pages.tune_parts import prompt_map
from pages.widgets.jobs import MARKS
from tests.app.conftest import charts_of, open_page, table_of, texts_of
from tests.finished import STEPS, STUDY, finished_study


def test_system_lists_jobs_and_cache_and_deletes_a_job(filled, no_engine):
    app = open_page("system")
    assert {"cloud", "vocabulary", "map"} <= set(table_of(app, "kind", "key")["kind"])
    app.button(key=f"system.delete.{filled.run}").click().run()
    assert not (filled.root / "runs" / filled.run).exists()


def test_system_looks_at_the_engine_often_only_while_it_has_jobs(store, no_engine, monkeypatch):
    paces: list[float | None] = []
    plain = st.fragment

    def noting(function, *, run_every=None):
        paces.append(run_every)
        return plain(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", noting)
    open_page("system")
    create_job(store, "demo", DemoSpec().as_json(), "d-1")
    open_page("system")
    idle, busy = (pace for pace in paces if pace)
    assert busy <= 3 < idle


def test_the_demos_cost_is_of_the_chosen_model_and_what_is_here(filled, no_engine):
    costs = texts_of(open_page("overview", model=filled.model.name, texts="math"))
    assert "downloaded first" not in costs
    assert "The results take" in costs
    assert "The time is not known yet on this machine." in costs, "the run that is here was on other data"
    costs = texts_of(open_page("overview", texts="news"))
    assert "The model is downloaded first: 92.9 MB, stored as 542.0 MB. The texts are downloaded: 10.5 MB." in costs
    assert "The time is not known yet on this machine." in costs


def test_system_says_where_models_run(filled, no_engine, monkeypatch):
    known = json.loads((find_job(Store(filled.root), filled.run).path / "provenance.json").read_text())
    shown = texts_of(open_page("system")).replace("\\", "")
    assert f"Last run: {known['hardware']} ({known['device']}), {known['dtype']}." in shown
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(filled.root / "empty"))
    shown = texts_of(open_page("system"))
    assert "The worker that runs a job chooses" in shown
    assert "No run yet." in shown


def test_the_demo_is_one_job_whose_steps_are_shown_while_it_lives(filled, no_engine):
    app = open_page("overview", model=filled.model.name, texts="math")
    next(button for button in app.button if button.label == "Run the demo").click().run()
    ((kind, spec),) = no_engine
    assert (kind, spec.model.name, spec.texts) == ("demo", filled.model.name, "math")
    again = open_page("overview", model=filled.model.name, texts="math")
    steps = texts_of(again)
    assert f"{MARKS['succeeded']} Fetch the model, read its vocabulary" in steps
    assert f"{MARKS['open']} Tune deep prompts, prior gaussian, 60 steps" in steps
    (picture,) = charts_of(again)
    assert [trace["name"].split(" (")[0] for trace in picture["data"]] == ["vocabulary"]
    assert [button.label for button in again.button if button.label in ("Run the demo", "Cancel")] == ["Cancel"]


@pytest.mark.parametrize("module", [demo_pictures, prompt_map])
def test_a_map_leaves_sinks_outside_its_frame(module, filled, no_engine, monkeypatch):
    cloud = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32)
    cloud[:3] = 1e4
    monkeypatch.setattr(module, "map_layers", lambda *_: [Layer("cloud", cloud)])
    spec = DemoSpec(model=filled.model, texts="math")
    create_job(Store(filled.root), "demo", spec.as_json(), job_id("demo", spec))
    page = "overview" if module is demo_pictures else "tune"
    picture = charts_of(open_page(page, model=filled.model.name, texts="math"))[-1]
    assert "3 of 1,000 points lie outside" in str(picture["layout"]["annotations"])
    assert picture["layout"]["xaxis"]["range"][1] < 100


def test_a_demo_that_failed_says_why_and_can_be_resumed(filled, no_engine):
    store, spec = Store(filled.root), DemoSpec(model=filled.model, texts="math")
    create_job(store, "demo", spec.as_json(), job_id("demo", spec)).update(state="failed", error="No disk.")
    app = open_page("overview", model=filled.model.name, texts="math")
    assert "This job failed. No disk" in texts_of(app)
    assert "Resume" in [button.label for button in app.button]


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> dict[str, Path]:
    """Return folders of programs that a finished study came with, by whether it has what Overview draws."""
    whole, bare = (tmp_path_factory.mktemp(name) for name in ("whole", "bare"))
    return {
        "whole": finished_study(whole).folder.parent,
        "bare": finished_study(bare, "several-priors", "film").folder.parent,
    }


def test_overview_opens_on_the_finished_study_and_makes_nothing(programs, store, no_engine, monkeypatch):
    monkeypatch.setattr(shipped, "FINISHED", programs["whole"])
    app = open_page("overview")
    moving, layers, verdicts = charts_of(app)
    assert len(moving["frames"]) == len(STEPS)
    assert layers["data"][0]["name"] == "cloud"
    assert verdicts["layout"]["yaxis"]["ticktext"]
    assert "This study came with the program." in texts_of(app)
    assert [one.value for one in app.subheader] == ["Demo", "What is here"], "below the pictures"
    links = {(one.proto.page.split("/")[-1], one.proto.query_string) for one in app.get("page_link")}
    assert {("story", ""), ("story", "screen=2"), ("activations", "show=layers"), ("priors", "")} <= links
    assert ("findings", "claim=1&model=smollm2-135m") in links
    assert not no_engine
    assert not list((store.root / "artifacts").glob("*/*"))


def test_overview_draws_what_a_finished_study_has(programs, store, no_engine, monkeypatch):
    monkeypatch.setattr(shipped, "FINISHED", programs["bare"])
    (verdicts,) = charts_of(open_page("overview"))
    assert verdicts["layout"]["yaxis"]["ticktext"]


def test_overview_draws_what_one_finished_study_lacks_from_another_and_names_both(
    programs, store, no_engine, monkeypatch, tmp_path
):
    own = finished_study(tmp_path / "own", "film")
    other = STUDY.model_copy(update={"model": ModelSpec(name="nobody/elsewhere")})
    finished_study(tmp_path / "other", study=other).folder.rename(own.folder.parent / "second")
    monkeypatch.setattr(shipped, "FINISHED", own.folder.parent)
    app = open_page("overview")
    shown = texts_of(app)
    assert "Where prompts begin, and where training leaves them :gray[· smollm2-135m]" in shown
    assert "The same tokens, layer by layer :gray[· nobody/elsewhere]" in shown
    *_, verdicts = charts_of(app)
    assert verdicts["layout"]["xaxis"]["ticktext"] == ["nobody/elsewhere · Quick", "smollm2-135m · Quick"]
    assert "Not judged on smollm2-135m: C1, C2," in shown.replace("\\", "")
    assert "**smollm2-135m** · This study came with the program." in shown.replace("\\", "")
    assert shown.count("This study came with the program.") == 2


def test_without_a_finished_study_overview_begins_with_the_pages(store, no_engine, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FINISHED", tmp_path)
    app = open_page("overview")
    assert not charts_of(app)
    assert "Which of the paper" not in texts_of(app)
    assert [one.value for one in app.subheader] == ["Demo", "What is here"]
