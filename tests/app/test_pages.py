import json
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from core.activations.clouds import find_cloud
from core.figures.text import token
from core.sources.datasets import load_dataset
from core.specs import TuningSpec
from core.specs.describe import describe
from core.specs.prior import forget_prior_kind
from core.store import Store, create_job, find_job
from tests.app.conftest import ROOT, Content, open_page, texts_of

PAGES = ("overview", "activations", "priors", "tune", "compare", "system")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_an_empty_store(name, store, no_engine):
    app = open_page(name)
    assert [title.value for title in app.header] == [name.capitalize()]
    assert not app.error
    assert no_engine == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_a_filled_store(name, filled: Content, no_engine):
    app = open_page(name, model=filled.model.name)
    assert [title.value for title in app.header] == [name.capitalize()]
    assert not app.error


def _charts(app) -> list[dict]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]


def _activations(filled: Content, **params: str):
    return open_page(
        "activations",
        **{
            "model": filled.model.name,
            "data": '["file"]',
            "path": str(filled.dataset.path),
            "samples": "30",
            "rows": "500",
            **params,
        },
    )


def test_activations_draw_the_cloud_with_its_qualifying_numbers(filled, no_engine):
    app = _activations(filled)
    chart = _charts(app)[0]
    assert chart["layout"]["xaxis"]["title"]["text"].startswith("PC1 (")
    assert [trace["name"] for trace in chart["data"]] == ["stories.txt (500)"]
    assert "Left out: special tokens, padding, first positions." in texts_of(app)
    assert app.metric[0].value == "500"
    assert no_engine == []


def test_activations_say_where_their_texts_came_from(filled, no_engine):
    shown = texts_of(_activations(filled)).replace("\\", "")
    cloud = find_cloud(filled.cloud, Store(filled.root))
    assert cloud is not None
    known = cloud.info["dataset_provenance"]
    assert "**stories.txt** · your own file" in shown
    assert "Source: file: file stories.txt" in shown
    assert f"Used: {known['n_records']} of {known['n_available']} texts" in shown
    assert f"SHA-256: texts drawn {known['content_sha256'][:16]}" in shown
    assert f"{cloud.info['n_tokens_read']:,} tokens read" in shown


def test_a_run_says_where_its_texts_came_from_and_what_it_left_out(filled, no_engine):
    path = find_job(Store(filled.root), filled.run).path / "provenance.json"
    known = json.loads(path.read_text())
    known["examples"]["training"]["dropped"] = {"too long": 3}
    known["data"] |= {"licence": "a ![licence](x)", "notes": ["only a few"]}
    path.write_text(json.dumps(known))
    escaped = texts_of(open_page("tune", model=filled.model.name, run=filled.run))
    shown = escaped.replace("\\", "")
    assert "left out: 3 too long" in shown
    assert "Note: only a few" in shown
    assert "![" in shown
    assert "![" not in escaped


def test_activations_in_three_dimensions_use_the_same_map(filled, no_engine):
    chart = _charts(_activations(filled, dimensions="3", colour="token"))[0]
    assert {trace["type"] for trace in chart["data"]} == {"scatter3d"}
    assert chart["data"][0]["name"] == "other tokens"
    assert no_engine == []


def test_the_last_site_is_opened_by_its_link(filled, no_engine):
    app = _activations(filled, site="final")
    assert app.selectbox(key="activations.site").value == "final"
    assert app.query_params["site"] == "final"
    assert "not captured yet" in texts_of(app)


def test_activations_not_captured_say_the_cost_and_submit(filled, no_engine):
    app = _activations(filled, seed="7")
    assert "not captured yet" in texts_of(app)
    cost = app.dataframe[0].value
    assert list(cost.columns) == ["data set", "tokens read", "time", "disk", "basis"]
    app.button(key="activations.capture").click().run()
    assert [(kind, spec.sites, spec.seed) for kind, spec in no_engine] == [("capture", "all", 7)]


def _twins(filled: Content) -> list[str]:
    """Write two different files of one name."""
    paths = []
    for name in ("first", "second"):
        folder = filled.root / "uploads" / name
        folder.mkdir(parents=True)
        (folder / "texts.txt").write_text("\n\n".join(f"{name} text number {i}." for i in range(20)))
        paths.append(str(folder / "texts.txt"))
    return paths


def test_two_files_of_one_name_are_captured_each_with_its_own_job(filled, no_engine):
    app = _activations(filled, path="", files=json.dumps(_twins(filled)))
    assert list(app.dataframe[0].value["data set"]) == ["texts.txt (first)", "texts.txt (second)"]
    app.button(key="activations.capture").click().run()
    assert len(no_engine) == 2
    assert {"cancel.capture-1", "cancel.capture-2"} <= {button.key for button in app.button}
    assert "texts.txt \\(first\\)" in texts_of(app)


@pytest.mark.parametrize("named", [{"text_column": "body"}, {"prompt_column": "q", "answer_column": "a"}])
def test_a_table_is_used_by_the_columns_that_are_named(named, filled, no_engine):
    table = filled.root / "table.csv"
    table.write_text("q,a,body\n" + "".join(f"Sum {i}?,{i},A tale of {i} cats.\n" for i in range(20)))
    app = _activations(filled, path=str(table), **named)
    app.button(key="activations.capture").click().run()
    app = open_page("tune", model=filled.model.name, data="file", path=str(table))
    for name, column in named.items():
        app.text_input(key=f"tune.{name}").set_value(column).run()
        assert app.query_params[name] == column
    next(button for button in app.button if button.label == "Start tuning").click().run()
    for _, spec in no_engine:
        assert load_dataset(spec.dataset, Store(filled.root)).is_task == ("prompt_column" in named)
    assert [kind for kind, _ in no_engine] == ["capture", "tune"]


def test_squad_and_c4_can_be_local_files(filled, no_engine):
    app = _activations(filled, data='["squad","c4"]', squad_path=filled.dataset.path, c4_path=filled.dataset.path)
    app.button(key="activations.capture").click().run()
    assert [(spec.dataset.name, spec.dataset.path) for _, spec in no_engine] == [
        ("squad", filled.dataset.path),
        ("c4", filled.dataset.path),
    ]
    app = open_page("tune", model=filled.model.name, data="squad", squad_path=filled.dataset.path)
    next(button for button in app.button if button.label == "Start tuning").click().run()
    assert no_engine[-1][1].dataset.path == filled.dataset.path


def test_a_tsne_map_is_offered_with_its_time_and_never_drawn_unasked(filled, no_engine):
    app = _activations(filled, method="tsne", perplexity="12")
    assert "It takes about" in texts_of(app)
    assert no_engine == []
    app.button(key="draw.tsne").click().run()
    assert [(kind, spec.method, spec.perplexity) for kind, spec in no_engine] == [("projection", "tsne", 12)]


def test_a_prior_is_previewed_on_the_vocabulary_map(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}', n="30")
    charts = _charts(app)
    assert [trace["name"] for trace in charts[0]["data"]][1] == "Gaussian exclusion sample (30)"
    assert len(charts[0]["data"][1]["hovertext"]) == 30
    assert [trace["name"] for trace in charts[1]["data"]] == ["fitted Gaussian", "exclusion prior"]
    assert {"Acceptance", "Energy off the plane"} <= {metric.label for metric in app.metric}
    assert "shell" in app.info[0].value or "hole" in app.info[0].value


def test_a_prior_out_of_range_in_the_address_is_told_and_left(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":0.5}')
    assert "c\\: Input should be greater than 1" in app.warning[0].value
    assert _charts(app)


IMAGE = "![x](http://elsewhere.example/x.png)"


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_an_address_is_obeyed_as_markdown(name, filled, no_engine):
    names = ("model", "prior", "run", "runs", "data", "site", "path", "module")
    app = open_page(name, **dict.fromkeys(names, IMAGE), files=json.dumps([IMAGE]))
    assert "![" not in texts_of(app)


def test_no_text_of_a_job_is_obeyed_as_markdown(filled, no_engine):
    job = find_job(Store(filled.root), filled.run)
    for state in ("running", "failed"):
        job.update(state=state, message=IMAGE, error=IMAGE)
        for name in ("tune", "system"):
            app = open_page(name, model=filled.model.name, run=filled.run)
            shown = texts_of(app) + "".join(bar.proto.text for bar in app.get("progress"))
            assert "elsewhere" in shown
            assert "![" not in shown


def test_a_prior_that_the_form_cannot_make_is_told_as_plain_text(filled, no_engine, monkeypatch):
    from core.errors import BadRequest
    from pages.common import forms

    parse = forms.parse_prior

    def refuse(asked):
        if isinstance(asked, dict):
            raise BadRequest(IMAGE)
        return parse(asked)

    monkeypatch.setattr(forms, "parse_prior", refuse)
    app = open_page("priors", model=filled.model.name)
    assert "elsewhere" in app.error[0].value
    assert "![" not in texts_of(app)


@pytest.fixture
def laplace() -> Iterator[None]:
    """Define the worked example of the documentation, as its file in core/priors would."""
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adding-a-prior.md").read_text(), flags=re.DOTALL)
    module = types.ModuleType("core.priors.laplace")
    exec(compile(code[0], "laplace", "exec"), module.__dict__)
    yield
    forget_prior_kind("laplace")


def test_a_prior_of_ones_own_is_on_the_page_and_in_its_form(filled, no_engine, laplace):
    app = open_page("priors", model=filled.model.name)
    app.selectbox(key="priors.prior.kind").select("laplace").run()
    field = next(field for field in app.number_input if field.label == "Spread")
    field.set_value(0.5).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "laplace", "std": 0.5}
    assert _charts(app)[0]["data"][1]["name"] == "Laplace sample (200)"


def test_changing_a_parameter_changes_the_address(filled, no_engine):
    app = open_page("priors", model=filled.model.name, prior='{"kind":"exclusion","c":7}')
    field = next(field for field in app.number_input if field.label == "c")
    assert field.value == 7
    field.set_value(9.0).run()
    assert json.loads(app.query_params["prior"]) == {"kind": "exclusion", "c": 9.0}


def test_tuning_submits_what_the_form_says(filled, no_engine):
    app = open_page(
        "tune", model=filled.model.name, prior='{"kind":"isotropic","spread":0.1}', steps="33", module="numbers__gcd"
    )
    assert "Cost:" in texts_of(app)
    next(button for button in app.button if button.label == "Start tuning").click().run()
    kind, spec = no_engine[0]
    assert (kind, spec.steps, spec.prior.kind, spec.dataset.module) == ("tune", 33, "isotropic", "numbers__gcd")
    assert app.query_params["run"] == "tune-1"


def test_the_form_has_every_setting_of_a_run(store, no_engine):
    app = open_page("tune")
    shown = {widget.label for widget in (*app.number_input, *app.selectbox)}
    wanted = {field.title for field in describe(TuningSpec) if field.kind in ("integer", "number")}
    assert wanted - shown == set()


def test_a_finished_run_shows_losses_prompt_and_quality(filled, no_engine):
    app = open_page("tune", model=filled.model.name, run=filled.run)
    losses, prompt = _charts(app)
    assert {trace["name"].split(" (")[0] for trace in losses["data"]} >= {"training", "validation", "no prompt"}
    assert {"prior sample (4)", "posterior, step 4", "way travelled"} <= {trace["name"] for trace in prompt["data"]}
    assert {"Validation loss", "… no prompt", "… prior sample"} <= {metric.label for metric in app.metric}


def _second_run(filled: Content) -> str:
    store = Store(filled.root)
    first = find_job(store, filled.run)
    second = create_job(store, "tune", {**first.spec, "seed": 5}, "t-second")
    for name in ("prior", "posterior", "trajectory"):
        shutil.copy(first.path / f"{name}.safetensors", second.path)
    second.update(state="cancelled", done=4, total=4)
    return second.id


def test_another_run_than_the_addresss_can_be_chosen_and_stays(filled, no_engine):
    second = _second_run(filled)
    app = open_page("tune", model=filled.model.name, run=filled.run[:5])
    assert app.selectbox(key="tune.run").value == filled.run
    app.selectbox(key="tune.run").select(second).run()
    assert app.selectbox(key="tune.run").value == second
    assert app.query_params["run"] == second
    assert app.run().selectbox(key="tune.run").value == second
    next(button for button in app.button if button.label == "Start tuning").click().run()
    assert app.selectbox(key="tune.run").value == app.query_params["run"] == "tune-1"


def test_a_running_job_shows_progress_and_can_be_cancelled(filled, no_engine, monkeypatch):
    from core.engine import client

    cancelled = []
    monkeypatch.setattr(client, "cancel", lambda job, _: cancelled.append(job.id))
    store = Store(filled.root)
    job = find_job(store, filled.run)
    job.update(state="running", done=1, total=4, message="Step 1 of 4")
    app = open_page("tune", model=filled.model.name, run=filled.run)
    app.button(key=f"cancel.{job.id}").click().run()
    assert cancelled == [job.id]


def test_a_failed_run_shows_reason_log_and_resume(filled, no_engine, monkeypatch):
    from core.engine import client

    resumed = []
    monkeypatch.setattr(client, "resume", lambda job, _: resumed.append(job.id))
    job = find_job(Store(filled.root), filled.run)
    job.log("the very last words")
    job.update(state="failed", error="Loss is not finite at step 3; lower the learning rate.")
    app = open_page("tune", model=filled.model.name, run=filled.run)
    assert "lower the learning rate" in app.error[0].value
    assert "the very last words" in app.code[0].value
    app.button(key=f"resume.{job.id}").click().run()
    assert resumed == [job.id]


def test_compare_shows_clouds_arrows_quality_and_nulls(filled, no_engine):
    app = open_page("compare", model=filled.model.name, runs=f'["{filled.run}"]')
    names = [trace["name"] for trace in _charts(app)[0]["data"]]
    assert names[1:] == ["prior", "posterior", "way travelled"]
    quality, vectors, nulls = (pd.DataFrame(table.value) for table in app.dataframe)
    assert quality["prior"].tolist() == ["gaussian"]
    assert len(vectors) == 4
    assert vectors["angle"].between(0, 180).all()
    assert nulls["cloud"].str.startswith("null").sum() == 3
    assert [button.proto.label for button in app.get("download_button")] == [
        "Quality (CSV)",
        "Vectors (CSV)",
        "Coordinates (CSV)",
    ]


def test_compare_names_the_tokens_nearest_to_the_prompt_that_is_shown(filled, no_engine):
    from core.activations.clouds import find_vocabulary

    store = Store(filled.root)
    cloud = find_vocabulary(filled.model, store)
    assert cloud is not None
    rows = {0: [5, 6, 7, 8], 50: [15, 16, 17, 18], 100: [25, 26, 27, 28]}
    vectors = np.stack([cloud.points(0)[chosen] for chosen in rows.values()]).astype(np.float32)
    job = find_job(store, filled.run)
    save_file({"prompt": vectors, "step": np.array([0, 2, 4])}, job.path / "trajectory.safetensors")
    for name, prompt in (("prior", vectors[0]), ("posterior", vectors[2])):
        save_file({"prompt": np.ascontiguousarray(prompt)}, job.path / f"{name}.safetensors")
    for way, chosen in rows.items():
        app = open_page("compare", model=filled.model.name, runs=f'["{filled.run}"]', way=str(way))
        after = next(trace for trace in _charts(app)[0]["data"] if trace["name"] == "posterior")
        words = [f"nearest token <b>{token(word)}</b>" for word in cloud.rows["token"].iloc[chosen]]
        assert [text.split("<br>")[1] for text in after["hovertext"]] == words


def test_compare_refuses_runs_of_different_models(filled, no_engine, tmp_path):
    store = Store(filled.root)
    first = find_job(store, filled.run)
    spec = filled.tuning.model_copy(update={"model": filled.model.model_copy(update={"dtype": "float32"})})
    other = create_job(store, "tune", spec.model_dump(mode="json"), "t-other")
    (other.path / "prior.safetensors").write_bytes((first.path / "prior.safetensors").read_bytes())
    other.update(state="cancelled", done=0)
    app = open_page("compare", runs=json.dumps([first.id, other.id]))
    assert "different models" in app.warning[0].value


def test_system_lists_jobs_and_cache_and_deletes_a_job(filled, no_engine):
    app = open_page("system")
    assert {"cloud", "vocabulary", "map"} <= set(app.dataframe[0].value["kind"])
    app.button(key=f"system.delete.{filled.run}").click().run()
    assert not (filled.root / "runs" / filled.run).exists()


def test_the_demos_cost_is_of_the_chosen_model_and_what_is_here(filled, no_engine):
    costs = texts_of(open_page("overview", model=filled.model.name, texts="math"))
    assert "fetched first" not in costs
    assert "by the pace measured here" in costs
    costs = texts_of(open_page("overview", texts="news"))
    assert "The model is fetched first: 92.9 MB, kept as 542.0 MB. The texts are fetched: 10.5 MB." in costs
    assert "Its pace is not known here yet." in costs


def test_a_missing_vocabulary_says_what_it_costs(filled, no_engine, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(filled.root / "empty"))
    other = texts_of(open_page("priors", model=filled.model.name))
    assert "not here yet" in other
    assert "fetched first" not in other
    assert "Its pace is not known here yet." in other
    assert "113.2 MB at most" in texts_of(open_page("priors"))


def test_device_and_number_format_can_be_chosen_and_are_in_the_address(filled, no_engine):
    app = open_page("tune", model=filled.model.name, device="cpu")
    app.selectbox(key="tune.dtype").select("float32").run()
    assert (app.query_params["device"], app.query_params["dtype"]) == ("cpu", "float32")
    next(button for button in app.button if button.label == "Start tuning").click().run()
    assert (no_engine[0][1].model.device, no_engine[0][1].model.dtype) == ("cpu", "float32")
    app.switch_page("pages/activations.py").run()
    assert app.selectbox(key="activations.dtype").value == "float32"


def test_system_says_where_models_run(filled, no_engine, monkeypatch):
    known = json.loads((find_job(Store(filled.root), filled.run).path / "provenance.json").read_text())
    shown = texts_of(open_page("system")).replace("\\", "")
    assert f"Last run: {known['hardware']} ({known['device']}), {known['dtype']}." in shown
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(filled.root / "empty"))
    shown = texts_of(open_page("system"))
    assert "chosen by the worker" in shown
    assert "No run yet." in shown


def test_the_demo_goes_from_job_to_job(filled, no_engine):
    app = open_page("overview", model=filled.model.name, texts="math")
    next(button for button in app.button if button.label == "Run the demo").click().run()
    assert [kind for kind, _ in no_engine] == ["capture"]  # vocabulary and its map are there already
    assert app.query_params["demo"] == "true"


def test_unknown_models_are_told_in_one_line(store, no_engine):
    app = open_page("activations", model="no-such-model")
    shown = texts_of(app).replace("\\", "")
    assert "Unknown model 'no-such-model'" in shown
    assert "Did you mean" in shown or "Or give a hub id" in shown


def _broken(*_: object, **__: object) -> None:
    raise KeyError("a *strange* [thing](x)")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("tune", "pages.common.runs.read_losses"),
        ("compare", "pages.common.runs.quality_row"),
        ("activations", "pages.common.choices.describe_model"),
        ("system", "core.engine.client.engine_state"),
    ],
)
def test_an_unexpected_failure_is_one_line_and_the_log_has_the_rest(
    name, place, filled, no_engine, monkeypatch, caplog
):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.run()
    monkeypatch.setattr(place, _broken)
    app.query_params["model"] = filled.model.name
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        r"This page failed: KeyError\: 'a \*strange\* \[thing\]\(x\)'. The server's log has the details."
    ]
    told = next(record for record in caplog.records if record.name == "pages.common.layout")
    assert told.exc_info is not None
    assert told.exc_info[0] is KeyError


def test_a_failure_while_a_run_is_watched_is_one_line_too(filled, no_engine, monkeypatch):
    find_job(Store(filled.root), filled.run).update(state="running", done=1, total=4)
    app = open_page("tune", model=filled.model.name, run=filled.run)
    monkeypatch.setattr("pages.common.jobs.describe", _broken)
    app.run()
    assert not app.exception
    assert [error.value.split(":")[0] for error in app.error] == ["This page failed"]


PROBE = (
    "import sys, {modules}; print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
)
REACHED = (
    "core.engine.client, core.engine.projection, core.store.maintenance, core.sources.report, pages.common.clouds, "
    "pages.common.choices, pages.common.forms, pages.common.jobs, pages.common.runs, pages.common.demo, "
    "pages.common.pages, core.analysis.posterior, core.figures.clouds, core.priors"
)


def _loaded(modules: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", PROBE.format(modules=modules)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def test_what_pages_import_is_free_of_torch():
    assert _loaded(REACHED) == "[]"


def test_that_test_can_fail():
    assert "torch" in _loaded("torch")


def test_every_page_is_free_of_torch_when_it_has_run(content):
    script = (
        "import sys\n"
        "from tests.app.conftest import open_page\n"
        f"for name in {PAGES!r}:\n    open_page(name, model={content.model.name!r}, runs='[\"{content.run}\"]')\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'transformers')])"
    )
    import os

    environment = {**os.environ, "PRIORSCOPE_CACHE": str(content.root)}
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
