"""Further columns of a cloud's rows, held against transformers' own cross-entropy and a count by hand."""

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, GraniteConfig, GraniteForCausalLM

from core.activations import foresee
from core.activations.annotate import ANNOTATION, annotate, find_annotation
from core.activations.capture import capture
from core.errors import BadRequest, Cancelled
from core.lm.load import load_model
from core.sources.datasets import load_dataset
from core.sources.squad import prompt
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from tests.unit.activations.conftest import N_VOCABULARY, SMALL

OTHERS = {
    "scaled": lambda: GraniteForCausalLM(
        GraniteConfig(
            **SMALL, num_hidden_layers=2, num_key_value_heads=2, logits_scaling=0.2, max_position_embeddings=512
        )
    ),
    "by place": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=N_VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=512)
    ),
}


def _surprise(spec: CloudSpec, store) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return each text's (pos - 1,) cross-entropies and whether the likeliest token was right, by transformers."""
    frozen = load_model(spec.model, store)
    losses, hits = [], []
    for record in load_dataset(spec.dataset, store).records:
        ids = torch.tensor([frozen.tokenizer(record.text).input_ids])
        with torch.no_grad():
            logits = frozen.model(input_ids=ids).logits[0, :-1].float()
        losses.append(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none").numpy())
        hits.append((logits.argmax(-1) == ids[0, 1:]).numpy())
    return losses, hits


def _check(spec: CloudSpec, store) -> None:
    columns, cached = annotate(spec, store)
    assert not cached
    rows = capture(spec, store)[0].rows
    losses, hits = _surprise(spec, store)
    foretold = (rows["position"] > 0).to_numpy()
    places = list(zip(rows["document"][foretold], rows["position"][foretold] - 1, strict=True))
    expected = [losses[document][place] for document, place in places]
    np.testing.assert_allclose(columns["surprise"][foretold], expected, rtol=1e-4, atol=1e-5)
    right = [hits[document][place] for document, place in places]
    assert (columns["rank"][foretold] == 1).tolist() == right
    assert columns.loc[~foretold, ["rank", "surprise"]].isna().all(axis=None)
    assert len(places) > 100


def test_surprise_is_transformers_own_cross_entropy(spec, store, monkeypatch):
    monkeypatch.setitem(foresee.TOKENS_AT_ONCE, "cpu", 128)
    monkeypatch.setattr(foresee, "LOSS_ROWS", 7)
    _check(spec, store)


@pytest.mark.parametrize("name", OTHERS)
def test_logits_are_scaled_and_read_as_the_architecture_does(name, spec, store, tiny_folder, tmp_path):
    folder = tmp_path / "other"
    torch.manual_seed(0)
    OTHERS[name]().save_pretrained(folder)
    for file in tiny_folder.glob("tokenizer*"):
        shutil.copy(file, folder)
    _check(spec.model_copy(update={"model": ModelSpec(name=str(folder), device="cpu", dtype="float32")}), store)


def test_only_rows_of_the_cloud_are_annotated_and_kept_for_every_site(spec, store):
    few = spec.model_copy(update={"rows": 20, "sites": (0,)})
    whole, _ = annotate(spec, store)
    columns, _ = annotate(few, store)
    everywhere = capture(spec, store)[0].rows
    rows = capture(few, store)[0].rows
    wide = everywhere.join(whole).set_index(["document", "position"])
    expected = wide.loc[list(zip(rows["document"], rows["position"], strict=True))]
    assert len(columns) == 20
    np.testing.assert_allclose(columns["surprise"], expected["surprise"], rtol=1e-4, atol=1e-5)
    assert columns["count"].tolist() == expected["count"].tolist()
    kept = find_annotation(few.model_copy(update={"sites": (2, "final")}), store)
    assert kept is not None
    assert kept.equals(columns)
    assert annotate(few, store)[1]


def test_tokens_are_counted_in_all_texts_read(spec, store):
    few = spec.model_copy(update={"rows": 20, "sites": (0,)})
    columns, _ = annotate(few, store)
    tokens = capture(few, store)[0].rows["token"]
    counts = Counter("".join(record.text for record in load_dataset(few.dataset, store).records))
    assert columns["count"].tolist() == [counts[token] for token in tokens]


def _questions(folder: Path, model: ModelSpec) -> CloudSpec:
    path = folder / "questions.jsonl"
    lines = [
        {"prompt": prompt("Sea", f"Salt is in the sea {i}.", "What is in it?"), "answer": "Salt"} for i in range(3)
    ]
    lines += [{"prompt": "What is 2 + 2?", "answer": "4"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    dataset = DatasetSpec(name="file", path=str(path), samples=4, prompt_column="prompt", answer_column="answer")
    return CloudSpec(model=model, dataset=dataset, sites=(0,), rows=10_000, tokens=TokenFilter(first_position=True))


def test_parts_are_those_of_the_prompt(spec, store, tmp_path):
    asked = _questions(tmp_path, spec.model)
    columns, _ = annotate(asked, store)
    rows = capture(asked, store)[0].rows
    parts: dict[tuple[int, str], str] = {}
    for document, part, token in zip(rows["document"], columns["part"], rows["token"], strict=True):
        parts[document, part] = parts.get((document, part), "") + token
    for document, record in enumerate(load_dataset(asked.dataset, store).records):
        of = {part: text for (number, part), text in parts.items() if number == document}
        assert of["answer"].strip() == record.answers[0]
        if record.prompt.startswith("Title"):
            assert of["context"].startswith("Title: Sea\nBackground: Salt is in the sea")
            assert of["question"] == "Question: What is in it?\nAnswer:"
        else:
            assert of["question"] == "What is 2 + 2?"


def test_plain_texts_have_one_part(spec, store):
    assert set(annotate(spec, store)[0]["part"]) == {"text"}


def test_padding_is_neither_counted_nor_predicted(spec, store):
    padded = spec.model_copy(update={"tokens": TokenFilter(pad=True, first_position=True), "sites": (0,)})
    columns, _ = annotate(padded, store)
    pad = capture(padded, store)[0].rows["pad"]
    assert pad.to_numpy().any()
    assert columns.loc[pad, "surprise"].isna().all()
    assert columns.loc[pad, "count"].eq(0).all()


def test_means_over_texts_cannot_be_annotated(spec, store):
    with pytest.raises(BadRequest, match=r"are means over texts \(pooling 'mean'\), which have no token to count"):
        annotate(spec.model_copy(update={"pooling": "mean"}), store)


def test_nothing_is_kept_of_a_cancelled_one(spec, store):
    capture(spec, store)

    def stop(done: int, total: int, message: str = "") -> None:
        if "predictions" in message:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        annotate(spec, store, stop)
    assert ANNOTATION not in {kind for kind, _, _ in store.artifacts()}
    assert find_annotation(spec, store) is None
