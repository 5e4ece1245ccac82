"""All sites and token hygiene on the Activations page."""

import pytest

from core.engine.lookup import job_id
from core.jobs.atlas import measure_atlas
from core.jobs.hygiene import measure_hygiene
from core.progress import silent
from core.specs import AtlasSpec, HygieneSpec, ModelSpec
from core.store import Store, create_job
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of


def opened(filled: Content, show: str, **params: str):
    asked = {"model": filled.model.name, "data": '["file"]', "path": str(filled.dataset.path), "samples": "30"}
    return open_page("activations", **asked, rows="500", show=show, **params)


def kept(filled: Content, kind: str, spec: AtlasSpec | HygieneSpec) -> None:
    store = Store(filled.root)
    job = create_job(store, kind, spec.as_json(), job_id(kind, spec))
    measure = {"atlas": measure_atlas, "hygiene": measure_hygiene}[kind]
    job.write_result(measure(spec, job, store, silent))
    job.update(state="succeeded")


@pytest.fixture
def atlas(filled: Content) -> Content:
    cloud = filled.cloud.model_copy(update={"sites": "all"})
    kept(filled, "atlas", AtlasSpec(model=filled.model, clouds=(cloud,)))
    return filled


def test_all_sites_say_what_they_cost_and_are_asked_for(filled, no_engine):
    app = opened(filled, "layers")
    shown = texts_of(app)
    assert "These sites have not been measured yet" in shown
    assert "**4 sites**; the pace is not known yet." in shown
    assert "Missing activations are captured first" in shown
    next(button for button in app.button if button.label == "Measure all sites").click().run()
    ((kind, spec),) = no_engine
    assert kind == "atlas"
    assert spec.clouds[0].sites == "all"
    assert spec.sites == "all"


def test_the_strip_and_the_curves_are_drawn_and_told(atlas, no_engine):
    app = opened(atlas, "layers", quantities='["dip","participation_ratio"]', site="2", maps="strip")
    strip, curves = charts_of(app)
    assert len(strip["data"]) == 4
    assert [note["text"].startswith("<b>") for note in strip["layout"]["annotations"]] == [False, False, True, False]
    assert [note["text"] for note in curves["layout"]["annotations"]] == ["Largest dip", "Participation ratio"]
    shown = texts_of(app)
    assert "stories.txt (500 points of 23 documents)" in shown.replace("\\", "")
    assert "rotated or mirrored to match the one before" in shown
    assert "**Largest dip**: Largest of Hartigan's dips along" in shown
    assert app.query_params["quantities"] == '["dip","participation_ratio"]'
    assert no_engine == []


def test_the_film_begins_at_the_chosen_site(atlas, no_engine):
    app = opened(atlas, "layers", site="2")
    film, _ = charts_of(app)
    assert len(film["data"]) == 1
    assert [frame["name"] for frame in film["frames"]] == ["0", "1", "2", "3"]
    assert film["layout"]["sliders"][0]["active"] == 2
    assert film["layout"]["annotations"][0]["text"].startswith("<b>site 2</b>")
    assert "The planes differ" in texts_of(app)
    n_drawn = len(film["data"][0]["hovertext"])
    for again in (app, app.run()):
        assert f"draws the same {n_drawn:,} points" in texts_of(again), "also of a figure from the cache"
    assert no_engine == []


def test_one_data_set_has_nothing_to_be_told_from(atlas, no_engine):
    app = opened(atlas, "layers", quantities='["lda_accuracy"]')
    assert "separability needs two data sets" in texts_of(app)
    assert len(charts_of(app)) == 1


@pytest.mark.parametrize(
    ("chart", "point", "site"),
    [("strip", {"curve_number": 3}, "final"), ("curves", {"customdata": "1", "curve_number": 0}, 1)],
)
def test_a_click_opens_the_site(atlas, no_engine, chart, point, site, monkeypatch):
    import streamlit as st

    opened_by = {}
    monkeypatch.setattr(
        st, "plotly_chart", lambda _, key, on_select, **__: opened_by.update({key.split(".")[-1]: on_select})
    )
    app = opened(atlas, "layers", maps="strip")
    key = f"activations.{chart}"
    state = {key: {"selection": {"points": [point]}}}
    monkeypatch.setattr(st, "session_state", state)
    opened_by[chart]()
    assert (state["activations.site"], state["activations.show"]) == (site, "site")
    state[key] = {"selection": {"points": []}}
    del state["activations.site"]
    opened_by[chart]()
    assert "activations.site" not in state
    assert app.segmented_control(key="activations.show").value == "layers"


def test_token_hygiene_says_what_it_costs_and_is_asked_for(filled, no_engine):
    app = opened(filled, "hygiene", sinks_above="7.5")
    assert "The effect of each kind of token has not been measured yet" in texts_of(app)
    next(button for button in app.button if button.label == "Measure token hygiene").click().run()
    ((kind, spec),) = no_engine
    assert kind == "hygiene"
    assert (spec.sink_ratio, spec.site, spec.tokens.pad) == (7.5, 0, False)
    assert spec.clouds[0].tokens.pad


def test_token_hygiene_shows_changes_and_the_map_with_padding(filled, no_engine):
    model = ModelSpec(name=filled.model.name)
    kept(filled, "hygiene", HygieneSpec(model=model, datasets=(filled.dataset,), rows=500))
    app = opened(filled, "hygiene")
    assert (table_of(app, "pad")["pad"].to_numpy() > 0).all()
    changes = table_of(app, "statistic")
    assert list(changes.columns[:4]) == ["statistic", "data set", "as chosen", "special tokens kept"]
    assert changes["statistic"].tolist()[0] == "Variance along PC1"
    (chart,) = charts_of(app)
    assert [trace["name"].split(" (")[0] for trace in chart["data"]] == ["stories.txt", "padding"]
    assert "fitted with padding kept" in texts_of(app)
    both = table_of(opened(filled, "hygiene", change="both"), "statistic")
    assert "[" in both["padding kept"].tolist()[0]
    assert no_engine == []
