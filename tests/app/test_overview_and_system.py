"""The Overview and System pages."""

import json

from core.engine.lookup import job_id
from core.specs.demo import DemoSpec
from core.store import Store, create_job, find_job
from pages.widgets.jobs import MARKS
from tests.app.conftest import charts_of, open_page, table_of, texts_of


def test_system_lists_jobs_and_cache_and_deletes_a_job(filled, no_engine):
    app = open_page("system")
    assert {"cloud", "vocabulary", "map"} <= set(table_of(app, "kind", "key")["kind"])
    app.button(key=f"system.delete.{filled.run}").click().run()
    assert not (filled.root / "runs" / filled.run).exists()


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


def test_a_demo_that_failed_says_why_and_can_be_resumed(filled, no_engine):
    store, spec = Store(filled.root), DemoSpec(model=filled.model, texts="math")
    create_job(store, "demo", spec.as_json(), job_id("demo", spec)).update(state="failed", error="No disk.")
    app = open_page("overview", model=filled.model.name, texts="math")
    assert "This job failed. No disk" in texts_of(app)
    assert "Resume" in [button.label for button in app.button]
