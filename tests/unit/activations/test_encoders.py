"""Encoders and means over texts, held against transformers' own hidden states."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, T5Config, T5EncoderModel

from core.activations.capture import capture
from core.activations.clouds import find_cloud
from core.activations.vocabulary import vocabulary_cloud
from core.errors import BadRequest
from core.lm.blocks import find_parts
from core.lm.load import load_model, load_reader
from core.sources.datasets import load_dataset
from core.sources.models import describe_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from tests.unit.activations.conftest import N_VOCABULARY, SMALL, TEXTS
from tests.unit.activations.test_capture import ATOL, RTOL, oracle

EVERYTHING = TokenFilter(first_position=True, special=True)
MODELS: dict[str, Any] = {
    "bert": lambda: BertModel(BertConfig(**SMALL, num_hidden_layers=3, max_position_embeddings=1024)),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(
            vocab_size=N_VOCABULARY, dim=32, n_layers=3, n_heads=4, hidden_dim=48, max_position_embeddings=1024
        )
    ),
    "t5": lambda: T5EncoderModel(
        T5Config(vocab_size=N_VOCABULARY, d_model=32, d_kv=8, d_ff=48, num_layers=3, num_heads=4)
    ),
}


@pytest.fixture(params=list(MODELS))
def encoder_folder(request, tiny_folder: Path, tmp_path: Path) -> Path:
    """Return the folder of a random encoder of three blocks with the tiny model's tokenizer."""
    folder = tmp_path / request.param
    torch.manual_seed(0)
    MODELS[request.param]().save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_folder / name, folder / name)
    return folder


@pytest.fixture
def encoder_spec(encoder_folder: Path, texts_file: Path) -> CloudSpec:
    return CloudSpec(
        tokens=EVERYTHING,
        model=ModelSpec(name=str(encoder_folder), device="cpu", dtype="float32"),
        dataset=DatasetSpec(name="file", path=str(texts_file), samples=len(TEXTS)),
        rows=10_000,
    )


@torch.no_grad()
def hidden_states(spec: CloudSpec, store) -> dict[int | str, list[np.ndarray]]:
    """Return {site: one (pos, d_model) a document} of transformers, each document alone; 'final' by hand."""
    frozen = load_reader(spec.model, store)
    model: Any = frozen.model
    last: list[torch.Tensor] = []

    def leaving(_module: Any, _inputs: Any, output: Any) -> None:
        last.append(output if torch.is_tensor(output) else output[0])

    handle = find_parts(model).blocks[-1].register_forward_hook(leaving)
    found: dict[int | str, list[np.ndarray]] = {site: [] for site in (0, 1, 2, "final")}
    for record in load_dataset(spec.dataset, store).records:
        ids = torch.tensor([frozen.tokenizer(record.text)["input_ids"]])
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
        for site in (0, 1, 2):
            found[site].append(states[site][0].numpy())
        found["final"].append(last.pop()[0].numpy())
    handle.remove()
    return found


def test_every_site_of_an_encoder_equals_documents_run_alone(encoder_spec, store, small_batches):
    cloud, _ = capture(encoder_spec, store)
    assert cloud.sites == (0, 1, 2, "final")
    expected = hidden_states(encoder_spec, store)
    for site in cloud.sites:
        np.testing.assert_allclose(
            cloud.points(site), np.concatenate(expected[site]), rtol=RTOL, atol=2e-6, err_msg=f"site {site}"
        )


def test_final_is_before_a_final_norm_where_there_is_one(encoder_spec, store):
    cloud, _ = capture(encoder_spec, store)
    frozen = load_reader(encoder_spec.model, store)
    ids = torch.tensor([frozen.tokenizer(load_dataset(encoder_spec.dataset, store).records[0].text)["input_ids"]])
    model: Any = frozen.model
    with torch.no_grad():
        last = model(input_ids=ids).last_hidden_state[0].numpy()
    ours = torch.tensor(cloud.points("final")[: len(last)])
    norm = find_parts(frozen.model).final_norm
    with torch.no_grad():
        normed = ours if norm is None else norm(ours)
    assert (norm is not None) == (model.config.model_type == "t5"), "the others' blocks end with a norm"
    np.testing.assert_allclose(normed.numpy(), last, rtol=2e-3, atol=1e-3)


def test_kept_padding_of_an_encoder_is_seen_by_no_token(encoder_spec, store):
    with_pad = encoder_spec.model_copy(update={"tokens": EVERYTHING.model_copy(update={"pad": True})})
    cloud, _ = capture(with_pad, store)
    words = ~cloud.rows["pad"].to_numpy()
    assert not words.all()
    plain, _ = capture(encoder_spec, store)
    np.testing.assert_allclose(cloud.points(2)[words], plain.points(2), rtol=RTOL, atol=2e-6)


def test_means_are_of_the_kept_tokens(encoder_spec, store, small_batches):
    means = encoder_spec.model_copy(update={"pooling": "mean"})
    cloud, _ = capture(means, store)
    expected = hidden_states(encoder_spec, store)
    assert len(cloud.rows) == len(TEXTS)
    for site in cloud.sites:
        each = np.stack([states.mean(axis=0) for states in expected[site]])
        np.testing.assert_allclose(cloud.points(site), each, rtol=RTOL, atol=2e-6)
        np.testing.assert_allclose(cloud.moments(site).mean, each.mean(axis=0), atol=1e-5)
        assert cloud.moments(site).count == len(TEXTS)
    records = load_dataset(encoder_spec.dataset, store).records
    assert cloud.rows["token"].tolist() == [record.text[:60] for record in records]
    norms = np.linalg.norm(cloud.points(cloud.info["norm_site"]), axis=1)
    np.testing.assert_allclose(cloud.rows["norm"], norms, rtol=2e-3)


def test_means_of_a_causal_model(spec, store, frozen, small_batches):
    few = spec.model_copy(update={"pooling": "mean", "rows": 10, "sites": (1, "final")})
    cloud, _ = capture(few, store)
    tokens = capture(spec, store)[0].rows
    every = oracle(spec, store, frozen)
    for site in cloud.sites:
        each = np.stack([every[site][rows.index].mean(axis=0) for _, rows in tokens.groupby("document")])
        np.testing.assert_allclose(
            cloud.points(site), each[cloud.rows["document"].to_numpy()], rtol=RTOL, atol=10 * ATOL
        )
        assert cloud.moments(site).count == len(TEXTS)
    assert len(cloud.rows) == 10
    assert find_cloud(few, store)
    assert cloud.key != capture(spec, store)[0].key


def test_a_document_without_a_kept_token_has_no_mean(spec, store, tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("\n\n".join("abc")[:-1] + "\n\nlong enough\n\nand this too")
    short = DatasetSpec(name="file", path=str(path), samples=4)
    means = spec.model_copy(update={"pooling": "mean", "tokens": TokenFilter(), "dataset": short})
    lengths = [len(record.text) for record in load_dataset(short, store).records]
    assert 1 in lengths
    cloud, _ = capture(means, store)
    assert len(cloud.rows) == sum(length > 1 for length in lengths) < len(lengths)
    assert cloud.moments(0).count == len(cloud.rows)


def test_pooling_of_tokens_is_left_out_of_the_spec():
    assert "pooling" not in CloudSpec().as_json()
    assert CloudSpec(pooling="mean").as_json()["pooling"] == "mean"


def test_the_vocabulary_of_an_encoder(encoder_folder, store):
    cloud = vocabulary_cloud(ModelSpec(name=str(encoder_folder), device="cpu", dtype="float32"), store)
    assert cloud.points(0).shape == (N_VOCABULARY, 32)


def test_facts_of_an_encoder(encoder_folder, tiny_folder, store):
    facts = describe_model(ModelSpec(name=str(encoder_folder)), store)
    assert facts.encoder
    assert (facts.n_layers, facts.d_model, facts.n_vocabulary) == (3, 32, N_VOCABULARY)
    assert not describe_model(ModelSpec(name=str(tiny_folder)), store).encoder
    packaged = describe_model(ModelSpec(name="all-minilm-l6-v2"), store)
    assert packaged.encoder
    assert (packaged.n_layers, packaged.d_model, packaged.present) == (6, 384, False)


def test_an_encoder_is_not_tuned(encoder_folder, store):
    with pytest.raises(BadRequest, match=r"is an encoder: it can be looked at .* not .*tuned .* choose a causal"):
        load_model(ModelSpec(name=str(encoder_folder), device="cpu", dtype="float32"), store)


def test_t5_base_is_known_by_its_old_name(store):
    facts = describe_model(ModelSpec(name="t5-base"), store)
    assert "hub" in facts.where
    assert "Unknown" not in facts.where


@pytest.mark.registry
def test_minilm_from_the_package_index(registry_store, texts_file):
    spec = CloudSpec(
        tokens=EVERYTHING,
        model=ModelSpec(name="all-minilm-l6-v2", device="cpu", dtype="float32"),
        dataset=DatasetSpec(name="file", path=str(texts_file), samples=len(TEXTS)),
        sites=(0, 3, "final"),
    )
    cloud, _ = capture(spec, registry_store)
    frozen = load_reader(spec.model, registry_store)
    record = load_dataset(spec.dataset, registry_store).records[0]
    ids = torch.tensor([frozen.tokenizer(record.text)["input_ids"]])
    model: Any = frozen.model
    with torch.no_grad():
        states = model(input_ids=ids, output_hidden_states=True).hidden_states
    first = (cloud.rows["document"] == 0).to_numpy()
    assert first.sum() == ids.shape[1]
    for site, index in ((0, 0), (3, 3), ("final", 6)):
        np.testing.assert_allclose(cloud.points(site)[first], states[index][0].numpy(), rtol=2e-3, atol=2e-4)
    assert describe_model(spec.model, registry_store).present
