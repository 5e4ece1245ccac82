"""The Priors page."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.sources.models import describe_model
from core.specs import CloudSpec, ProjectionSpec
from core.specs.prior import PRIORS
from core.store import Store, create_job, list_jobs
from pages.priors_parts.presets import PRESETS
from tests.app.conftest import charts_of, open_page, table_of, texts_of
from tests.documented import module_of


def test_a_prior_is_previewed_on_the_vocabulary_map(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', n="30")
    charts = charts_of(app)
    assert [trace["name"] for trace in charts[0]["data"]][1] == "Gaussian exclusion sample (30)"
    assert len(charts[0]["data"][1]["hovertext"]) == 30
    assert [trace["name"] for trace in charts[1]["data"]] == ["reference", "Gaussian exclusion"]
    assert 0 < table_of(app, "acceptance")["acceptance"].astype(float).item() < 1
    assert "shell" in app.info[0].value or "hole" in app.info[0].value


def test_a_prior_out_of_range_in_the_address_is_told_and_left(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":0.5}')
    assert "c\\: Input should be greater than 1" in app.warning[0].value
    assert charts_of(app)


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


@pytest.fixture
def laplace(monkeypatch):
    """Add the prior of the documentation's worked example."""
    module_of("adding-a-prior.md", "core.priors.laplace", monkeypatch)
    monkeypatch.setitem(PRIORS, "laplace", "core.priors.laplace:Laplace")


def test_a_prior_of_ones_own_is_on_the_page_and_in_its_form(filled, no_engine, laplace):
    app = open_page("priors", model=filled.model.name)
    app.selectbox(key="priors.prior.kind").select("laplace").run()
    field = next(field for field in app.number_input if field.label == "Spread")
    field.set_value(0.5).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "laplace", "std": 0.5}
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
    assert names[1:3] == ["before: std 0.02", "Laplace sample (200)"]


def test_changing_a_parameter_changes_the_address(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}')
    field = next(field for field in app.number_input if field.label == "c")
    assert field.value == 7
    field.set_value(9.0).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 9.0}


def test_a_missing_vocabulary_says_what_it_costs(filled, no_engine, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(filled.root / "empty"))
    other = texts_of(open_page("priors", model=filled.model.name))
    assert "not here yet" in other
    assert "downloaded first" not in other
    assert "The time is not known yet on this machine." in other
    assert "113.2 MB at most" in texts_of(open_page("priors"))


def test_priors_are_laid_side_by_side_and_the_address_has_all_of_them(filled, no_engine):
    app = open_page("priors", model=filled.model.name, n="20")
    for _ in range(3):
        press(app, "Add a prior")
    names = ("prior", "prior2", "prior3", "prior4")
    kinds = [json.loads(app.query_params[name])["kind"] for name in names]
    assert kinds == ["isotropic", "xavier", "gaussian", "exclusion"]
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
    assert names[1:5] == [
        "1 · Isotropic Gaussian sample (20)",
        "2 · Xavier sample (20)",
        "3 · Fitted Gaussian sample (20)",
        "4 · Gaussian exclusion sample (20)",
    ]
    assert app.selectbox(key="priors.prior4.kind").value == "exclusion"
    summary = table_of(app, "acceptance")
    assert len(summary) == 4
    assert {"norm", "percentile", "kNN percentile", "off plane", "T²", "acceptance", "cosine distance"} <= set(summary)


def test_a_link_opens_all_priors_and_one_can_be_taken_away(filled, no_engine):
    priors = {"prior": '{"kind":"isotropic"}', "prior2": '{"kind":"exclusion","c":9}', "prior3": '{"kind":"xavier"}'}
    app = open_page("priors", model=filled.model.name, n="20", shown="panels", **priors)
    titles = [note["text"] for note in charts_of(app)[0]["layout"]["annotations"]]
    assert titles == ["1 · Isotropic Gaussian", "2 · Gaussian exclusion (c 9)", "3 · Xavier"]
    press(app, "Remove this prior")
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 9.0}
    assert json.loads(app.query_params["prior2"])["kind"] == "xavier"
    assert "prior3" not in app.query_params
    field = next(field for field in app.number_input if field.label == "c")
    assert field.value == 9
    press(app, "Remove this prior")
    assert json.loads(app.query_params["prior"])["kind"] == "xavier"
    assert "Remove this prior" not in [button.label for button in app.button]


def test_six_priors_are_the_most(filled, no_engine):
    more = {f"prior{i}": '{"kind":"isotropic"}' for i in range(2, 7)}
    app = open_page("priors", model=filled.model.name, n="5", prior='{"kind":"xavier"}', **more)
    assert next(button for button in app.button if button.label == "Add a prior").disabled


def test_norms_and_distances_stand_beside_their_laws(filled, no_engine):
    priors = {"prior": '{"kind":"isotropic"}', "prior2": '{"kind":"exclusion"}'}
    app = open_page("priors", model=filled.model.name, n="50", **priors)
    assert [trace["name"] for trace in charts_of(app)[1]["data"]] == [
        "reference",
        "1 · Isotropic Gaussian",
        "law of 1 · Isotropic Gaussian",
        "2 · Gaussian exclusion",
    ]
    app = open_page("priors", model=filled.model.name, n="50", look="distances", **priors)
    charts = charts_of(app)
    assert [trace["name"] for trace in charts[1]["data"]][:2] == ["reference, held out", "law of reference, held out"]
    own = [trace["name"] for trace in charts[2]["data"]]
    assert own[1::2] == [f"law of {name}" for name in own[::2]]
    assert "nothing within" in texts_of(app)


def test_each_point_has_a_row_to_take_away(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"gaussian"}', n="12", look="points")
    frame = table_of(app, "vector")
    assert len(frame) == 12
    assert list(frame) == [
        "vector",
        "norm",
        "off plane",
        "T²",
        "percentile",
        "kNN percentile",
        "nearest token",
        "cosine distance",
    ]
    hover = charts_of(app)[0]["data"][1]["hovertext"]
    assert "percentile in the reference" in hover[0]
    assert "nearest token" in hover[0]


def test_reports_stand_side_by_side(filled, no_engine):
    app = open_page(
        "priors", model=filled.model.name, prior='{"kind":"gaussian"}', prior2='{"kind":"exclusion"}', look="fits"
    )
    frame = table_of(app, "fact").set_index("fact")
    assert frame.loc["acceptance", "1 · Fitted Gaussian"] == "–"
    assert float(frame.loc["acceptance", "2 · Gaussian exclusion"]) < 1


def test_nulls_on_demand(filled, no_engine):
    app = open_page("priors", model=filled.model.name, n="15", nulls="true")
    assert {f"null: {name} (15)" for name in ("random directions", "matched Gaussian", "vocabulary rows")} <= {
        trace["name"] for trace in charts_of(app)[0]["data"]
    }


def test_the_exclusion_inspector_shows_both_readings(filled, no_engine):
    app = open_page(
        "priors", model=filled.model.name, prior='{"kind":"exclusion"}', look="exclusion", exclusion_dim="2048"
    )
    law, curves = charts_of(app)[1:]
    assert {"later text", "earlier text"} <= {trace["name"] for trace in curves["data"]}
    assert law["data"][0]["name"] == "fitted Gaussian"
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Acceptance"].startswith("2.0")
    field = next(field for field in app.number_input if field.key == "priors.exclusion_dim")
    field.set_value(2).run()
    assert {metric.label: metric.value for metric in app.metric}["Acceptance"] == "53.499%"


def test_deep_sites_are_references_too(filled, no_engine):
    from core.activations.capture import capture
    from core.jobs.projection import fit_projection
    from core.progress import silent

    address = {"model": filled.model.name, "reference": "activations", "data": "file", "site": "1", "n": "10"}
    address |= {"path": filled.dataset.path, "samples": "30", "prior": '{"kind":"gaussian"}'}
    assert "not been captured yet" in texts_of(open_page("priors", **address))
    store = Store(filled.root)
    cloud = CloudSpec(model=filled.model, dataset=filled.dataset, sites=(1,))
    capture(cloud, store)
    shown = ProjectionSpec(model=filled.model, site=1, clouds=(cloud,), n_components=3)
    fit_projection(shown, create_job(store, "projection", {}, "p-deep"), store, silent)
    app = open_page("priors", look="points", nulls="true", **address)
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
    assert "Fitted Gaussian sample (10)" in names
    assert "null: rows of the reference (10)" in names
    assert "nearest token" not in table_of(app, "vector")
    assert "at site 1 of" in texts_of(app)
    assert charts_of(app)[0]["layout"]["annotations"], "regions are named"
    assert not charts_of(open_page("priors", regions="false", **address))[0]["layout"].get("annotations")


def test_a_vae_says_what_training_costs_and_is_a_job(filled, no_engine):
    prior = '{"kind":"vae","d_latent":2,"d_hidden":8,"steps":1000000}'
    app = open_page("priors", model=filled.model.name, prior=prior)
    assert "has not been trained on this cloud yet" in texts_of(app)
    assert "a guess" in texts_of(app)
    assert not charts_of(app)
    press(app, "Train it")
    kind, spec = no_engine[0]
    assert (kind, spec.prior.kind, spec.reference) == ("fit", "vae", None)
    assert "Fitting VAE" in texts_of(app)


def test_a_short_fit_starts_by_itself_and_is_drawn_beside_the_others_once_it_is_there(filled, no_engine):
    from core.jobs.fit import fit_and_keep
    from core.progress import silent

    priors = {"prior": '{"kind":"isotropic"}', "prior2": '{"kind":"mixture","n_clusters":2}'}
    app = open_page("priors", model=filled.model.name, n="20", **priors)
    (kind, spec), *rest = no_engine
    assert (kind, rest) == ("fit", [])
    assert "Fitting Mixture" in texts_of(app)
    assert len(charts_of(app)[0]["data"]) == 3
    store = Store(filled.root)
    job = next(job for job in list_jobs(store, "fit"))
    job.write_result(fit_and_keep(spec, job, store, silent))
    job.update(state="succeeded")
    app.run()
    assert "2 · Mixture (n clusters 2) sample (20)" in [trace["name"] for trace in charts_of(app)[0]["data"]]


def test_tune_starts_from_the_prior_with_its_data_set_and_site(filled, no_engine):
    text = {"data": "file", "path": str(filled.dataset.path), "samples": "30", "reference": "activations", "site": "2"}
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', **text)
    press(app, "Tune with this prior")
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 7.0}
    assert app.query_params["path"] == str(filled.dataset.path)
    assert app.query_params["samples"] == "30"
    assert (app.query_params["method"], app.query_params["prompt_sites"]) == ("deep", "2")
    assert app.query_params["reference"] == "activations"


def c_field(app: AppTest):
    return next(field for field in app.number_input if field.label == "c")


def c_slider(app: AppTest):
    return next(slider for slider in app.select_slider if slider.label == "c, slider")


def test_a_slider_moves_the_exact_field_and_follows_it(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7.123}', n="20")
    assert c_slider(app).value == 7.123
    c_slider(app).set_value(1e6).run()
    assert c_field(app).value == 1e6
    assert json.loads(app.query_params["prior"])["c"] == 1e6
    c_field(app).set_value(33.3).run()
    assert c_slider(app).value == 33.3


def test_a_moved_prior_leaves_its_setting_before_as_a_ghost(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', n="20")
    c_field(app).set_value(9.0).run()
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
    assert names[1:3] == ["before: c 7", "Gaussian exclusion sample (20)"]
    hover = charts_of(app)[0]["data"][2]["hovertext"]
    assert "percentile in the reference" in hover[0], "what takes long is told once it is known"
    app.run()
    assert [trace["name"] for trace in charts_of(app)[0]["data"]] == names
    c_field(app).set_value(11.0).run()
    assert charts_of(app)[0]["data"][1]["name"] == "before: c 9"
    app.selectbox(key="priors.prior.kind").select("xavier").run()
    assert charts_of(app)[0]["data"][1]["name"] == "before: Gaussian exclusion"


def test_undo_goes_back_step_by_step(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', n="20")
    undo = lambda: next(button for button in app.button if button.label == "Undo")  # noqa: E731
    assert undo().disabled
    c_field(app).set_value(9.0).run()
    press(app, "Add a prior")
    press(app, "Undo")
    assert "prior2" not in app.query_params
    assert c_field(app).value == 9
    press(app, "Undo")
    assert c_field(app).value == 7
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 7.0}
    assert undo().disabled


@pytest.mark.parametrize("number", PRESETS)
def test_a_figure_of_the_paper_sets_priors_and_reference(filled, no_engine, number):
    app = open_page("priors", model=filled.model.name, n="20")
    app.selectbox(key="priors.preset").select(number).run()
    assert not app.exception
    preset, known = PRESETS[number], app.query_params
    shown = [known.get("prior"), known.get("prior2")][: len(preset.priors)]
    assert [json.loads(text or "{}").get("kind") for text in shown] == [prior.kind for prior in preset.priors]
    assert known.get("reference", "vocabulary") == ("activations" if preset.data else "vocabulary")
    if preset.data:
        last = (describe_model(filled.model, Store(filled.root)).n_layers or 0) - 1
        assert known.get("site", "0") == str(last if preset.last else 0)
        assert known.get("data", "math") == preset.data
