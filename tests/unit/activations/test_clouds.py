from typing import Literal

import numpy as np
import pytest

from core.activations.capture import capture
from core.activations.clouds import base_key, cloud_key, find_cloud, find_vocabulary
from core.activations.estimate import CaptureCost, estimate
from core.activations.vocabulary import vocabulary_cloud
from core.errors import BadRequest
from core.lm.blocks import find_parts
from core.lm.load import load_model
from core.specs import CloudSpec, DatasetSpec, ModelSpec, TokenFilter
from tests.imports import imported_by


def test_nothing_captured_is_nothing_found(spec, store):
    assert find_cloud(spec, store) is None
    assert find_vocabulary(spec.model, store) is None


def test_fewer_sites_are_found_in_a_larger_capture(spec, store):
    whole = capture(spec, store)[0]
    some = find_cloud(spec.model_copy(update={"sites": ("final", 1)}), store)
    assert some is not None
    assert (some.key, some.sites) == (whole.key, (1, "final"))
    assert capture(spec.model_copy(update={"sites": (0,)}), store)[1]


def test_more_sites_are_not_found_in_a_smaller_capture(spec, store):
    capture(spec.model_copy(update={"sites": (0, 1)}), store)
    assert find_cloud(spec.model_copy(update={"sites": (0, 2)}), store) is None
    assert find_cloud(spec, store) is None


def test_every_site_named_is_as_good_as_all(spec, store):
    capture(spec.model_copy(update={"sites": (0, 1, 2, "final")}), store)
    assert find_cloud(spec, store) is not None


def test_a_site_not_asked_for_is_refused(spec, store):
    cloud = capture(spec.model_copy(update={"sites": (0, "final")}), store)[0]
    for read in (cloud.points, cloud.moments):
        with pytest.raises(BadRequest, match=r"Site 1 is not in this cloud; it has: 0, final\. Choose one, or capture"):
            read(1)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 11},
        {"seed": 1},
        {"max_length": 9},
        {"tokens": TokenFilter(special=True)},
        {"model": ModelSpec(dtype="bfloat16")},
        {"dataset": DatasetSpec(name="news", samples=7)},
    ],
)
def test_whatever_changes_points_changes_the_key(spec, changes):
    assert base_key(spec, "r") != base_key(spec.model_copy(update=changes), "r")


def test_keys_do_not_depend_on_names_orders_or_splits(spec):
    renamed = spec.model_copy(
        update={
            "model": spec.model.model_copy(update={"name": "elsewhere"}),
            "dataset": spec.dataset.model_copy(update={"validation_fraction": 0.3}),
        }
    )
    assert cloud_key(spec, "r") == cloud_key(renamed, "r")
    assert cloud_key(spec, "r") != cloud_key(spec, "other")
    one, two = (spec.model_copy(update={"sites": sites}) for sites in (("final", 1, 0), (0, 1, "final", 1)))
    assert cloud_key(one, "r") == cloud_key(two, "r")


def test_a_changed_file_is_another_cloud(spec, store, texts_file):
    capture(spec, store)
    texts_file.write_text(texts_file.read_text().replace("cat", "cow"))
    assert find_cloud(spec, store) is None


def known(cost: CaptureCost, name: Literal["bytes", "working_bytes", "seconds"]) -> float:
    value = cost[name]
    assert value is not None
    return value


def test_the_estimate_is_near_and_becomes_measured(spec, store):
    before = estimate(spec, store)
    assert before["basis"] == "guess"
    cloud = capture(spec, store)[0]
    after = estimate(spec, store)
    assert after["basis"] == "measured"
    # A character tokenizer makes four times the tokens of the usual one.
    assert cloud.info["n_tokens_read"] == pytest.approx(4 * after["tokens"], rel=0.3)
    assert known(after, "bytes") < known(after, "working_bytes")
    few = estimate(spec.model_copy(update={"sites": (0,)}), store)
    assert known(few, "bytes") < known(after, "bytes")
    assert known(few, "seconds") < known(after, "seconds")
    costly = estimate(spec.model_copy(update={"tokens": TokenFilter(sink_ratio=5)}), store)
    assert known(costly, "seconds") > known(after, "seconds")


def test_the_estimate_of_bytes_holds(spec, store):
    spec = spec.model_copy(update={"rows": 100})
    cloud = capture(spec, store)[0]
    # Headers and the table weigh more here than in a cloud of ordinary size.
    assert cloud.info["bytes"] == pytest.approx(estimate(spec, store)["bytes"], rel=0.3)


def test_the_estimate_needs_neither_texts_nor_weights(store):
    guess = estimate(CloudSpec(dataset=DatasetSpec(name="c4", samples=100)), store)
    assert guess["tokens"] == 100 * 400
    assert known(guess, "bytes") > 1e8
    unknown = estimate(CloudSpec(model=ModelSpec(name="some/model")), store)
    assert (unknown["bytes"], unknown["seconds"], unknown["basis"]) == (None, None, "guess")


def test_the_vocabulary_is_every_embedding_row_once(spec, store):
    cloud = vocabulary_cloud(spec.model, store)
    rows = find_parts(load_model(spec.model, store).model).embedding.weight.numpy()  # pyright: ignore
    assert cloud.sites == (0,)
    np.testing.assert_allclose(cloud.points(0), rows, rtol=2**-11, atol=1e-6)
    exact = rows.astype(np.float64)
    np.testing.assert_allclose(cloud.moments(0).mean, exact.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(cloud.moments(0).covariance, np.cov(exact.T, bias=True), rtol=0, atol=1e-12)
    assert cloud.rows["token_id"].tolist() == list(range(99))
    assert cloud.rows["token"].tolist()[:6] == ["<unk>", "<s>", "</s>", " ", "!", '"']
    assert cloud.rows["special"].tolist() == [True] * 3 + [False] * 96
    found = find_vocabulary(spec.model, store)
    assert found is not None
    assert found.key == cloud.key


def test_tokens_of_pieces_read_as_text(spec, store, stories_folder):
    model = ModelSpec(name=str(stories_folder), device="cpu", dtype="float32")
    tokens = vocabulary_cloud(model, store).rows["token"].tolist()
    assert " the" in tokens
    assert "<0xF2>" in tokens, "half a character has no text of its own"


def test_reading_imports_neither_torch_nor_transformers():
    modules = ("core.activations.clouds", "core.activations.estimate", "core.activations.capture")
    assert "core.activations.clouds" in (found := imported_by(*modules))
    assert not found & {"torch", "transformers"}
