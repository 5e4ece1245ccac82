"""A prior's reference holds nothing that a run is validated on."""

import numpy as np

from core.activations.capture import capture
from core.activations.clouds import find_cloud
from core.sources.datasets import load_dataset
from core.specs import DatasetSpec
from tests.runs import spec_of


def test_no_row_of_a_reference_is_of_a_validation_document(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums)
    training, validation = ({record.id for record in part} for part in load_dataset(spec.dataset, store).split())
    cloud, _ = capture(spec.activations(0, 1), store)
    assert len(validation) == 8
    assert set(cloud.rows["record"]) == training
    assert cloud.info["n_documents"] == 32

    # As references were before: a fifth of the documents were those the run is validated on.
    every, _ = capture(spec.activations(0, 1).model_copy(update={"part": "all"}), store)
    held = [name in validation for name in every.rows["record"]]
    assert 0.1 < np.mean(held) < 0.3


def test_another_split_is_another_training_part(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums).activations(0)
    capture(spec, store)
    half = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"validation_fraction": 0.5})})
    assert find_cloud(spec, store) is not None
    assert find_cloud(half, store) is None
    assert capture(half, store)[0].info["n_documents"] == 20


def test_the_split_makes_no_other_cloud_of_all_documents(store, tiny_folder, sums):
    spec = spec_of(tiny_folder, sums).activations(0).model_copy(update={"part": "all"})
    capture(spec, store)
    half = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"validation_fraction": 0.5})})
    assert find_cloud(half, store) is not None


def test_the_training_part_of_a_data_set_is_what_a_run_trains_on(store, sums, tiny_folder):
    data = load_dataset(DatasetSpec.parse(spec_of(tiny_folder, sums).dataset.as_json()), store)
    assert data.part("training") == data.split()[0]
    assert data.part("all") == data.records
