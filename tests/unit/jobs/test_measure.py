import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from core.activations.clouds import find_vocabulary
from core.analysis.definitions import DEFINITIONS
from core.analysis.displacement import displacement
from core.analysis.quantities import each_quantity
from core.errors import BadRequest
from core.jobs.comparison import comparison, prior_names, require_one_model
from core.jobs.measure import MAX_FRAMES, MEASURE, TABLES, find_measures, frames, measure, measure_spec
from core.progress import silent
from core.specs import DatasetSpec, ModelSpec
from core.store import create_job
from core.store.prompts import read_prompts
from tests.jobs import measured
from tests.unit.jobs.measured import D_MODEL, tuned, tuning, written


@pytest.fixture
def soft(store, tiny_folder, tmp_path):
    return tuning(tiny_folder, tmp_path / "sums.jsonl")


def way(n: int, *shape: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(2, *shape))
    return drawn[0] + np.linspace(0, 1, n).reshape(-1, *[1] * len(shape)) * drawn[1]


def test_a_run_is_measured_whole(store, soft):
    run = tuned(soft, store, "t-1")
    found = measured(run, store, worth=True, n_worth=3)
    summary, prompts = found.summary, read_prompts(run)
    assert prompts is not None
    (at,) = summary["sites"]
    moved = displacement(prompts.prior(0), prompts.posterior(0))
    distance = at["displacement"]["distance"]
    assert distance["value"] == pytest.approx(moved.distance.mean())
    assert distance["low"] <= distance["value"] <= distance["high"]
    assert set(at["place"]) == {"vocabulary rows", "sums.jsonl"}
    assert set(at["collapse"]["cosine"]["nulls"]) == {"random directions", "matched Gaussian", "vocabulary rows"}
    assert at["shape"]["trace"]["prior"] == pytest.approx(np.cov(prompts.prior(0).T).trace(), rel=1e-4)
    result = run.result()
    assert result is not None
    loss = summary["quality"]["loss"]
    assert loss["value"] == result["validation"]["loss"]
    assert loss["prior"] == result["baseline"]["prior_sample"]["loss"]
    assert loss["nulls"]["no prompt"]["value"] == result["baseline"]["no_prompt"]["loss"]
    assert summary["evaluations"]["step"] == [0, 2, 4]

    tables = {name: found.table(name) for name in TABLES}
    assert tables["vectors"]["site"].tolist() == [0] * 4
    assert tables["vectors"]["angle"].to_numpy() == pytest.approx(moved.angle)
    assert len(tables["trajectory"]) == 5 * 4
    assert tables["trajectory"].query("step == 4")["token"].tolist() == tables["vectors"]["nearest token"].tolist()
    worth = tables["worth"]
    dropped = worth.query("change == 'drop'")
    assert at["worth"]["drop"]["value"] == pytest.approx(dropped["delta_loss"].mean())
    assert worth.query("change == 'unchanged'")["delta_loss"].tolist() == [0]
    assert summary["worth"]["none"]["value"] == pytest.approx(worth.query("change == 'none'")["delta_loss"].item())
    assert summary["n_worth"] == 3
    assert {name.split(".")[0] for name in found.null_points} == {"0"}


def test_the_summary_is_plain_json_without_infinities(store, soft):
    run = written(soft, store, "t-1", way(3, 1, D_MODEL))
    text = json.dumps(measured(run, store).summary, allow_nan=False)
    (at,) = json.loads(text)["sites"]
    assert "energy" not in at["displacement"], "one vector is no sample"
    assert at["shape"]["trace"]["value"] is None


def test_a_deep_run_is_measured_at_each_site(store, soft):
    deep = soft.model_copy(update={"method": "deep", "prompt_sites": (0, 2)})
    run = written(deep, store, "t-deep", way(3, 2, 4, D_MODEL), (0, 2))
    found = measured(run, store)
    first, second = found.summary["sites"]
    assert (first["site"], second["site"]) == (0, 2)
    assert set(first["place"]) == {"vocabulary rows", "sums.jsonl"}
    assert set(second["place"]) == {"sums.jsonl"}
    assert "tokens of sums.jsonl" in second["collapse"]["cosine"]["nulls"]
    assert found.table("vectors")["site"].tolist() == [0] * 4 + [2] * 4
    assert found.table("worth").empty
    for at in (first, second):
        behind = at["behind_norm"]
        assert behind["norm"] == "input norm of the block"
        for group in ("collapse", "place"):
            assert behind[group].keys() == at[group].keys()
        assert behind["place"]["sums.jsonl"].keys() == at["place"]["sums.jsonl"].keys()
        assert "prior" in behind["place"]["sums.jsonl"]["supported"]
    assert set(found.summary["attention"]) == {"0", "2"}, "a cut prompt is seen in its own blocks alone"
    attention = found.table("attention")
    assert attention["block"].tolist() == [0] * 4 + [2] * 4
    masses = attention.loc[attention["block"] == 2, "posterior"].to_numpy(np.float64)
    assert masses.sum() == pytest.approx(found.summary["attention"]["2"]["value"])


def test_a_soft_prompt_is_seen_in_every_block_and_has_a_length(store, soft):
    found = measured(written(soft, store, "t-1", way(3, 4, D_MODEL)), store)
    assert "behind_norm" not in found.summary["sites"][0]
    shares = found.summary["attention"]
    assert list(shares) == [str(block) for block in range(len(shares))]
    assert all(0 < share["value"] < 1 and 0 < share["prior"] < 1 for share in shares.values())


def test_vectors_on_tokens_are_found_there(store, soft):
    measured(written(soft, store, "t-0", way(2, 4, D_MODEL)), store)
    cloud = find_vocabulary(soft.model, store)
    assert cloud is not None
    prompts = np.stack([cloud.points(0)[[5, 6, 7, 8]], cloud.points(0)[[25, 26, 27, 28]]])
    found = measured(written(soft, store, "t-1", prompts), store)
    assert found.table("vectors")["nearest token"].tolist() == cloud.rows["token"].iloc[[25, 26, 27, 28]].tolist()
    cosine = found.summary["sites"][0]["collapse"]["cosine"]
    assert cosine["value"] == pytest.approx(0, abs=1e-5)
    assert cosine["nulls"]["random directions"]["value"] > 0.1


def test_further_data_sets_are_clouds_too(store, soft, tmp_path):
    (tmp_path / "own.txt").write_text("\n\n".join(f"Passage {i} is short." for i in range(12)))
    other = DatasetSpec(name="file", path=str(tmp_path / "own.txt"), samples=12)
    found = measured(written(soft, store, "t-1", way(2, 4, D_MODEL)), store, datasets=(other,))
    assert set(found.summary["sites"][0]["place"]) == {"vocabulary rows", "sums.jsonl", "own.txt"}


def test_a_resumed_run_is_measured_anew_and_not_by_an_old_request(store, soft):
    run = written(soft, store, "t-1", way(3, 4, D_MODEL))
    before = measure_spec(run)
    measured(run, store)
    save_file({"prompt": np.ones((4, D_MODEL), np.float32)}, run.path / "posterior.safetensors")
    after = measure_spec(run)
    assert after.posterior != before.posterior
    assert find_measures(after, store) is None
    assert find_measures(before, store) is not None
    job = create_job(store, "measure", before.as_json(), "e-old")
    with pytest.raises(BadRequest, match=r"The posterior of run t-1 is no longer [0-9a-f]{16}; ask for it again"):
        measure(before, job, store, silent)


def test_measures_of_another_version_do_not_count(store, soft, monkeypatch):
    run = written(soft, store, "t-1", way(2, 4, D_MODEL))
    measured(run, store)
    monkeypatch.setattr("core.jobs.measure.MEASURE", replace(MEASURE, version="next"))
    assert find_measures(measure_spec(run), store) is None


def test_measures_with_worth_serve_a_request_without(store, soft):
    run = written(soft, store, "t-1", way(2, 4, D_MODEL))
    measured(run, store, worth=True, n_worth=32)
    assert find_measures(measure_spec(run), store) is not None


def test_what_cannot_be_measured_is_refused(store, soft):
    run = written(soft, store, "t-1", way(2, 4, D_MODEL))
    run.update(state="running")
    run.update(process=0)
    (run.path / "posterior.safetensors").unlink()
    run.update(state="failed")
    with pytest.raises(BadRequest, match="Run t-1 is failed and has no posterior to read; wait for its end"):
        measure_spec(run)
    other = create_job(store, "vocabulary", ModelSpec().as_json(), "v-1")
    with pytest.raises(BadRequest, match="v-1 is a vocabulary job and has no posterior; name a tuning run"):
        measure_spec(other)


def test_frames_are_spread_from_the_first_to_the_last():
    assert frames(3).tolist() == [0, 1, 2]
    assert frames(1).tolist() == [0]
    many = frames(1000)
    assert (many[0], many[-1], len(many)) == (0, 999, MAX_FRAMES)


def test_every_quantity_of_the_document_is_defined(store, soft):
    deep = soft.model_copy(update={"method": "deep", "prompt_sites": (0, 2)})
    found = [
        measured(tuned(soft, store, "t-soft"), store, worth=True, n_worth=2),
        measured(written(deep, store, "t-deep", way(3, 2, 4, D_MODEL), (0, 2)), store),
    ]
    document = comparison(found, store)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    used = {f"{named.group}.{named.name}" for run in document["runs"] for named in each_quantity(run)}
    used.add("prior_retained.accuracy")
    assert used == set(DEFINITIONS) == set(document["definitions"])
    assert all(text.endswith(".") and "\n" not in text for text in document["definitions"].values())
    for run in document["runs"]:
        for named in each_quantity(run):
            numbers: list[Any] = [named.quantity, *named.quantity.get("nulls", {}).values()]
            assert all(n["low"] <= n["value"] <= n["high"] for n in numbers if {"low", "high", "value"} <= set(n))


def test_steps_are_counted_to_the_worst_of_the_best_on_the_same_data(store, soft):
    slow = soft.model_copy(update={"seed": 1})
    apart = soft.model_copy(update={"n_validation": 5})
    runs = [written(spec, store, f"t-{i}", way(5, 4, D_MODEL)) for i, spec in enumerate((soft, slow, apart))]
    runs[1].append(event="evaluation", step=4, validation={"loss": 2.4, "accuracy": 0.5})
    document = comparison([measured(run, store) for run in runs], store)
    assert document["targets"] == {"t-0": 2.25, "t-1": 2.25, "t-2": 2.0}
    steps = [run["speed"]["steps_to_target"] for run in document["runs"]]
    assert steps == [{"value": 3, "low": 2}, {"value": 3, "low": 2}, {"value": 4, "low": 3}]
    given = comparison([measured(runs[0], store)], store, target=1.0)
    assert given["runs"][0]["speed"]["steps_to_target"] == {"value": None, "low": 4}


def test_the_prior_is_told_from_several_runs_or_undecided(store, soft):
    wide = soft.model_copy(update={"prior": soft.prior.model_copy(update={"std": 0.5})})
    found = []
    for i, (spec, scale) in enumerate([(soft, 1), (wide, 30)] * 3):
        seeded = spec.model_copy(update={"seed": i})
        found.append(measured(written(seeded, store, f"t-{i}", way(2, 24, D_MODEL, seed=i) * scale), store))
    (retained,) = comparison(found, store)["prior_retained"]
    assert retained["verdict"] == "decided", retained
    assert retained["accuracy"]["value"] == 1
    assert retained["n_runs"] == {"isotropic (std 0.02)": 3, "isotropic (std 0.5)": 3}
    (single,) = comparison(found[:2], store)["prior_retained"]
    assert single["verdict"] == "undecided"
    assert single["accuracy"] == {"value": None}
    assert "tune the same priors with further seeds" in single["reason"]


def test_priors_of_one_kind_are_named_by_what_differs(soft):
    fitted = [soft.model_copy(update={"reference": where}) for where in ("vocabulary", "activations")]
    assert prior_names([soft, soft]) == ["isotropic", "isotropic"]
    assert prior_names(fitted) == ["isotropic (on vocabulary)", "isotropic (on activations)"]


def test_runs_of_different_models_are_refused(store, soft):
    other = soft.model_copy(update={"model": soft.model.model_copy(update={"dtype": "bfloat16"})})
    runs = [written(spec, store, f"t-{i}", way(2, 4, D_MODEL)) for i, spec in enumerate((soft, other))]
    require_one_model(runs[:1])
    with pytest.raises(
        BadRequest, match=r"different models \(.*\(cpu, bfloat16\).* share no space; choose runs of one"
    ):
        require_one_model(runs)


def test_the_same_seed_gives_the_same_numbers(store, soft):
    run = written(soft, store, "t-1", way(2, 4, D_MODEL))
    spec = measure_spec(run)
    results = []
    for name in ("e-1", "e-2"):
        job = create_job(store, "measure", spec.as_json(), name)
        results.append((measure(spec, job, store, silent), pd.read_parquet(job.path / "vectors.parquet")))
    assert results[0][0] == results[1][0]
    assert results[0][1].equals(results[1][1])
    assert not math.isnan(results[0][0]["sites"][0]["displacement"]["angle"]["value"])


def test_a_posterior_that_is_there_twice_is_one_run(store, soft):
    runs = [
        written(soft.model_copy(update={"seed": seed}), store, f"t-{name}", way(2, 4, D_MODEL, seed=seed))
        for name, seed in (("a", 1), ("copy-of-a", 1), ("b", 2))
    ]
    (retained,) = comparison([measured(run, store) for run in runs], store)["prior_retained"]
    assert retained["n_runs"] == {"isotropic": 2}
