"""The Compare page."""

import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from core.analysis.definitions import DEFINITIONS
from core.engine.lookup import find, job_id
from core.figures.text import token
from core.jobs.measure import measure_spec
from core.jobs.readings import find_line, line_spec
from core.store import JobFolder, Store, create_job, find_job, list_jobs
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of
from tests.jobs import done

TITLES = [
    "Quality",
    "Speed",
    "Displacement",
    "Nearest tokens",
    "Position in the clouds",
    "Attention",
    "Shape",
    "Can the prior still be recognised?",
]


def measure(store: Store, run: JobFolder, **more) -> None:
    """Measure a run as a worker does."""
    done("measure", measure_spec(run, **more), store)


def written(filled: Content, name: str, way: np.ndarray, sites: tuple[int, ...] = (), **changes) -> JobFolder:
    """Return a run whose prompts are given."""
    store = Store(filled.root)
    spec = filled.tuning.model_copy(update=changes)
    job = create_job(store, "tune", spec.as_json(), name)
    way, extra = way.astype(np.float32), {"site": np.array(sites)} if sites else {}
    save_file({"prompt": way, "step": np.arange(len(way)), **extra}, job.path / "trajectory.safetensors")
    for file, prompt in (("prior", way[0]), ("posterior", way[-1])):
        save_file({"prompt": np.ascontiguousarray(prompt), **extra}, job.path / f"{file}.safetensors")
    for step in range(len(way)):
        job.append(event="evaluation", step=step, validation={"loss": 3.0 - step / 10, "accuracy": 0.5})
    job.update(state="cancelled", done=len(way) - 1)
    return job


@pytest.fixture
def measured(filled: Content, no_engine) -> Content:
    """Return the filled store with its run measured, what vectors are worth among it."""
    store = Store(filled.root)
    measure(store, find_job(store, filled.run), worth=True)
    return filled


def compare(*runs: str, **params: str) -> AppTest:
    return open_page("compare", runs=json.dumps(runs), **params)


def names_of(app: AppTest) -> list[str]:
    return [trace["name"] for trace in charts_of(app)[0]["data"]]


def test_a_run_without_measures_has_its_map_and_its_measures_are_started(filled, no_engine):
    app = compare(filled.run)
    assert names_of(app)[1:] == ["prior", "displacement", "posterior", "mean of prior", "mean of posterior"]
    ((kind, spec),) = no_engine
    assert (kind, spec.run, spec.worth) == ("measure", filled.run, False)
    assert f"Measuring {filled.run}" in texts_of(app).replace("\\", "")
    assert len(app.dataframe) == 1, "only where the vectors lie on the map"
    app.run()
    assert len(no_engine) == 1, "a job that waits is not asked for again"


def test_measures_that_end_while_the_page_is_drawn_are_shown(filled, at_once):
    app = open_page("compare")
    assert [kind for kind, _ in at_once] == ["measure"]
    assert {"Quality", "Displacement", "Nearest tokens"} <= {heading.value for heading in app.subheader}


def test_measures_are_tables_with_definitions_and_downloads(measured, no_engine):
    app = compare(measured.run)
    assert no_engine == []
    assert [title.value for title in app.subheader] == [*TITLES, "What vectors are worth", "Prompts in words"]
    laid = table_of(app, "what")
    assert laid["what"].tolist() == [f"prior · gaussian {measured.run}", f"posterior · gaussian {measured.run}"]
    assert laid["off the plane"].between(0, 1).all()
    quality = table_of(app, "accuracy")
    assert quality["of"].tolist() == ["posterior", "prior sample", "no prompt"]
    assert quality["prior"].unique().tolist() == ["gaussian"]
    assert quality["ended"].unique().tolist() == ["fixed length"]
    attention = table_of(app, "attention")
    assert set(attention["block"]) == {"block 0", "block 1", "block 2"}
    assert set(attention["of"]) == {"posterior", "prior sample"}
    moved = table_of(app, "angle").set_index("of")
    assert "[" in moved.loc["posterior", "angle"]
    assert table_of(app, "cosine distance")["of"].str.startswith("null").sum() == 3
    assert set(table_of(app, "cloud")["cloud"]) == {"vocabulary rows", "stories.txt"}
    assert "null: subsets of stories.txt" in table_of(app, "effective rank")["of"].tolist()
    of = set(table_of(app, "shift of the mean")["of"])
    assert of >= {"null: displacements reversed at random", "null: prior and posterior swapped at random"}
    assert all(table_of(app, "drop")["drop"])
    titles = {definition.title: definition.text for definition in DEFINITIONS.values()}
    for table in (table for table in app.dataframe if "run" in pd.DataFrame(table.value)):
        columns = json.loads(table.proto.columns)
        for name in set(pd.DataFrame(table.value).columns) - {"run", "prior", "ended", "of", "cloud", "block"}:
            assert columns[name]["help"] in titles[name]
    names = [
        "Positions",
        "Quality",
        "Speed",
        "Evaluations",
        "Displacement",
        "Vectors",
        "Coordinates",
        "Nearest tokens",
        "Null samples",
        "Position in the clouds",
        "Attention",
        "Attention by vector",
        "Shape",
        "What vectors are worth",
        "Changed prompts",
    ]
    assert [button.proto.label for button in app.get("download_button")] == [
        f"{name} ({kind})" for name in names for kind in ("CSV", "Parquet")
    ]
    assert "undecided" in texts_of(app).lower()


def test_what_vectors_are_worth_is_offered_with_its_cost(filled, no_engine):
    store = Store(filled.root)
    measure(store, find_job(store, filled.run))
    app = compare(filled.run)
    assert "the loss of 32 changed prompts on 32 validation examples, about" in texts_of(app)
    next(button for button in app.button if button.label == "Measure what each vector is worth").click().run()
    kind, spec = no_engine[0]
    assert (kind, spec.run, spec.worth) == ("measure", filled.run, True)
    assert not any(button.label == "Measure what each vector is worth" for button in app.button)
    assert app.dataframe, "what is measured already stays"


def test_the_cost_of_worth_goes_by_what_was_measured_here(measured, no_engine):
    written(measured, "t-other", np.random.default_rng(0).normal(size=(3, 4, 32)))
    assert ", about " in texts_of(compare("t-other"))


def test_a_failed_measure_is_shown_and_not_begun_again(filled, no_engine):
    store = Store(filled.root)
    spec = measure_spec(find_job(store, filled.run))
    job = create_job(store, "measure", spec.as_json(), job_id("measure", spec))
    job.update(state="failed", error="Too little memory.")
    app = compare(filled.run)
    assert "Too little memory" in app.error[0].value
    assert no_engine == []


@pytest.mark.parametrize("dimensions", ["2", "3"])
def test_runs_are_overlaid_or_side_by_side_and_played(measured, no_engine, dimensions):
    way = np.random.default_rng(0).normal(size=(3, 4, 32))
    other = written(measured, "t-other", way, seed=1)
    measure(Store(measured.root), other)
    names = names_of(compare(measured.run, other.id, dimensions=dimensions))
    assert [name for name in names if name.startswith("posterior")] == [
        f"posterior · gaussian {measured.run}",
        "posterior · gaussian t-other",
    ]
    app = compare(measured.run, other.id, dimensions=dimensions, arrangement="multiples", play="true")
    (chart,) = charts_of(app)
    assert [name for name in (trace["name"] for trace in chart["data"]) if name == "posterior"] == ["posterior"] * 2
    assert len(chart["layout"]["annotations"]) == 2
    assert len(chart["frames"]) == 5
    assert chart["layout"]["sliders"][0]["steps"][1]["label"] == "25 %"


def test_one_run_is_played_by_its_steps(measured, no_engine):
    (chart,) = charts_of(compare(measured.run, play="true", way="50"))
    assert [step["label"] for step in chart["layout"]["sliders"][0]["steps"]] == [f"step {k}" for k in range(5)]
    assert chart["layout"]["sliders"][0]["active"] == 2


def test_nulls_are_laid_beside_on_demand(measured, no_engine):
    names = names_of(compare(measured.run, nulls='["random directions","rows"]'))
    assert [name for name in names if name.startswith("null")] == ["null: random directions", "null: vocabulary rows"]


def test_xavier_is_green(measured, no_engine):
    from core.figures.palette import XAVIER
    from core.specs import parse_prior

    way = np.random.default_rng(0).normal(size=(2, 4, 32))
    run = written(measured, "t-xavier", way, prior=parse_prior("xavier"))
    trace = next(trace for trace in charts_of(compare(run.id))[0]["data"] if trace["name"] == "prior")
    assert trace["marker"]["color"] == XAVIER.colour


def test_deep_runs_are_compared_at_a_site_of_ones_choice(measured, no_engine):
    from core.jobs.projection import fit_projection
    from core.progress import silent
    from core.specs import ProjectionSpec

    store = Store(measured.root)
    way = np.random.default_rng(0).normal(size=(3, 2, 4, 32))
    deep = written(measured, "t-deep", way, (0, 2), method="deep", prompt_sites=(0, 2))
    measure(store, deep)
    app = compare(measured.run, deep.id, site="2")
    kind, spec = no_engine[0]
    assert (kind, spec.site, spec.clouds[0].sites) == ("projection", 2, (0, 2))
    assert "Not on this map, because they have no prompt at site 2: t-tiny" in texts_of(app).replace("\\", "")
    whole = ProjectionSpec.parse({**spec.as_json(), "n_components": 3})
    job = create_job(store, "projection", whole.as_json(), job_id("projection", whole))
    fit_projection(whole, job, store, silent)
    app = compare(measured.run, deep.id, site="2")
    assert "posterior" in names_of(app)
    assert "tokens of stories.txt at site 2" in texts_of(app).replace("\\", "")
    collapse = table_of(app, "cosine distance")
    assert set(collapse["run"]) == {"t-deep"}
    assert "null: tokens of stories.txt" in collapse["of"].tolist()
    assert set(table_of(app, "cosine distance, behind the norm")["run"]) == {"t-deep"}
    assert set(table_of(app, "inside the support, behind the norm")["cloud"]) == {"stories.txt"}


def test_hover_names_the_tokens_nearest_to_the_prompt_that_is_shown(filled, no_engine):
    from core.activations.clouds import find_vocabulary

    store = Store(filled.root)
    cloud = find_vocabulary(filled.model, store)
    assert cloud is not None
    rows = {0: [5, 6, 7, 8], 50: [15, 16, 17, 18], 100: [25, 26, 27, 28]}
    run = written(filled, "t-words", np.stack([cloud.points(0)[chosen] for chosen in rows.values()]))
    measure(store, run)
    for way, chosen in rows.items():
        after = next(t for t in charts_of(compare(run.id, way=str(way)))[0]["data"] if t["name"] == "posterior")
        words = [f"nearest token <b>{token(word)}</b>" for word in cloud.rows["token"].iloc[chosen]]
        assert [text.split("<br>")[1] for text in after["hovertext"]] == words
        assert "text" not in after
    labelled = next(t for t in charts_of(compare(run.id, named='["2"]'))[0]["data"] if t["name"] == "posterior")
    assert labelled["text"] == ["", "", token(cloud.rows["token"].iloc[27]), ""]


def test_runs_of_different_models_are_refused(filled, no_engine):
    other = filled.model.model_copy(update={"dtype": "float32"})
    run = written(filled, "t-other", np.ones((2, 4, 32)), model=other)
    assert "different models" in compare(filled.run, run.id).error[0].value


def test_vectors_can_be_placed_in_further_data(measured, no_engine):
    store = Store(measured.root)
    other = measured.dataset.model_copy(update={"samples": 20})
    cloud = measured.cloud.model_copy(update={"dataset": other})
    create_job(store, "capture", cloud.as_json(), job_id("capture", cloud)).update(state="succeeded")
    compare(measured.run, place=json.dumps([other.canonical_json()]))
    kind, spec = no_engine[0]
    assert (kind, spec.datasets) == ("measure", (other,))


def test_a_run_without_a_posterior_is_drawn_and_not_measured(filled, no_engine):
    run = written(filled, "t-broken", np.ones((2, 4, 32)))
    (run.path / "posterior.safetensors").unlink()
    app = compare(run.id)
    assert "prior" in names_of(app)
    assert [kind for kind, _ in no_engine] == []
    assert list_jobs(Store(filled.root), "measure") == []


def test_a_prompt_whose_start_is_not_known_is_shown_where_it_is(measured: Content, no_engine):
    store = Store(measured.root)
    run = written(measured, "t-elsewhere", np.random.default_rng(0).normal(size=(2, 4, 32)))
    for file in ("prior.safetensors", "trajectory.safetensors"):
        (run.path / file).unlink()
    unknown = {"imported": {"format": "peft", "unknown": ["learning_rate", "seed", "steps"]}}
    (run.path / "provenance.json").write_text(json.dumps(unknown))
    measure(store, run)
    app = compare(run.id)
    assert names_of(app)[1:] == ["posterior", "mean of posterior"]
    assert "imported" in app.multiselect[0].format_func(run.id)
    assert "Displacement" not in [heading.value for heading in app.subheader]
    tuned = charts_of(open_page("tune", run=run.id))[-1]
    assert [trace["name"] for trace in tuned["data"]][1:] == ["prompt now"], "the run's state is cancelled here"
    both = compare(run.id, measured.run)
    assert "Displacement" in [heading.value for heading in both.subheader]


def test_the_line_between_two_runs_is_offered_with_its_cost_and_drawn_once_measured(measured, no_engine):
    store = Store(measured.root)
    prompts = np.random.default_rng(0).normal(size=(2, 4, 32))
    other = written(measured, "t-other", prompts)
    first = find_job(store, measured.run)
    app = compare(measured.run, other.id)
    shown = texts_of(app)
    assert "The loss along the line between them is not measured yet" in shown
    assert "the loss of 11 prompts on" in shown
    next(one for one in app.button if one.label == "Measure the line").click().run()
    spec = line_spec(first, other)
    assert ("line", spec) in no_engine
    done("line", spec, store)
    line = find_line(spec, store)
    assert line is not None
    app = compare(measured.run, other.id)
    assert f"**{line.barrier:.3f}** nats per token" in texts_of(app)
    drawn = [trace for chart in charts_of(app) for trace in chart["data"] if trace.get("name") == "validation loss"]
    assert len(drawn) == 1


def test_a_line_that_is_measured_while_the_page_is_drawn_is_shown_and_not_offered(measured, no_engine, monkeypatch):
    store = Store(measured.root)
    other = written(measured, "t-other", np.random.default_rng(0).normal(size=(2, 4, 32)))
    spec = line_spec(find_job(store, measured.run), other)

    def find_once_done(kind, request, found_in):
        if request == spec:
            done("line", spec, store)
        return find(kind, request, found_in)

    monkeypatch.setattr("pages.widgets.offers.find", find_once_done)
    app = compare(measured.run, other.id)
    assert "Measure the line" not in [button.label for button in app.button]
    assert "nats per token" in texts_of(app)


def test_runs_without_a_line_between_them_say_what_differs(measured, no_engine):
    other = written(measured, "t-other", np.random.default_rng(0).normal(size=(2, 3, 32)))
    assert "number and width of vectors differ" in texts_of(compare(measured.run, other.id))


def test_a_prompt_is_read_in_words_on_demand_and_joined_with_what_vectors_are_worth(measured, no_engine):
    app = compare(measured.run)
    assert "This prompt has not been read in words yet" in texts_of(app)
    next(button for button in app.button if button.label == "Read it in words").click().run()
    ((kind, spec),) = no_engine
    assert (kind, spec.run) == ("words", measured.run)
    done("words", spec, Store(measured.root))
    shown = compare(measured.run)
    words = table_of(shown, "near by cosine")
    assert list(words)[:3] == ["site", "vector", "near by cosine before"]
    assert len(words) == 4
    assert words["near by cosine"].str.count(" · ").min() >= 2
    assert not words["loss, this one snapped"].isna().to_numpy().any()
    assert "snapped by distance" in texts_of(shown)
