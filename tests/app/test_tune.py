"""The Tune page: soft and deep prompts, regularisers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from core.exchange.peft_import import import_peft
from core.jobs.costs import needed_captures, run_bytes, trunk_bytes
from core.jobs.measure import tuning_spec
from core.specs import TuningSpec
from core.store import JobFolder, Store, create_job, find_job
from core.store.prompts import read_prompts
from core.store.record_files import write_request
from pages.tune_parts.costs import tuning_cost
from tests.app.conftest import Content, charts_of, open_page, table_of, texts_of

DEEP = {"Prompted blocks", "Deep prompts", "Fit prior at", "Cache the frozen trunk"}


def press(app, label):
    return next(button for button in app.button if button.label == label).click().run()


def labels_of(app):
    return {widget.label for widget in (*app.text_input, *app.selectbox, *app.toggle, *app.number_input)}


def test_deep_settings_are_there_for_deep_prompts_only(filled, no_engine):
    assert not DEEP & labels_of(open_page("tune", model=filled.model.name))
    assert labels_of(open_page("tune", model=filled.model.name, method="deep")) >= DEEP


def test_a_deep_run_with_regularisers_is_what_is_submitted(filled, no_engine):
    app = open_page(
        "tune",
        model=filled.model.name,
        method="deep",
        prompt_sites="-1,1",
        deep_form="kept",
        spread_weight="0.5",
        n_prompt="4",
    )
    assert "At sites 1, 2: 2 × 4 vectors." in texts_of(app)
    press(app, "Start tuning")
    ((kind, spec),) = no_engine
    assert isinstance(spec, TuningSpec)
    assert (kind, spec.method, spec.prompt_sites, spec.deep_form) == ("tune", "deep", (-1, 1), "kept")
    assert (spec.spread_weight, spec.l2_weight) == (0.5, 0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [("0,7", "Block 7 cannot be prompted: the model has blocks 0 to 2"), ("first", "must be block numbers such as")],
)
def test_blocks_that_there_are_not_are_told_with_their_bound(filled, no_engine, asked, message):
    app = open_page("tune", model=filled.model.name, method="deep", prompt_sites=asked)
    assert message in app.error[0].value.replace("\\", "")
    assert "Start tuning" not in {button.label for button in app.button}


def deep_run(filled: Content, sites=(1, 2)) -> JobFolder:
    """Write the folder of a deep run by hand."""
    store, rng = Store(filled.root), np.random.default_rng(0)
    spec = filled.tuning.model_copy(update={"method": "deep", "prompt_sites": sites, "spread_weight": 0.5})
    job = create_job(store, "tune", spec.as_json(), "t-deep")
    prompts = rng.standard_normal((3, len(sites), 4, 32)).astype(np.float32)
    site = np.array(sites)
    save_file({"prompt": prompts, "step": np.array([0, 2, 4]), "site": site}, job.path / "trajectory.safetensors")
    for name, prompt in (("prior", prompts[0]), ("posterior", prompts[-1])):
        save_file({"prompt": np.ascontiguousarray(prompt), "site": site}, job.path / f"{name}.safetensors")
    result = find_job(store, filled.run).result() or {}
    effect = {"spread": {"weight": 0.5, "start": 0.25, "end": 0.125}}
    job.write_result({**result, "run": job.id, "regularisers": effect})
    job.update(state="succeeded", done=4, total=4)
    return job


def test_a_deep_run_whose_vectors_are_too_long_to_turn_says_so(filled, no_engine):
    job = deep_run(filled)
    told = "at a rate of 0.0001 turn them by 0.02"
    for rate, unit, slow in ((1e-4, "absolute", True), (1e-4, "relative", False), (0.1, "absolute", False)):
        spec = {**job.spec, "learning_rate": rate, "rate_unit": unit}
        write_request(job.path / "spec.json", "tune", spec, job.request.created)
        assert (told in texts_of(open_page("tune", model=filled.model.name, run=job.id))) is slow


def test_a_deep_run_offers_to_capture_what_its_map_needs(filled, no_engine):
    job = deep_run(filled)
    app = open_page("tune", model=filled.model.name, run=job.id)
    assert "These activations have not been captured yet" in texts_of(app)
    press(app, "Capture")
    assert [(kind, spec.sites) for kind, spec in no_engine] == [("capture", "all")]


def test_a_deep_run_is_shown_on_the_map_of_the_site_that_is_picked(filled, no_engine):
    from sklearn.metrics.pairwise import cosine_distances

    from core.activations.capture import capture
    from core.activations.clouds import find_cloud
    from core.figures.text import token
    from core.jobs.projection import fit_projection
    from core.progress import silent
    from pages.maps.clouds import fitted_spec
    from pages.tune_parts.prompt_map import prompt_map

    store, job = Store(filled.root), deep_run(filled)
    spec = tuning_spec(job)
    capture(spec.activations(1, 2), store)
    for site in (1, 2):
        wanted = fitted_spec(prompt_map(spec, (1, 2), site))
        fit_projection(wanted, create_job(store, "projection", wanted.as_json(), f"p-{site}0"), store, silent)
    app = open_page("tune", model=filled.model.name, run=job.id)
    assert [option for option in app.button_group if option.label == "Site of the map"]
    first = charts_of(app)[-1]["data"]
    assert "at site 1 of" in texts_of(app)
    app = open_page("tune", model=filled.model.name, run=job.id, site="2")
    assert "at site 2 of" in texts_of(app)
    second = charts_of(app)[-1]["data"]
    assert {"prior sample (4)", "posterior, step 4"} <= {trace["name"] for trace in second}
    assert first[1]["x"] != second[1]["x"]

    app = open_page("tune", model=filled.model.name, run=job.id, named='["0", "2"]')
    (posterior,) = [trace for trace in charts_of(app)[-1]["data"] if trace["name"] == "posterior, step 4"]
    cloud, prompts = find_cloud(spec.activations(1, 2), store), read_prompts(job)
    assert cloud
    assert prompts
    near = cosine_distances(prompts.posterior(1), cloud.points(1)).argmin(axis=1)
    named = [token(cloud.rows["token"].iloc[row]) for row in near]
    assert posterior["text"] == [named[0], "", named[2], ""]
    table = table_of(app, "regulariser")
    assert table.to_dict("records") == [
        {"regulariser": "Apart from each other", "weight": 0.5, "at the start": 0.25, "at the end": 0.125}
    ]


def test_a_run_of_which_no_numbers_are_known_is_shown(filled, no_engine, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_file({"prompt_embeddings": np.ones((5, 32), np.float32)}, adapter / "adapter_model.safetensors")
    config = {"peft_type": "PROMPT_TUNING", "prompt_tuning_init": "RANDOM", "num_virtual_tokens": 5}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    known = {"model": filled.model.as_json(), "dataset": filled.dataset.as_json()}
    (plain,) = import_peft(adapter, Store(filled.root), **known)["runs"]
    job = find_job(Store(filled.root), filled.run)
    (job.path / "result.json").unlink()
    told = {plain: "No loss or answer was recorded with this run", filled.run: "result.json is missing"}
    for run, words in told.items():
        for page in ("tune", "compare"):
            asked = {"run": run} if page == "tune" else {"runs": json.dumps([run])}
            shown = texts_of(open_page(page, model=filled.model.name, **asked))
            assert page == "compare" or words in shown.replace("\\", "")


def test_what_a_deep_run_costs(filled, no_engine):
    from core.sources.models import describe_model

    store, facts = Store(filled.root), describe_model(filled.model, Store(filled.root))
    soft = filled.tuning
    deep = soft.model_copy(update={"method": "deep", "prompt_sites": (1, 2)})
    assert run_bytes(deep, facts, (1, 2)) == 2 * (run_bytes(soft, facts) or 0)
    assert run_bytes(deep, replace(facts, d_model=None), (1, 2)) is None
    assert trunk_bytes(soft, facts, (0,), store) == 0
    assert trunk_bytes(deep, facts, (1, 2), store) > 0
    assert trunk_bytes(deep.model_copy(update={"cache_trunk": False}), facts, (1, 2), store) == 0
    assert trunk_bytes(deep, facts, (0, 2), store) == 0
    assert needed_captures(soft, (0,), store) == []
    assert needed_captures(deep, (1, 2), store) == [deep.activations(1, 2)]
    fewer = soft.dataset.model_copy(update={"samples": 20})  # of which nothing was captured
    attracted = soft.model_copy(update={"attraction_weight": 1.0, "dataset": fewer})
    assert needed_captures(attracted, (0,), store) == [attracted.activations(0)]
    words = tuning_cost([deep], store)
    assert "of it for the frozen trunk" in words
    assert "No run like this one has finished here yet" in words
    assert "Activations are captured first" in words
    assert "at the pace of earlier runs of this kind" in tuning_cost([soft], store)


def ended(filled: Content, ending: str, done: int, **spec: object) -> str:
    """Rewrite the one run that there is, and return how the page says it ended."""
    job = find_job(Store(filled.root), filled.run)
    write_request(job.path / "spec.json", "tune", {**job.spec, **spec}, job.request.created)
    result = {**(job.result() or {}), "ending": ending, "steps": done}
    job.write_result(result)
    app = open_page("tune", model=filled.model.name, run=job.id)
    assert [option for option in next(box for box in app.selectbox if box.label == "Run").options if ending in option]
    return texts_of(app)


def test_a_run_says_how_it_ended_and_how_its_rate_began(filled, no_engine):
    told = ended(filled, "converged", 4, patience=2, steps=40, warmup_steps=3)
    assert (
        "Converged: ended on a plateau after 4 of at most 40 steps. The learning rate rises over the first 3 " in told
    )
    told = ended(filled, "longest length", 40, warmup_steps=0, clip_norm=2.0)
    assert "Stopped at its longest length, 40 steps, while still improving. The learning rate is constant; " in told
    assert "gradients are clipped at 2." in told


def test_a_run_from_before_it_was_recorded_had_a_fixed_length(filled, no_engine):
    job = find_job(Store(filled.root), filled.run)
    result = job.result() or {}
    job.write_result({key: value for key, value in result.items() if key != "ending"})
    assert "Fixed length: 4 steps." in texts_of(open_page("tune", model=filled.model.name, run=job.id))


def test_the_smallest_improvement_is_asked_for_where_there_is_patience(filled, no_engine):
    labels = [box.label for box in open_page("tune", model=filled.model.name).number_input]
    assert "Patience" in labels
    assert "Smallest improvement" not in labels
    app = open_page("tune", model=filled.model.name, patience="3", evaluate_every="20", improvement="0.02")
    assert "Smallest improvement" in [box.label for box in app.number_input]
    assert "when 60 steps have not lowered the best validation loss by 0.02, and after 200 steps" in texts_of(app)
