"""The sweep side of the Tune page: axes, ready-made sweeps, the grid of states, what came of the runs."""

import shlex
import shutil

import pytest

from core.engine import client
from core.jobs.sweep import find_sweep, keep_sweep, kept_sweeps, standings
from core.specs import SweepSpec
from core.specs.sweep import parse_sweep
from core.store import Store, find_job
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of

FIELDS = (
    "n_prompt",
    "steps",
    "batch_size",
    "evaluate_every",
    "snapshot_every",
    "n_validation",
    "n_generation",
    "max_length",
)


def sweep_page(filled: Content, **params):
    """Open the page with the settings of the run that the store holds."""
    spec = filled.tuning
    same = {name: str(getattr(spec, name)) for name in FIELDS}
    data = {"data": "file", "path": spec.dataset.path or "", "samples": str(spec.dataset.samples)}
    return open_page(
        "tune", mode="sweep", model=filled.model.name, prior='{"kind":"gaussian"}', **same, **data, **params
    )


def written(filled: Content, sweep: SweepSpec, losses: list[float | None]) -> str:
    """Write the runs of a sweep by hand, as copies of the one that there is, and keep the sweep."""
    store = Store(filled.root)
    done = find_job(store, filled.run)
    for one, loss in zip(standings(sweep, store), losses, strict=True):
        job = client.prepare("tune", one.cell.spec, store)
        if loss is None:
            job.update(state="failed", error="it *broke*")
            continue
        for name in ("prior", "posterior", "trajectory"):
            shutil.copy(done.path / f"{name}.safetensors", job.path)
        result = done.result() or {}
        job.write_result({**result, "validation": {**result["validation"], "loss": loss}})
        job.append(event="evaluation", step=4, validation={"loss": loss})
        job.update(state="succeeded", done=4, total=4, finished=1.0)
    return keep_sweep(sweep, store)


def press(app, label):
    return next(button for button in app.button if button.label == label).click().run()


def search(filled: Content, **axes) -> SweepSpec:
    return SweepSpec.parse({"base": filled.tuning.as_json(), **axes})


def test_without_an_axis_there_is_nothing_to_start(filled, no_engine):
    app = sweep_page(filled)
    assert "No sweep yet" in texts_of(app)
    assert not [button for button in app.button if button.label.startswith("Start ")]


def test_axes_are_in_the_address_and_become_runs(filled, no_engine):
    app = sweep_page(
        filled,
        sweep_priors='["isotropic","gaussian"]',
        sweep_rates="1e-3, 5e-3",
        sweep_seeds="0, 1",
        sweep_regularisers="none; spread_weight=0.1",
        sweep_methods='["soft","kept"]',
        vary="n_prompt",
        values="4",
    )
    assert "32 runs, 32 of them to do." in texts_of(app)
    press(app, "Start 32 runs")
    assert {kind for kind, _ in no_engine} == {"tune"}
    specs = [spec for _, spec in no_engine]
    assert {(s.prior.kind, s.learning_rate, s.seed, s.spread_weight, s.method) for s in specs} == {
        (p, r, k, w, m)
        for p in ("isotropic", "gaussian")
        for r in (1e-3, 5e-3)
        for k in (0, 1)
        for w in (0, 0.1)
        for m in ("soft", "deep")
    }
    assert {s.deep_form for s in specs if s.method == "deep"} == {"kept"}
    assert {s.n_prompt for s in specs} == {4}
    (sweep_id,) = kept_sweeps(Store(filled.root))
    assert app.query_params["sweep"] == [sweep_id] or app.query_params["sweep"] == sweep_id


@pytest.mark.parametrize(
    ("axis", "value", "message"),
    [
        ("sweep_rates", "fast", "learning_rates.0: Input should be a valid number"),
        ("sweep_rates", "-1", "learning_rate: Input should be greater than 0"),
        ("sweep_regularisers", "spread_weight", "'spread_weight' has no weight; write for example spread_weight=0.1"),
        ("sweep_datasets", "news:x", "'news:x' has something after a colon"),
        ("sweep_compare_seeds", "0", "Seed 0 is among the seeds that choose the learning rate"),
    ],
)
def test_axes_that_make_no_runs_are_told(filled, no_engine, axis, value, message):
    app = sweep_page(filled, **{axis: value})
    assert message in app.error[0].value.replace("\\", "")


def test_a_ready_made_sweep_fills_the_axes(filled, no_engine):
    app = sweep_page(filled)
    press(app, "Best rates compared")
    assert "24 runs, 24 of them to do." in texts_of(app)
    assert app.text_input(key="tune.sweep_compare_seeds").value == "10, 11, 12"
    assert app.text_input(key="tune.sweep_rates").value == "5e-4, 1e-3, 5e-3"
    press(app, "One setting")
    assert "4 runs, 4 of them to do." in texts_of(app)
    assert app.query_params["values"] in ("0, 0.01, 0.1, 1", ["0, 0.01, 0.1, 1"])


def test_ready_made_rates_are_those_of_the_unit(filled, no_engine):
    app = sweep_page(filled, rate_unit="relative")
    press(app, "Rate search")
    assert app.text_input(key="tune.sweep_rates").value == "1e-2, 3e-2, 1e-1"


def test_a_search_shows_states_rates_and_the_comparison(filled, no_engine):
    asked = search(filled, priors=["isotropic", "gaussian"], learning_rates=[1e-3, 5e-3], seeds=[0, 1])
    sweep_id = written(filled, asked, [3.0, 3.2, 2.0, 2.2, 2.5, 2.7, 2.6, None])
    app = sweep_page(filled, sweep=sweep_id)
    grid, rates, compared = (chart["data"] for chart in charts_of(app)[:3])
    assert grid[0]["text"][0] == ["3.000", "3.200", "2.000", "2.200"]
    assert grid[0]["text"][1][-1] == "failed"
    assert {trace["name"] for trace in rates if trace.get("name")} == {"isotropic", "gaussian"}
    assert [trace["name"] for trace in compared if trace["name"] != "single run"] == [
        "isotropic (rate 0.005)",
        "gaussian (rate 0.001)",
    ]
    told = texts_of(app)
    assert "For each seed the rate was chosen on all other seeds" in told
    assert "it \\*broke\\*" in told
    assert "a better one may lie beyond" in told
    frame = table_of(app, "minus that of")
    assert frame["seeds"].tolist() == [2]


def test_a_failed_run_is_retried_and_the_rest_cancelled(filled, no_engine, monkeypatch):
    cancelled = []
    monkeypatch.setattr(client, "cancel", lambda job, _: cancelled.append(job.id))
    asked = search(filled, priors=["isotropic"], seeds=[0, 1, 2])
    sweep_id = written(filled, asked, [2.0, None, 2.0])
    store = Store(filled.root)
    living = [one for one in standings(asked, store) if one.job]
    assert living[2].job is not None
    living[2].job.update(state="queued")
    app = sweep_page(filled, sweep=sweep_id)
    press(app, "Cancel all")
    assert cancelled == [living[2].job.id]
    press(app, "Retry 1 run")
    assert [spec.seed for _, spec in no_engine] == [1, 2], "the waiting one is asked for too, the done one is not"


def test_one_setting_varied_is_drawn_as_quality_against_displacement(filled, no_engine):
    asked = search(filled, vary={"spread_weight": [0.1, 1, 2]})
    sweep_id = written(filled, asked, [2.0, 2.1, 2.2])
    app = sweep_page(filled, sweep=sweep_id)
    points = next(chart["data"][0] for chart in charts_of(app) if chart["data"][0].get("name") == "spread weight")
    assert points["text"] == ["0.1", "1", "2"]
    assert "Each point is a run: its validation loss against the median angle" in texts_of(app)


def test_the_comparison_is_offered_when_the_search_has_ended(filled, no_engine):
    asked = search(filled, priors=["isotropic"], learning_rates=[1e-3, 5e-3], seeds=[0], compare_seeds=[7, 8])
    sweep_id = written(filled, asked, [3.0, 2.0])
    app = sweep_page(filled, sweep=sweep_id)
    press(app, "Start the rest: 2 runs")
    assert [(spec.seed, spec.learning_rate) for _, spec in no_engine] == [(7, 5e-3), (8, 5e-3)]


def test_a_sweep_that_is_not_here_is_told(filled, no_engine):
    keep_sweep(search(filled, seeds=[0, 1]), Store(filled.root))
    app = sweep_page(filled, sweep="s-gone")
    assert "sweep 's-gone', which cannot be chosen here" in texts_of(app).replace("\\", "")


def test_a_kept_sweep_is_listed_by_its_name_or_axes(filled, no_engine):
    store = Store(filled.root)
    first = keep_sweep(search(filled, seeds=[0, 1], priors=["isotropic", "xavier"]), store)
    second = keep_sweep(search(filled, seeds=[0, 1], name="mine"), store)
    app = sweep_page(filled)
    (chosen,) = [box for box in app.selectbox if box.label == "Sweep"]
    assert set(chosen.options) == {f"2 priors, 2 seeds · {first}", f"mine · {second}"}
    app = sweep_page(filled, sweep=second)
    app.button(key="cite").click().run()
    cited = next(code.value for code in app.code if "python -m core" in code.value)
    (words,) = [shlex.split(line) for line in cited.splitlines()]
    assert words[3] == "sweep"
    assert parse_sweep(words[4]) == find_sweep(second, store)
