"""The Overview and System pages."""

import json

from core.store import Store, find_job
from tests.app.conftest import open_page, table_of, texts_of


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


def test_the_demo_goes_from_job_to_job(filled, no_engine):
    app = open_page("overview", model=filled.model.name, texts="math")
    next(button for button in app.button if button.label == "Run the demo").click().run()
    assert [kind for kind, _ in no_engine] == ["capture"]  # vocabulary and its map are there already
    assert app.query_params["demo"] == "true"
