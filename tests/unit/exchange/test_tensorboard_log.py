"""Event files, read by TensorBoard itself."""

import sys

import numpy as np
import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.errors import BadRequest
from core.exchange.tensorboard_log import export_tensorboard
from core.store import create_job
from tests.unit.jobs.measured import tuning, written


@pytest.fixture
def run(store, tiny_folder, tmp_path):
    spec = tuning(tiny_folder, tmp_path / "sums.jsonl", method="deep", prompt_sites=[1, 2])
    job = written(spec, store, "t-1", np.random.default_rng(0).normal(size=(3, 2, 4, 32)), (1, 2))
    for step, loss in ((1, 2.5), (2, 2.25), (2, 2.0)):
        job.append(event="step", step=step, loss=loss, penalty=0.5, seconds=0.1)
    table = {"step": [1, 2, 3], "gradient_norm": [1.0, 0.5, 0.1], "learning_rate": [0.01, 0.02, 0.03]}
    pd.DataFrame(table).to_parquet(job.path / "metrics.parquet")
    return job


def test_tensorboard_reads_the_curves(run, tmp_path):
    document = export_tensorboard([run], tmp_path / "logs")
    found = EventAccumulator(str(tmp_path / "logs" / "t-1"))
    found.Reload()
    curves = {
        tag: [(e.step, e.tensor_proto.float_val[0]) for e in found.Tensors(tag)] for tag in found.Tags()["tensors"]
    }
    assert curves["training/loss"] == [(1, 2.5), (2, 2.0)], "a resumed run's later word counts"
    assert curves["training/gradient_norm"] == [(1, 1.0), (2, 0.5)], "of steps whose time is known"
    assert [step for step, _ in curves["validation/loss"]] == [0, 1, 2]
    assert document["n_scalars"] == {"t-1": sum(map(len, curves.values()))}
    told = {event["step"]: event["time"] for event in run.events(event="step")}
    assert [e.wall_time for e in found.Tensors("training/loss")] == list(told.values())


def test_the_projector_has_prior_and_posterior(run, tmp_path):
    export_tensorboard([run], tmp_path / "logs")
    folder = tmp_path / "logs" / "t-1"
    assert 'tensor_path: "site-2.tsv"' in (folder / "projector_config.pbtxt").read_text()
    names = pd.read_csv(folder / "site-1-names.tsv", sep="\t")
    assert names["what"].tolist() == ["prior"] * 4 + ["posterior"] * 4
    assert pd.read_csv(folder / "site-1.tsv", sep="\t", header=None).shape == (8, 32)


def test_what_cannot_be_written(run, store, tmp_path, monkeypatch):
    with pytest.raises(BadRequest, match="c-1 is a capture job and has no curve; name a tuning run"):
        export_tensorboard([create_job(store, "capture", {}, "c-1")], tmp_path / "logs")
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(BadRequest, match=r"TensorBoard is not installed .*; `pip install tensorboard`"):
        export_tensorboard([run], tmp_path / "logs")
