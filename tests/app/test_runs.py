"""The Tune page."""

import json
import shutil

from core.engine import client
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
    assert app.query_params["run"] == client.job_id(kind, spec)


def test_the_form_has_every_setting_of_a_run(store, no_engine):
    app = open_page("tune", patience="3")
    shown = {widget.label for widget in (*app.number_input, *app.selectbox)}
    wanted = {field.title for field in describe(TuningSpec) if field.kind in ("integer", "number")}
    assert wanted - shown == set()


def test_a_finished_run_shows_losses_prompt_and_quality(filled, no_engine):
    app = open_page("tune", model=filled.model.name, run=filled.run)
    losses, prompt = charts_of(app)
    assert {trace["name"].split(" (")[0] for trace in losses["data"]} >= {"training", "validation", "no prompt"}
    assert {"prior sample (4)", "posterior, step 4", "displacement"} <= {trace["name"] for trace in prompt["data"]}
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
    assert app.selectbox(key="tune.run").value == app.query_params["run"] == client.job_id(*no_engine[0])


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
