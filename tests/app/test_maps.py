"""Maps on pages: t-SNE, named and joint maps, the support's share, names, components."""

import json

import numpy as np
import pytest

from core.engine.runner import run_job
from core.jobs.projection import MAP, find_map
from core.specs import CloudSpec, DatasetSpec, ProjectionSpec
from core.store import Store, create_job, list_jobs
from core.store.names import Named, give_name, list_names
from pages.system_parts.maps import named_words
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of

TSNE = {"method": "tsne", "perplexity": "5", "n_iterations": "50", "n_early_iterations": "20"}


def work(store: Store) -> None:
    """Do the jobs that a page has asked for, as a worker does."""
    for job in list_jobs(store):
        if job.kind in ("projection", "place", "measure") and job.status().state == "queued":
            status = run_job(job)
            assert status.state == "succeeded", status.error


def named(filled: Content, spec: ProjectionSpec, name: str) -> str:
    """Name the stored map of a spec, made if need be, and return its key."""
    store = Store(filled.root)
    if find_map(spec, store) is None:
        run_job(create_job(store, "projection", spec.as_json(), f"p-{spec.fingerprint()[:6]}"))
    stored = find_map(spec, store)
    assert stored is not None
    give_name(store, MAP, name, stored.artifact.key, spec.as_json())
    return stored.artifact.key


def drawn(page: str, store: Store, **params: str):
    """Open a page until what it asks for is done."""
    for _ in range(4):
        app = open_page(page, **params)
        for button in app.button:
            if button.label == "Draw this map":
                button.click().run()
        if charts_of(app):
            return app
        work(store)
    return open_page(page, **params)


def names_of(app) -> list[str]:
    return [trace["name"] for trace in charts_of(app)[0]["data"]]


def test_compare_on_tsne_says_what_lies_outside(filled, no_engine):
    store = Store(filled.root)
    app = drawn("compare", store, runs=json.dumps([filled.run]), **TSNE)
    laid = table_of(app, "outside the support")
    assert laid["what"].tolist() == [f"prior · gaussian {filled.run}", f"posterior · gaussian {filled.run}"]
    assert laid["outside the support"].str.contains(r"\d of 4 \(\d+%\)").all()
    assert "off the plane" not in laid
    words = texts_of(app)
    assert "t-SNE (perplexity 5, 50 components first, 50 iterations, divergence" in words
    assert "fitted without the overlay and frozen" in words
    assert "mean of prior" not in names_of(app)


def test_a_joint_fit_says_so_and_cannot_be_named(filled, no_engine):
    store = Store(filled.root)
    app = drawn("compare", store, runs=json.dumps([filled.run]), joint="true", **TSNE)
    words = texts_of(app)
    assert "a joint fit, not frozen" in words
    assert "frozen." in words
    assert not [name for name in names_of(app) if "outside" in name]
    assert not [shown for shown in app.dataframe if "outside the support" in shown.value]
    assert not [button for button in app.button if button.label == "Save name"]


@pytest.mark.parametrize("where", ["compare", "priors", "activations"])
def test_an_address_names_a_map(filled, no_engine, where):
    key = named(filled, filled.vocabulary_map, "Words, site 0")
    files = {"data": '["file"]', "files": "[]", "path": filled.dataset.path, "samples": "30", "rows": "500"}
    more = {"compare": {"runs": json.dumps([filled.run])}, "priors": {"n": "10"}, "activations": files}[where]
    app = open_page(where, model=filled.model.name, map="Words, site 0", **more)
    assert not app.error
    words = texts_of(app)
    assert "Map *Words, site 0*: principal components of 99 of 99 vocabulary rows" in words.replace("\\", "")
    before = {path.name: path.read_bytes() for path in Store(filled.root).folder(MAP, key).iterdir()}
    app.run()
    assert {path.name: path.read_bytes() for path in Store(filled.root).folder(MAP, key).iterdir()} == before
    if where == "activations":
        assert names_of(app)[0].endswith("fitted on: vocabulary (99)")
        assert "are overlaid on it" in words


def test_an_unknown_name_is_said(filled, no_engine):
    named(filled, filled.vocabulary_map, "Words")
    app = open_page("compare", runs=json.dumps([filled.run]), map="Wards")
    assert "The address asks for map 'Wards', which cannot be chosen here; Words is used instead" in texts_of(app)


def test_without_any_name_there_is_a_word(filled, no_engine):
    app = open_page("compare", runs=json.dumps([filled.run]), method="named")
    assert "No map has a name yet" in texts_of(app)
    assert charts_of(app)


def test_a_map_of_another_model_is_refused(filled, no_engine):
    spec = filled.vocabulary_map
    key = named(filled, spec, "Words")
    other = {**spec.as_json(), "model": {**spec.model.as_json(), "name": "other/model"}}
    give_name(Store(filled.root), MAP, "Others", key, other)
    app = open_page("compare", runs=json.dumps([filled.run]), map="Others")
    assert "The map 'Others' belongs to other/model, but these points belong to" in app.error[0].value.replace("\\", "")
    work(Store(filled.root))
    app = open_page("compare", runs=json.dumps([filled.run]), map="Others")
    assert "Nearest tokens" in [heading.value for heading in app.subheader], "the numbers need no map"


def test_a_named_map_draws_though_its_cloud_is_gone(filled, no_engine):
    store = Store(filled.root)
    named(filled, filled.cloud_map, "Stories")
    for kind, name, _ in list(store.artifacts()):
        if kind == "cloud":
            store.remove(kind, name)
    app = open_page("compare", runs=json.dumps([filled.run]), map="Stories")
    grey = charts_of(app)[0]["data"][0]
    assert grey["name"].startswith("stories.txt (")
    assert "hovertext" not in grey


def test_a_named_map_that_was_lost_is_drawn_again(filled, no_engine):
    store = Store(filled.root)
    key = named(filled, filled.vocabulary_map, "Words")
    store.remove(MAP, key)
    app = open_page("compare", runs=json.dumps([filled.run]), map="Words")
    assert "The map Words is no longer in the cache folder; it is drawn again" in texts_of(app)
    assert no_engine[-1][0] in ("projection", "measure")
    work(store)
    app = open_page("compare", runs=json.dumps([filled.run]), map="Words")
    assert charts_of(app)
    assert store.folder(MAP, key).exists()


def test_a_map_is_named_on_its_page_and_renamed_on_system(filled, no_engine):
    store = Store(filled.root)
    app = open_page("compare", runs=json.dumps([filled.run]))
    next(field for field in app.text_input if field.label == "Name").set_value("Mine").run()
    next(button for button in app.button if button.label == "Save name").click().run()
    (found,) = list_names(store, MAP)
    assert found.name == "Mine"
    app = open_page("system")
    assert "vocabulary · site 0" in texts_of(app).replace("\\", "")
    app.text_input(key=f"maps.rename.{found.key}").set_value("Ours").run()
    assert [one.name for one in list_names(store, MAP)] == ["Ours"]
    app.button(key=f"maps.forget.{found.key}").click().run()
    assert list_names(store, MAP) == []


def test_a_named_map_is_told_in_plain_text():
    spec = ProjectionSpec(site=3, clouds=(CloudSpec(dataset=DatasetSpec(name="math"), sites=(3,)),))
    words = named_words(Named("x", MAP, "abc", spec.as_json(), 0.0))
    assert words == "PCA · math · arithmetic__add_or_sub · site 3 · smollm2-135m · abc"


def test_a_cloud_is_laid_on_a_tsne_map_by_a_job_and_the_map_stays(filled, no_engine):
    store = Store(filled.root)
    spec = ProjectionSpec.parse(
        {"model": filled.model, "clouds": (filled.cloud,), "n_points": 100, "method": "tsne", "perplexity": 5}
        | {"n_iterations": 50, "n_early_iterations": 20}
    )
    key = named(filled, spec, "Stories")
    folder = store.folder(MAP, key)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    files = {"data": '["file"]', "files": "[]", "path": filled.dataset.path, "samples": "30"}
    own = open_page("activations", model=filled.model.name, map="Stories", rows="500", **files)
    assert not own.error
    assert not [submitted for submitted in no_engine if submitted[0] == "place"], "these are the map's own points"
    assert "Map *Stories*" in texts_of(own)
    other = filled.cloud.model_copy(update={"rows": 60})
    run_job(create_job(store, "capture", other.as_json(), "c-60"))
    address = {"model": filled.model.name, "map": "Stories", "rows": "60", **files}
    assert "Overlaying stories.txt on the map" in texts_of(open_page("activations", **address)).replace("\\", "")
    assert [kind for kind, _ in no_engine if kind == "place"] == ["place"]
    work(store)
    app = open_page("activations", **address)
    assert names_of(app)[0].endswith("fitted on: stories.txt (100)")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_stopped_map_is_shown_with_an_offer_of_the_rest(filled, no_engine):
    store = Store(filled.root)
    address = {"runs": json.dumps([filled.run]), **TSNE, "n_iterations": "200"}
    app = open_page("compare", **address)
    next(button for button in app.button if button.label == "Draw this map").click().run()
    job = next(job for job in list_jobs(store, "projection") if job.status().state == "queued")
    job.say_enough()
    work(store)
    app = open_page("compare", **address)
    if not charts_of(app):
        work(store)
        app = open_page("compare", **address)
    assert "Stopped after 59 of 200 iterations" in texts_of(app)
    assert "59 iterations" in texts_of(app)
    next(button for button in app.button if button.label == "Finish this map").click().run()
    assert not job.enough()


def test_components_show_dimensions_and_tokens(filled, no_engine):
    files = {"data": '["file"]', "files": "[]", "path": filled.dataset.path, "samples": "30", "rows": "500"}
    app = open_page("activations", model=filled.model.name, component="2", **files)
    assert "PC2 explains" in texts_of(app)
    assert "of 32 dimensions hold" in texts_of(app)
    ends = table_of(app, "low end")
    assert ends["low end"].str.fullmatch("'.*'|\".*\"").all()
    assert set(ends["low end"]) != set(ends["high end"])


@pytest.mark.parametrize(("size", "most"), [("off plane", 1.0), ("T²", 25.0)])
def test_size_tells_what_the_plane_hides(filled, no_engine, size, most):
    app = open_page("compare", runs=json.dumps([filled.run]), size=size)
    trace = next(trace for trace in charts_of(app)[0]["data"] if trace["name"] == "posterior")
    sizes = np.asarray(trace["marker"]["size"] if isinstance(trace["marker"]["size"], list) else [5])
    assert ((sizes >= 5) & (sizes <= 20)).all()
    assert "Size: " in texts_of(app)
