"""A run whose memory runs out goes on in smaller parts, says so, and finds the same numbers up to rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.lm.fast_decoder import FastDecoder
from core.lm.prompted import FastPrompted
from core.store import JobFolder, Store
from core.store.losses import read_losses
from core.store.prompts import read_prompts
from tests.jobs import attempt, done
from tests.runs import spec_of, write_sums

ERRORS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes."),
    "python": MemoryError(),
}
DEEP = {"method": "deep", "prompt_sites": [1, 2]}
PLACES = {
    "loss": (FastPrompted, "loss", 2),
    "scores": (FastPrompted, "scores", 2),
    "read": (FastDecoder, "read", 3),
    "enter_first": (FastPrompted, "enter_first", 2),
}
"""Where a batch is run, and which of the arguments is the batch."""


def small(monkeypatch: pytest.MonkeyPatch, where: str, rows: int, error: Exception) -> list[int]:
    """Let memory hold so many rows of a batch, once fewer in the middle of a step, and return what is refused."""
    kind, name, place = PLACES[where]
    original, refused, calls = getattr(kind, name), list[int](), [0]

    def limited(*given: Any, **named: Any) -> Any:
        n_rows = len(given[place] if isinstance(given[place], torch.Tensor) else given[place].ids)
        calls[0] += 1
        if n_rows > rows or (where == "loss" and calls[0] == 3):
            refused.append(n_rows)
            raise error
        return original(*given, **named)

    monkeypatch.setattr(kind, name, limited)
    return refused


def run(store: Store, tiny_folder: Path, sums: Path, **changes: Any) -> JobFolder:
    return done("tune", spec_of(tiny_folder, sums, clip_norm=1.0, **changes), store)


@pytest.fixture(scope="module")
def whole(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, JobFolder]:
    folder = tmp_path_factory.mktemp("whole")
    sums, store = write_sums(folder / "sums.jsonl"), Store(folder / "cache")
    return {"soft": run(store, tiny_folder, sums), "deep": run(store, tiny_folder, sums, **DEEP)}


@pytest.mark.parametrize(
    ("method", "where", "error", "refused"),
    [
        ("soft", "loss", "cuda", [4, 2]),
        ("soft", "scores", "cpu", [6]),
        ("soft", "read", "python", [3]),
        ("deep", "loss", "cpu", [4, 2]),
        ("deep", "enter_first", "python", [38]),
    ],
)
def test_a_run_goes_on_in_parts(
    tiny_folder: Path, tmp_path: Path, monkeypatch, whole, method: str, where: str, error: str, refused: list[int]
):
    sums = write_sums(tmp_path / "sums.jsonl")
    seen = small(monkeypatch, where, 2, ERRORS[error])
    parts = run(Store(tmp_path / "parts"), tiny_folder, sums, **(DEEP if method == "deep" else {}))
    assert seen[: len(refused)] == refused
    found, expected = read_prompts(parts), read_prompts(whole[method])
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found.vectors, expected.vectors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(read_losses(parts).losses, read_losses(whole[method]).losses, rtol=1e-4)
    told, before = parts.result() or {}, whole[method].result() or {}
    assert told["validation"] == pytest.approx(before["validation"], rel=1e-4)
    assert told["memory"].startswith("at most ")
    assert told["memory"].endswith(" tokens at once, since memory ran out")
    assert {name for name in told if name != "memory"} == set(before)
    assert f"Memory of device 'cpu' ran out at {refused[0]} × " in parts.log_tail(100)


def test_the_person_who_waits_is_told(tiny_folder: Path, tmp_path: Path, store: Store, monkeypatch):
    said = []
    original = JobFolder.update
    monkeypatch.setattr(
        JobFolder, "update", lambda job, **changes: said.append(changes.get("message", "")) or original(job, **changes)
    )
    monkeypatch.setattr("core.engine.runner.PROGRESS_SECONDS", 0.001)
    small(monkeypatch, "loss", 2, ERRORS["cpu"])
    run(store, tiny_folder, write_sums(tmp_path / "sums.jsonl"), steps=30)
    assert any("; at most " in words and words.endswith("since memory ran out") for words in said)


def test_an_example_that_does_not_fit_alone_ends_the_run_with_a_remedy(
    tiny_folder: Path, tmp_path: Path, store: Store, monkeypatch
):
    small(monkeypatch, "loss", 0, ERRORS["cpu"])
    job = attempt("tune", spec_of(tiny_folder, write_sums(tmp_path / "sums.jsonl")), store)
    status = job.status()
    assert (status.state, status.exit_code) == ("failed", 1)
    assert "tokens do not fit into the memory of device 'cpu'; choose a smaller max_length, dtype" in status.error
