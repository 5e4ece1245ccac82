import numpy as np
import pytest

from core.activations.capture import capture
from core.engine.lookup import job_id
from core.engine.runner import run_job
from core.engine.tasks import find_task
from core.errors import BadRequest, UnknownName
from core.jobs.trajectory import find_trajectories, trajectory_spec
from core.lm.generation import generate, stop_tokens
from core.lm.load import load_model
from core.lm.prompted import build_prompted
from core.specs import FINAL, CloudSpec, DatasetSpec, ModelSpec, TokenFilter, TrajectorySpec
from core.store import create_job
from core.store.prompts import read_prompts
from core.tuning.examples import tokens_of
from core.tuning.setup import place_prompt
from tests.jobs import done
from tests.unit.jobs.measured import D_MODEL, tuned, tuning, written

TEXTS = ("The cat sat.", "One day a dog <b>ran</b>.")


def followed(store, **asked):
    """Follow texts by the same runner that a worker uses."""
    spec = trajectory_spec(store, **asked)
    done("trajectory", spec, store)
    found = find_trajectories(spec, store)
    assert found is not None
    return found


@pytest.fixture
def model(tiny_folder):
    return {"name": str(tiny_folder), "device": "cpu", "dtype": "float32"}


@pytest.fixture
def soft(tiny_folder, tmp_path):
    return tuning(tiny_folder, tmp_path / "sums.jsonl")


def test_texts_are_read_as_a_capture_reads_them(store, model, tmp_path):
    found = followed(store, model=model, texts=TEXTS)
    (tmp_path / "own.txt").write_text("\n\n".join(TEXTS))
    keep = TokenFilter(special=True, first_position=True)
    dataset = DatasetSpec(name="file", path=str(tmp_path / "own.txt"), samples=2)
    cloud, _ = capture(CloudSpec(model=ModelSpec.parse(model), dataset=dataset, tokens=keep), store)
    whole = cloud.rows.groupby("document")["token"].agg("".join)  # the data set's own order is a random one
    rows = [row for text in TEXTS for row in np.flatnonzero(cloud.rows["document"] == whole.tolist().index(text))]
    assert found.summary["sites"] == [0, 1, 2, FINAL]
    for site in found.summary["sites"]:
        assert np.allclose(found.streams(site), cloud.points(site)[rows], rtol=2e-3, atol=2e-3)  # kept as float16
        assert found.streams(site).dtype == np.float32
    assert "".join(found.tokens.query("text == 1")["token"]) == TEXTS[1]
    assert found.tokens.query("first")["order"].tolist() == [0, 0]
    assert np.isnan(found.tokens["probability"]).all()
    assert found.prompt(0) is None


def test_answers_are_those_of_generation_with_their_probabilities(store, model):
    found = followed(store, model=model, texts=TEXTS, mode="generate", max_new_tokens=5)
    frozen = load_model(ModelSpec.parse(model), store)
    prompted = build_prompted(frozen)
    import torch

    ids = [tokens_of(frozen.tokenizer, text) for text in TEXTS]
    expected = generate(prompted, torch.zeros(1, 0, D_MODEL), ids, 5, stop_tokens(prompted))
    for number, told in enumerate(found.summary["texts"]):
        rows = found.tokens.query("text == @number")
        answer = rows.query("part == 'answer'")
        assert answer["token_id"].tolist() == expected[number]
        assert ((answer["probability"] > 0) & (answer["probability"] <= 1)).to_numpy().all()
        assert np.isnan(rows.query("part == 'text'")["probability"]).all()
        assert told["answer"] == "".join(answer["token"])
        best = found.alternatives.query("text == @number and rank == 1")
        assert best["token_id"].tolist() == expected[number]
        assert best["order"].tolist() == answer["order"].tolist()
        assert best["probability"].to_numpy() == pytest.approx(answer["probability"].to_numpy())
    assert set(found.alternatives.groupby(["text", "order"]).size()) == {5}


def test_a_runs_prompt_stands_before_the_texts(store, model, soft):
    run = tuned(soft, store, "t-soft")
    found = followed(store, model=model, texts=TEXTS[:1], mode="generate", max_new_tokens=4, run="t-soft")
    plain = followed(store, model=model, texts=TEXTS[:1], mode="generate", max_new_tokens=4)
    prompts = read_prompts(run)
    assert prompts is not None
    vectors = found.prompt(0)
    assert vectors is not None
    assert vectors == pytest.approx(prompts.posterior(0))
    assert found.summary["n_prompt"] == 4
    assert found.prompt(FINAL) is not None
    n = found.summary["texts"][0]["n_text"]
    assert np.array_equal(found.streams(0)[:n], plain.streams(0)[:n])
    assert not np.allclose(found.streams(2)[:n], plain.streams(2)[:n])


@pytest.mark.parametrize("form", ["cut", "kept"])
def test_a_deep_prompt_is_read_through_its_own_forward(store, model, soft, form):
    import torch

    spec = soft.model_copy(update={"method": "deep", "prompt_sites": (0, 2), "deep_form": form})
    way = np.random.default_rng(0).normal(size=(2, 2, 4, D_MODEL))
    run = written(spec, store, f"t-{form}", way, (0, 2))
    found = followed(store, model=model, texts=TEXTS, mode="generate", max_new_tokens=4, run=run.id)
    frozen = load_model(ModelSpec.parse(model), store)
    prompted = place_prompt(spec, frozen, (0, 2))
    ids = [tokens_of(frozen.tokenizer, text) for text in TEXTS]
    expected = generate(prompted, torch.from_numpy(way[-1].astype(np.float32)), ids, 4, stop_tokens(prompted))
    answers = found.tokens.query("part == 'answer'").groupby("text")["token_id"].apply(list)
    assert [answers.get(number, []) for number in range(2)] == expected
    assert found.summary["prompt_sites"] == ([0, 2] if form == "cut" else [0, 1, 2, FINAL])
    assert found.prompt(2) == pytest.approx(way[-1][1].astype(np.float32))


def test_texts_are_drawn_by_seed_and_questions_from_the_held_out_part(store, model, soft):
    from core.sources.datasets import load_dataset

    asked = {"model": model, "dataset": soft.dataset, "mode": "generate", "n_texts": 4, "max_new_tokens": 1}
    first, again, other = (followed(store, **asked, seed=seed) for seed in (0, 0, 1))
    drawn = [[text["text"] for text in found.summary["texts"]] for found in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    held_out = {record.prompt: record.answers for record in load_dataset(soft.dataset, store).split()[1]}
    assert all(list(held_out[text["text"]]) == text["answers"] for text in first.summary["texts"])
    read = followed(store, **{**asked, "mode": "read"})
    assert all(" " in text["text"] and text["answers"] == [] for text in read.summary["texts"])


def test_long_texts_are_cut_and_long_questions_refused(store, model):
    found = followed(store, model=model, texts=TEXTS, max_length=6, sites=(0,))
    assert [text["n_text"] for text in found.summary["texts"]] == [6, 6]
    assert all(text["truncated"] for text in found.summary["texts"])
    spec = trajectory_spec(store, model=model, texts=TEXTS, max_length=6, mode="generate")
    status = run_job(create_job(store, "trajectory", spec.as_json(), job_id("trajectory", spec)))
    assert status.error == (
        "Question 1 has more than the 6 tokens that can be read before an answer; shorten it, raise max_length, or "
        "lower max_new_tokens."
    )
    assert status.exit_code == 2
    spec = trajectory_spec(store, model=model, texts=TEXTS, max_new_tokens=2000, mode="generate")
    status = run_job(create_job(store, "trajectory", spec.as_json(), job_id("trajectory", spec)))
    assert "2000 tokens leave no room in the model's 1024 positions; lower max_new_tokens by" in status.error


def test_sites_that_were_not_read_are_told(store, model):
    found = followed(store, model=model, texts=TEXTS, sites=(1,))
    assert found.streams(1).shape == (len(found.tokens), D_MODEL)
    with pytest.raises(BadRequest, match="not read at site 'final', only at: 1; choose one of those"):
        found.streams(FINAL)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "give either texts or a data set to draw them from, and not both"),
        ({"texts": ("a", " ")}, "text 2 of 2 is empty; write something or remove it"),
        ({"texts": ("a",), "posterior": "1"}, "run and posterior go together; give both or neither"),
    ],
)
def test_what_cannot_be_asked_is_told(asked, message):
    with pytest.raises(BadRequest, match=message):
        TrajectorySpec.parse(asked)


def test_runs_that_do_not_fit_are_refused(store, model, soft):
    run = written(soft, store, "t-1", np.ones((2, 4, D_MODEL)))
    with pytest.raises(BadRequest, match=r"Run t-1 tuned .*, not 'smollm2-135m', .* choose a run of the same model"):
        trajectory_spec(store, texts=("a",), run="t-1")
    spec = trajectory_spec(store, model=model, texts=("a",), run="t-1")
    assert spec.posterior
    (run.path / "posterior.safetensors").write_bytes(b"another")
    status = run_job(create_job(store, "trajectory", spec.as_json(), job_id("trajectory", spec)))
    assert status.error == f"The posterior of run t-1 is no longer {spec.posterior}; ask for it again."
    (run.path / "posterior.safetensors").unlink()
    with pytest.raises(BadRequest, match="has no posterior to read; wait for its end"):
        trajectory_spec(store, model=model, texts=("a",), run="t-1")
    with pytest.raises(UnknownName):
        trajectory_spec(store, model=model, texts=("a",), run="t-none")


def test_trajectories_pass_beside_training_and_stand(store, model):
    task = find_task("trajectory")
    spec = trajectory_spec(store, model=model, texts=TEXTS)
    assert task.lane_of(spec) == "quick"
    assert task.keeps
    assert len(task.context(spec)) == 1
