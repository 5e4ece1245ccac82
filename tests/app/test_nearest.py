"""Pages open on what is in the store: the nearest view in place of one that is not there, and a list to choose from."""

import json

import pytest

from core.engine.lookup import job_id
from core.jobs.atlas import measure_atlas
from core.jobs.paths import paths
from core.jobs.projection import fit_projection
from core.progress import silent
from core.specs import AtlasSpec, PathsSpec, ProjectionSpec
from core.store import Store, create_job
from tests.app.conftest import Content, charts_of, open_page, texts_of

NEAREST = "What you chose is not stored. The nearest view is shown: "


def plain_texts(app) -> str:
    """Return a page's texts without the marks that keep Markdown from reading them."""
    return texts_of(app).replace("\\", "")


def of_file(filled: Content, **more: str) -> dict[str, str]:
    """Return the parameters that ask for the stored texts."""
    own = {"model": filled.model.name, "data": '["file"]', "path": str(filled.dataset.path)}
    return {**own, "samples": "30", "rows": "500", **more}


def test_activations_open_on_what_is_stored(filled: Content, no_engine):
    app = open_page("activations", model=filled.model.name)
    words = plain_texts(app)
    assert (
        f"{NEAREST}**data set stories.txt instead of news, samples 30 instead of 200, points 500 instead of 5,000"
        in words
    )
    assert [trace["name"] for trace in charts_of(app)[0]["data"]] == ["stories.txt (500)"]
    assert not no_engine
    app.button(key="activations.capture").click().run()
    ((kind, spec),) = no_engine
    assert (kind, spec.dataset.name, spec.dataset.samples, spec.rows) == ("capture", "news", 200, 5000)


def test_what_is_stored_as_chosen_is_shown_without_a_word(filled: Content, no_engine):
    app = open_page("activations", **of_file(filled))
    assert NEAREST not in texts_of(app)
    assert charts_of(app)


def test_another_site_stands_in_and_is_named(filled: Content, no_engine):
    app = open_page("activations", **of_file(filled, site="2"))
    assert f"{NEAREST}**sites 0 instead of 2**" in plain_texts(app)
    assert charts_of(app)


def test_a_prior_is_fitted_on_the_nearest_reference(filled: Content, no_engine):
    asked = {"reference": "activations", "data": "file", "path": str(filled.dataset.path), "samples": "50"}
    app = open_page("priors", model=filled.model.name, **asked)
    assert f"{NEAREST}**samples 30 instead of 50, points 500 instead of 5,000**" in plain_texts(app)
    ((kind, spec),) = no_engine  # the map of this reference, which is drawn without asking
    assert (kind, spec.clouds[0].dataset.samples) == ("projection", 30)


def test_the_nearest_t_sne_map_of_the_same_points_is_shown(filled: Content, no_engine):
    store = Store(filled.root)
    few = {"perplexity": 5, "n_iterations": 50, "n_early_iterations": 20, "method": "tsne"}
    spec = filled.cloud_map.model_copy(update={**few, "n_components": 2})
    fit_projection(
        ProjectionSpec.parse(spec.as_json()), create_job(store, "projection", spec.as_json(), "p-9"), store, silent
    )
    asked = of_file(filled, method="tsne", perplexity="7", n_iterations="50", n_early_iterations="20")
    app = open_page("activations", **asked)
    assert f"{NEAREST}**perplexity 5 instead of 7**" in plain_texts(app)
    assert charts_of(app)
    app.button(key="draw.tsne").click().run()
    assert [(kind, spec.perplexity) for kind, spec in no_engine] == [("projection", 7)]


@pytest.fixture
def atlas(filled: Content) -> Content:
    """Keep an atlas of the stored texts."""
    store, cloud = Store(filled.root), filled.cloud.model_copy(update={"sites": "all"})
    spec = AtlasSpec(model=filled.model, clouds=(cloud,), n_permutations=19)
    job = create_job(store, "atlas", spec.as_json(), job_id("atlas", spec))
    job.write_result(measure_atlas(spec, job, store, silent))
    job.update(state="succeeded")
    return filled


def test_the_nearest_atlas_is_shown_with_an_offer_of_the_one_that_is_chosen(atlas: Content, no_engine):
    app = open_page("activations", **of_file(atlas, show="layers"))
    assert f"{NEAREST}**permutations 19 instead of 200**" in plain_texts(app)
    assert charts_of(app)
    next(button for button in app.button if button.label == "Measure all sites").click().run()
    assert [(kind, spec.n_permutations) for kind, spec in no_engine] == [("atlas", 200)]


def test_the_nearest_statistics_of_documents_are_shown(filled: Content, no_engine):
    store = Store(filled.root)
    spec = PathsSpec(model=filled.model, dataset=filled.dataset, n_documents=10, max_length=32)
    job = create_job(store, "paths", spec.as_json(), job_id("paths", spec))
    job.write_result(paths(spec, job, store, silent))
    job.update(state="succeeded")
    app = open_page("trajectories", **of_file(filled))
    assert f"{NEAREST}**documents 10 instead of 200, longest trajectory 32 instead of 128**" in plain_texts(app)
    assert [button.label for button in app.button if button.label == "Measure trajectories"]


def test_a_capture_is_chosen_without_typing(filled: Content, no_engine):
    app = open_page("activations", model=filled.model.name)
    label = "Activations · stories.txt · 30 texts · site 0"
    chooser = app.selectbox(key="activations.stored")
    assert chooser.options == [label]
    chooser.select(label).run()
    assert NEAREST not in texts_of(app)
    assert app.selectbox(key="activations.stored").value is None
    assert json.loads(app.query_params["data"]) == ["file"]
    assert (app.query_params["samples"], app.query_params["rows"]) == ("30", "500")
    assert not no_engine


def test_an_atlas_is_chosen_without_typing(atlas: Content, no_engine):
    app = open_page("activations", model=atlas.model.name)
    (label,) = [one for one in app.selectbox(key="activations.stored").options if one.startswith("All sites measured")]
    app.selectbox(key="activations.stored").select(label).run()
    assert NEAREST not in texts_of(app)
    assert (app.query_params["show"], app.query_params["n_permutations"]) == ("layers", "19")
    assert charts_of(app)


def test_texts_and_references_are_chosen_without_typing(filled: Content, at_once):
    app = open_page("trajectories", **of_file(filled, text="A dog ran home."))
    app = open_page("trajectories", model=filled.model.name)
    label = "Sentences · A dog ran home."
    app.selectbox(key="trajectories.stored").select(label).run()
    assert app.text_area(key="trajectories.text").value == "A dog ran home."
    app = open_page("priors", model=filled.model.name)
    app.selectbox(key="priors.stored").select("Activations · stories.txt · 30 texts · site 0").run()
    assert (app.query_params["reference"], app.query_params["data"]) == ("activations", "file")
