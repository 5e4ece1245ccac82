"""Identities that a capture must keep, whatever its batches."""

import shutil
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.activations.capture import capture
from core.activations.clouds import Cloud
from core.errors import BadData, BadRequest, Diverged
from core.lm import load
from core.lm.answers import Answers
from core.lm.blocks import find_parts
from core.lm.frozen import Abilities
from core.lm.load import forget_models, load_model
from core.sources.datasets import load_dataset
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from tests.unit.activations.conftest import TEXTS, alone, apply_block

# Points are stored as float16: 11 bits of a number.
RTOL, ATOL = 2**-11, 1e-6


def oracle(spec: CloudSpec, store, frozen) -> dict[int | str, np.ndarray]:
    """Return {site: (n_tokens, d_model)} of all documents in order, each run alone."""
    records = load_dataset(spec.dataset, store).records
    runs = [alone(frozen, record.text, spec.max_length)[1] for record in records]
    return {site: np.concatenate([states[site] for states in runs]) for site in runs[0]}


@pytest.fixture
def cloud(spec, store, small_batches) -> Cloud:
    return capture(spec, store)[0]


def test_every_site_equals_documents_run_alone(cloud, spec, store, frozen):
    expected = oracle(spec, store, frozen)
    assert cloud.sites == (0, 1, 2, "final")
    for site in cloud.sites:
        np.testing.assert_allclose(cloud.points(site), expected[site], rtol=RTOL, atol=ATOL)


def test_site_0_is_the_embedding_rows_of_the_tokens(cloud, frozen):
    with torch.no_grad():
        rows = find_parts(frozen.model).embedding(torch.tensor(cloud.rows["token_id"].to_numpy())).numpy()
    np.testing.assert_allclose(cloud.points(0), rows, rtol=RTOL, atol=ATOL)


def test_each_site_is_the_block_before_it_applied(cloud, frozen):
    for document, rows in cloud.rows.groupby("document"):
        for block, after in ((0, 1), (1, 2), (2, "final")):
            stream = torch.tensor(cloud.points(block)[rows.index])[None]
            applied = apply_block(frozen, block, stream)[0].numpy()
            np.testing.assert_allclose(cloud.points(after)[rows.index], applied, atol=2e-3, err_msg=str(document))


def test_final_is_before_the_norm(cloud, spec, store, frozen):
    record = load_dataset(spec.dataset, store).records[0]
    parts = find_parts(frozen.model)
    with torch.no_grad():
        ids = torch.tensor([frozen.tokenizer(record.text)["input_ids"]])
        last = parts.decoder(input_ids=ids, use_cache=False).last_hidden_state[0].numpy()
        ours = cloud.points("final")[: len(last)]
        assert parts.final_norm is not None
        np.testing.assert_allclose(parts.final_norm(torch.tensor(ours)).numpy(), last, rtol=1e-2, atol=1e-3)
    assert not np.allclose(ours, last, rtol=0.1)


def test_moments_are_exact_over_all_tokens(spec, store, frozen, small_batches):
    few = capture(spec.model_copy(update={"rows": 10}), store)[0]
    expected = oracle(spec, store, frozen)
    assert few.info["n_rows"] == 10
    for site in few.sites:
        tokens, moments = expected[site].astype(np.float64), few.moments(site)
        assert moments.count == len(tokens) == few.info["n_tokens"]
        # The forward itself rounds to float32 and differs by the batch.
        np.testing.assert_allclose(moments.mean, tokens.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(moments.covariance, np.cov(tokens.T, bias=True), atol=1e-6)


def test_padding_and_batches_change_nothing(spec, store, tmp_path, monkeypatch):
    from core.activations import collect
    from core.store import Store

    one = capture(spec, store)[0]
    monkeypatch.setitem(collect.TOKENS_AT_ONCE, "cpu", 1)
    single = capture(spec, Store(tmp_path / "other"))[0]
    assert one.rows.equals(single.rows.assign(norm=one.rows["norm"]))
    for site in one.sites:
        np.testing.assert_allclose(one.moments(site).covariance, single.moments(site).covariance, atol=1e-6)
        np.testing.assert_allclose(one.points(site), single.points(site), rtol=2**-10, atol=1e-6)


def test_the_trained_model_agrees_too(spec, store, stories_folder):
    trained = spec.model_copy(update={"model": ModelSpec(name=str(stories_folder), device="cpu", dtype="float32")})
    cloud = capture(trained, store)[0]
    frozen = load_model(trained.model, store)
    record = load_dataset(spec.dataset, store).records[0]
    ids, states = alone(frozen, record.text)
    kept = [position for position, number in enumerate(ids) if number not in frozen.tokenizer.all_special_ids]
    assert len(kept) < len(ids), "the tokenizer adds a BOS, which is filtered"
    rows = cloud.rows[cloud.rows["document"] == 0]
    assert rows["position"].tolist() == kept
    for site in cloud.sites:
        np.testing.assert_allclose(cloud.points(site)[rows.index], states[site][kept], rtol=2**-10, atol=1e-4)


def test_chosen_sites_equal_those_of_all(cloud, spec, store, tmp_path):
    from core.store import Store

    some = capture(spec.model_copy(update={"sites": (2, 0)}), Store(tmp_path / "other"))[0]
    assert some.sites == (0, 2)
    assert np.array_equal(some.points(2), cloud.points(2))
    assert some.rows["token_id"].equals(cloud.rows["token_id"])


def test_blocks_above_the_highest_site_do_not_run(spec, store, frozen, monkeypatch):
    ran = []
    kind = type(find_parts(frozen.model).blocks[0])
    forward = kind.forward
    monkeypatch.setattr(kind, "forward", lambda self, *args, **named: (ran.append(1), forward(self, *args, **named))[1])
    capture(spec.model_copy(update={"sites": (1,)}), store)
    assert len(ran) == 1, "one batch, one block"


def test_rows_are_the_same_at_every_site_and_decided_by_the_seed(spec, store):
    def rows(seed: int) -> list[tuple[int, int]]:
        table = capture(spec.model_copy(update={"rows": 50, "seed": seed}), store)[0].rows
        return list(zip(table["document"], table["position"], strict=True))

    first, other = rows(0), rows(1)
    assert len(first) == 50
    assert first == sorted(first)
    assert first != other


def test_what_each_row_is(cloud, spec, store):
    records = load_dataset(spec.dataset, store).records
    for row in cloud.rows.itertuples():
        text = records[row.document].text
        assert row.token == text[row.position]
        assert (row.context_before + row.token + row.context_after) in text
        assert (row.record, row.group) == (records[row.document].id, records[row.document].group)
        assert row.first == (row.position == 0)
    middle = cloud.points(1)
    np.testing.assert_allclose(cloud.rows["norm"], np.linalg.norm(middle, axis=1), rtol=1e-3)


@pytest.mark.usefixtures("small_batches")
def test_first_positions_are_left_out_unless_asked_for(spec, store):
    dropped = capture(spec.model_copy(update={"tokens": TokenFilter()}), store)[0]
    assert not dropped.rows["first"].to_numpy().any()
    assert dropped.info["n_tokens"] == sum(len(text) - 1 for text in TEXTS)


def test_special_tokens_can_be_kept(spec, store, stories_folder):
    model = ModelSpec(name=str(stories_folder), device="cpu", dtype="float32")
    kept = capture(
        spec.model_copy(update={"model": model, "tokens": TokenFilter(special=True, first_position=True)}), store
    )[0].rows
    added = kept[kept["special"].to_numpy()]
    assert added["token"].tolist() == ["<s>"] * len(TEXTS)
    assert added["position"].tolist() == [0] * len(TEXTS)


def test_kept_padding_is_flagged_and_changes_no_other_point(cloud, spec, store):
    padded = capture(spec.model_copy(update={"tokens": TokenFilter(pad=True, first_position=True)}), store)[0]
    pad = padded.rows["pad"].to_numpy(dtype=bool)
    assert pad.sum() == padded.info["n_tokens"] - cloud.info["n_tokens"] > 0
    assert set(padded.rows["token"][pad]) == {"</s>"}
    real = padded.points("final")[~pad]
    np.testing.assert_allclose(real, cloud.points("final"), rtol=2**-10, atol=1e-6)


@pytest.mark.usefixtures("small_batches")
def test_sinks_are_dropped_by_their_norm_at_the_middle(cloud, spec, store):
    norms = cloud.rows["norm"].to_numpy()
    ratio = float(np.quantile(norms, 0.9) / np.median(norms))
    quiet = capture(
        spec.model_copy(update={"tokens": TokenFilter(first_position=True, sink_ratio=ratio), "sites": (0,)}), store
    )[0]
    expected = norms <= ratio * np.median(norms)
    assert quiet.info["n_sinks"] == (~expected).sum() > 0
    assert quiet.rows["position"].tolist() == cloud.rows["position"][expected].tolist()
    assert quiet.moments(0).count == expected.sum()
    assert quiet.info["norm_site"] == 1


def test_sinks_are_flagged_where_they_are_kept(cloud):
    norms = cloud.rows["norm"]
    assert cloud.rows["sink"].tolist() == [norm > 10 * cloud.info["median_norm"] for norm in norms]


def test_long_documents_are_cut_and_counted(spec, store):
    cut = capture(spec.model_copy(update={"max_length": 8}), store)[0]
    assert max(cut.rows["position"].tolist()) == 7
    assert cut.info["n_truncated"] == sum(len(text) > 8 for text in TEXTS)
    assert cut.info["n_tokens"] == sum(min(8, len(text)) for text in TEXTS)


def test_no_token_left_is_an_error(spec, store, tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("a\n\nb\n")
    letters = spec.model_copy(
        update={
            "dataset": DatasetSpec(name="file", path=str(path), samples=2),
            "tokens": TokenFilter(first_position=False),
        }
    )
    with pytest.raises(BadData, match=r"None of the 2 tokens of 2 documents passes the token filter; keep special"):
        capture(letters, store)
    assert list((store.root / "tmp").iterdir()) == []


def test_a_site_beyond_the_model_is_an_error(spec, store):
    with pytest.raises(BadRequest, match="Site 3 does not exist: the model has blocks 0 to 2"):
        capture(spec.model_copy(update={"sites": (3,)}), store)


def test_numbers_that_overflow_are_an_error(spec, store, tiny_folder, tmp_path, monkeypatch):
    broken = shutil.copytree(tiny_folder, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights["model.embed_tokens.weight"][3:, 0] = float("inf")
    monkeypatch.setattr(load, "ask", lambda _: Answers((), Abilities(), 32))  # loading would refuse such weights
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    asked = spec.model_copy(update={"model": spec.model.model_copy(update={"name": str(broken)})})
    with pytest.raises(Diverged, match=r"at site 0 are not finite in dtype 'float32'; choose dtype"):
        capture(asked, store)


def test_values_beyond_float16_are_kept_in_float32(spec, store, frozen, monkeypatch):
    from core.activations import table

    monkeypatch.setattr(table, "LARGEST_FLOAT16", 1e-3)
    cloud = capture(spec, store)[0]
    assert set(cloud.info["stored_as"].values()) == {"float32"}
    np.testing.assert_allclose(cloud.points(1), oracle(spec, store, frozen)[1], rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("small_batches")
def test_forwards_of_other_threads_are_not_captured(spec, store, frozen, tmp_path):
    from core.store import Store

    stop = threading.Event()
    seen: list[torch.Tensor] = []
    ids = torch.tensor([[4, 5, 6, 7]])

    def forward_all_the_time() -> None:
        while not stop.is_set():
            with torch.no_grad():
                seen.append(frozen.model(ids).logits)

    thread = threading.Thread(target=forward_all_the_time)
    thread.start()
    try:
        disturbed = capture(spec, store)[0]
    finally:
        stop.set()
        thread.join()
    quiet = capture(spec, Store(tmp_path / "other"))[0]
    assert all(torch.equal(logits, seen[0]) for logits in seen)
    for site in quiet.sites:
        assert np.array_equal(disturbed.points(site), quiet.points(site))
        assert np.array_equal(disturbed.moments(site).covariance, quiet.moments(site).covariance)


def test_nothing_is_left_on_the_shared_model(spec, store):
    forget_models()
    shared = load_model(spec.model, store)
    capture(spec, store)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in shared.model.modules())
