"""A prior gets the clouds it asks for, and is told which are missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from core.activations.capture import capture
from core.activations.clouds import Cloud
from core.activations.references import Needed, ReferenceRequest, gather, job_kind, missing_clouds, needed_clouds
from core.activations.vocabulary import vocabulary_cloud
from core.errors import BadData, BadRequest, UnknownName
from core.priors import build_prior
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TuningSpec, parse_prior
from core.store import create_job

SITE = 2


@pytest.fixture
def model(tiny_folder: Path) -> ModelSpec:
    return ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")


@pytest.fixture
def datasets(tmp_path: Path) -> list[DatasetSpec]:
    found = []
    for name, text in (("one", "the cat sat on the mat. "), ("two", "12 + 7 = 19; 3 * 4 = 12. ")):
        path = tmp_path / f"{name}.txt"
        path.write_text("\n\n".join(f"{i} {text}" for i in range(12)))
        found.append(DatasetSpec(name="file", path=str(path)))
    return found


@pytest.fixture
def reference(model: ModelSpec, datasets: list[DatasetSpec]) -> ReferenceRequest:
    return ReferenceRequest(model, CloudSpec(model=model, dataset=datasets[0], sites=(SITE,), rows=100, seed=3), SITE)


@pytest.fixture
def make(store):
    def get(needed: Needed) -> Cloud:
        return vocabulary_cloud(needed, store) if isinstance(needed, ModelSpec) else capture(needed, store)[0]

    return get


def finished_run(store, model: ModelSpec, vectors: np.ndarray, state: str = "succeeded", name: str = "t-1"):
    spec = TuningSpec(model=model, prior=parse_prior("isotropic"))
    job = create_job(store, "tune", spec.as_json(), name)
    save_file({"prompt": vectors}, job.path / "posterior.safetensors")
    if state == "succeeded":
        job.write_result({})
    job.update(state=state)


def test_a_simple_prior_needs_the_reference_alone(reference: ReferenceRequest, store, make):
    prior = parse_prior("gaussian")
    assert needed_clouds(prior, reference) == (reference.cloud,)
    assert missing_clouds(prior, reference, store) == (reference.cloud,)
    found = gather(prior, reference, store, make)
    assert missing_clouds(prior, reference, store) == ()
    assert reference.cloud is not None
    stored = make(reference.cloud)
    np.testing.assert_array_equal(found.main.points, stored.points(SITE))
    assert (found.main.key, found.further) == (stored.key, ())
    assert found.main.name.startswith("one.txt at site 2 of ")


def test_a_prior_that_reads_no_cloud_needs_none(reference: ReferenceRequest, store):
    assert needed_clouds(parse_prior("isotropic"), reference, reference=False) == ()
    assert gather(parse_prior("isotropic"), reference, store, d_model=32).main.points.shape == (0, 32)


def test_a_matched_trace_reads_the_reference(reference: ReferenceRequest, store, make):
    prior = parse_prior({"kind": "isotropic", "match_trace": "reference"})
    assert needed_clouds(prior, reference, reference=False) == (reference.cloud,)
    assert len(gather(prior, reference, store, make, d_model=32).main.points) == 100


def test_the_second_cloud_is_captured_as_the_first_one_was(reference: ReferenceRequest, datasets, store, make):
    prior = parse_prior({"kind": "interpolation", "second": datasets[1]})
    second = needed_clouds(prior, reference)[1]
    assert isinstance(second, CloudSpec)
    assert reference.cloud is not None
    assert second == reference.cloud.model_copy(update={"dataset": datasets[1]})
    found = gather(prior, reference, store, make)
    np.testing.assert_array_equal(found.further[0].points, make(second).points(SITE))
    sample = build_prior(prior).fit(found.main.points, found.main.moments, found.further)
    assert sample.sample(5, np.random.default_rng(0)).shape == (5, 32)


def test_the_vocabulary_is_the_second_cloud_by_default(reference: ReferenceRequest, store, make):
    prior = parse_prior("interpolation")
    assert [job_kind(needed) for needed in needed_clouds(prior, reference)] == ["capture", "vocabulary"]
    assert needed_clouds(prior, ReferenceRequest(reference.model)) == (reference.model,)
    found = gather(prior, reference, store, make)
    assert len(found.further[0].points) == len(make(reference.model).rows)
    assert found.further[0].moments is not None


def test_vocabulary_rows_leave_special_tokens_out(reference: ReferenceRequest, store, make):
    prior = parse_prior("vocabulary")
    (found,) = gather(prior, reference, store, make, d_model=32).further
    rows = make(reference.model).rows
    assert len(found.points) == (~rows["special"]).sum() < len(rows)
    (whole,) = gather(parse_prior({"kind": "vocabulary", "special": True}), reference, store, make).further
    assert len(whole.points) == len(rows)


def test_frequent_rows_are_counted_in_the_reference(reference: ReferenceRequest, store, make):
    prior = parse_prior({"kind": "vocabulary", "rows": "frequent", "n_rows": 1, "special": True})
    found = gather(prior, reference, store, make, d_model=32)
    assert reference.cloud is not None
    commonest = make(reference.cloud).rows["token_id"].mode()[0]
    drawn = build_prior(prior).fit(found.main.points, None, found.further).sample(1, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[0], make(reference.model).points(0)[commonest])


def test_a_text_becomes_the_embeddings_of_its_tokens(reference: ReferenceRequest, tiny_folder: Path, store, make):
    prior = parse_prior({"kind": "vocabulary", "rows": "text", "text": "cab"})
    (found,) = gather(prior, reference, store, make, d_model=32).further
    ids = [Tokenizer.from_file(str(tiny_folder / "tokenizer.json")).token_to_id(letter) for letter in "cab"]
    np.testing.assert_array_equal(found.points, make(reference.model).points(0)[ids])
    assert found.name.endswith("3 tokens of a text")


def test_posteriors_of_earlier_runs(reference: ReferenceRequest, store):
    vectors = np.arange(64, dtype=np.float32).reshape(2, 32)
    finished_run(store, reference.model, vectors)
    embeddings = replace(reference, site=0)
    found = gather(parse_prior({"kind": "posterior", "runs": "t-1"}), embeddings, store, d_model=32)
    assert found.main.points.shape == (0, 32)
    np.testing.assert_array_equal(found.further[0].points, vectors)
    assert found.further[0].name == "t-1"


def test_a_cloud_that_is_not_in_the_store(reference: ReferenceRequest, store):
    with pytest.raises(
        BadRequest, match=r"^one\.txt at site 2 of .* is not in the store yet; run the capture job first"
    ):
        gather(parse_prior("gaussian"), reference, store)
    with pytest.raises(
        BadRequest, match=r"^The vocabulary of .* is not in the store yet; run the vocabulary job first"
    ):
        gather(parse_prior("vocabulary"), reference, store, d_model=32)


def test_a_model_without_a_tokenizer_file(reference: ReferenceRequest, tmp_path: Path, tiny_folder: Path, store, make):
    for name in ("config.json", "model.safetensors", "tokenizer_config.json"):
        (tmp_path / "bare").mkdir(exist_ok=True)
        (tmp_path / "bare" / name).write_bytes((tiny_folder / name).read_bytes())
    bare = ReferenceRequest(ModelSpec(name=str(tmp_path / "bare")))
    prior = parse_prior({"kind": "vocabulary", "rows": "text", "text": "cab"})
    with pytest.raises(BadData, match=r"has no tokenizer\.json to read a text with; choose other rows than 'text'\.$"):
        gather(prior, bare, store, lambda _: make(reference.model), d_model=32)


def test_runs_that_do_not_serve(reference: ReferenceRequest, store):
    vectors = np.ones((2, 32), np.float32)
    finished_run(store, reference.model, vectors, "running", "t-running")
    finished_run(store, ModelSpec(), vectors, name="t-other")
    finished_run(store, reference.model, vectors, name="t-soft")

    def ask(run: str) -> None:
        gather(parse_prior({"kind": "posterior", "runs": run}), reference, store, d_model=32)

    with pytest.raises(BadRequest, match=r"^Run t-running is running and has no posterior yet; choose a finished run"):
        ask("t-running")
    with pytest.raises(BadRequest, match=r"^Run t-other tuned 'smollm2-135m', not .* choose a run of the same model"):
        ask("t-other")
    with pytest.raises(BadRequest, match=r"^Run t-soft has no prompt at site 2, only at: 0; choose a run that prompts"):
        ask("t-soft")
    with pytest.raises(UnknownName, match=r"^Unknown run or job 't-none'; known: "):
        ask("t-none")
