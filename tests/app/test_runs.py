"""The Tune and Compare pages."""

import json
import shutil

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from core.figures.text import token
from core.specs import TuningSpec
from core.specs.describe import describe
from core.store import Store, create_job, find_job
from tests.app.conftest import Content, charts_of, open_page, texts_of


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
    losses, prompt = charts_of(app)
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
    names = [trace["name"] for trace in charts_of(app)[0]["data"]]
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
        after = next(trace for trace in charts_of(app)[0]["data"] if trace["name"] == "posterior")
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
