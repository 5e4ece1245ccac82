"""A capture whose memory runs out goes on in smaller parts and counts no token twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from core.activations import accumulate
from core.activations.clouds import Cloud, find_cloud
from core.activations.forward import Receive, SiteReader
from core.specs import CloudSpec, DatasetSpec, ModelSpec
from core.store import JobFolder, Store
from tests.jobs import done

NO_ROOM = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")


def captured(store: Store, spec: CloudSpec) -> tuple[Cloud, JobFolder]:
    job = done("capture", spec, store)
    cloud = find_cloud(spec, store)
    assert cloud is not None
    return cloud, job


@pytest.fixture
def spec(tiny_folder: Path, tmp_path: Path) -> CloudSpec:
    texts = tmp_path / "texts.txt"
    texts.write_text("\n\n".join(f"the cat {i} sat on {'the ' * (i % 5)}mat {i * i}." for i in range(40)))
    model = ModelSpec(name=str(tiny_folder), device="cpu", dtype="float32")
    return CloudSpec(model=model, dataset=DatasetSpec(name="file", path=str(texts), samples=40), rows=150)


def same(found: Cloud, expected: Cloud) -> None:
    assert found.info["n_tokens"] == expected.info["n_tokens"]
    pd.testing.assert_frame_equal(found.rows, expected.rows, rtol=1e-4)
    for site in expected.info["sites"]:
        np.testing.assert_allclose(found.points(site), expected.points(site), rtol=1e-3, atol=1e-4)
        assert found.moments(site).count == expected.moments(site).count
        np.testing.assert_allclose(found.moments(site).mean, expected.moments(site).mean, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(
            found.moments(site).covariance, expected.moments(site).covariance, rtol=1e-3, atol=1e-6
        )


@pytest.mark.parametrize(
    ("pooling", "error"), [("token", NO_ROOM), ("mean", MemoryError()), ("token", torch.OutOfMemoryError("CUDA"))]
)
def test_sites_that_were_read_before_memory_ran_out_are_not_read_twice(
    spec: CloudSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: Any, error: Exception
):
    spec = spec.model_copy(update={"pooling": pooling})
    expected, _ = captured(Store(tmp_path / "whole"), spec)
    original, refused = SiteReader.read, list[int]()

    def read(self: SiteReader, corpus: Any, documents: Any, receive: Receive) -> None:
        def limited(site: Any, stream: Any) -> None:
            if len(documents) > {1: 20, 2: 7}.get(site, 40):
                refused.append(site)
                raise error
            receive(site, stream)

        original(self, corpus, documents, limited)

    monkeypatch.setattr(SiteReader, "read", read)
    found, job = captured(Store(tmp_path / "parts"), spec)
    assert set(refused) == {1, 2}
    same(found, expected)
    assert found.info["memory"].endswith("tokens at once, since memory ran out")
    assert "memory" not in expected.info
    assert "Memory of device 'cpu' ran out at 40 × " in job.log_tail(50)


def test_sums_that_find_no_room_are_made_in_halves(spec: CloudSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected, _ = captured(Store(tmp_path / "whole"), spec)
    double = torch.Tensor.double

    def limited(tensor: torch.Tensor, *given: Any) -> torch.Tensor:
        if tensor.dim() == 2 and len(tensor) > 60:
            raise NO_ROOM
        return double(tensor, *given)

    monkeypatch.setattr(accumulate.torch.Tensor, "double", limited)
    found, _ = captured(Store(tmp_path / "parts"), spec)
    same(found, expected)
