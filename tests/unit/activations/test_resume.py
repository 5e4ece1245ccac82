"""An interrupted capture goes on where it was; a damaged or impossible one leaves nothing false behind."""

import errno
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from core.activations import work
from core.activations.capture import capture
from core.activations.clouds import find_cloud
from core.errors import Cancelled, DiskFull
from core.specs import TokenFilter
from core.store import Store

pytestmark = pytest.mark.usefixtures("small_batches")


class StopAfter:
    """Progress that cancels once so many tokens are done, and notes where each attempt began."""

    def __init__(self, n_tokens: float) -> None:
        self.n_tokens = n_tokens
        self.began: int | None = None

    def __call__(self, done: int, total: int, message: str = "") -> None:
        if total and message != "Reading the embedding matrix":
            self.began = done if self.began is None else self.began
            if done >= self.n_tokens:
                raise Cancelled("Stopped by the test.")


def files_of(cloud) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cloud.artifact.folder.iterdir() if path.name != "manifest.json"}


def work_folders(store: Store) -> list[Path]:
    return sorted((store.root / "tmp").iterdir())


@pytest.mark.parametrize("tokens", [TokenFilter(first_position=True), TokenFilter(first_position=True, sink_ratio=1.2)])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_resumed_capture_equals_an_undisturbed_one(spec, store, tmp_path, tokens, share):
    spec = spec.model_copy(update={"tokens": tokens, "rows": 100})
    whole = capture(spec, Store(tmp_path / "undisturbed"))[0]
    n_passes = 2 if tokens.sink_ratio else 1
    n_tokens = whole.info["n_tokens_read"] * n_passes
    with pytest.raises(Cancelled):
        capture(spec, store, StopAfter(share * n_tokens))
    assert find_cloud(spec, store) is None
    assert len(work_folders(store)) == 1
    again = StopAfter(float("inf"))
    resumed, cached = capture(spec, store, again)
    assert not cached
    assert again.began is not None
    assert again.began >= share * n_tokens
    assert files_of(resumed) == files_of(whole)
    assert work_folders(store) == []


def test_work_is_saved_by_the_clock_too(spec, store, monkeypatch):
    monkeypatch.setattr(work, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(work, "SHARE_OF_TIME", float("inf"))

    def die(done: int, total: int, message: str = "") -> None:
        if total and done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        capture(spec, store, die)
    again = StopAfter(float("inf"))
    capture(spec, store, again)
    assert again.began is not None
    assert again.began > 0


@pytest.mark.parametrize("spoilt", ["state.safetensors", "rows.f32"])
def test_spoilt_work_is_begun_afresh(spec, store, tmp_path, spoilt):
    whole = capture(spec, Store(tmp_path / "undisturbed"))[0]
    with pytest.raises(Cancelled):
        capture(spec, store, StopAfter(200))
    path = work_folders(store)[0] / spoilt
    path.write_bytes(path.read_bytes()[:-7])
    again = StopAfter(float("inf"))
    assert files_of(capture(spec, store, again)[0]) == files_of(whole)
    assert again.began == 0


def test_work_of_another_plan_is_not_continued(spec, store, tmp_path, monkeypatch):
    from core.activations import collect

    with pytest.raises(Cancelled):
        capture(spec, store, StopAfter(200))
    monkeypatch.setitem(collect.TOKENS_AT_ONCE, "cpu", 64)
    again = StopAfter(float("inf"))
    capture(spec, store, again)
    assert again.began == 0


def test_the_second_time_comes_from_the_store(spec, store):
    first, cached = capture(spec, store)
    second, cached_again = capture(spec, store)
    assert (cached, cached_again) == (False, True)
    assert files_of(first) == files_of(second)


def test_a_damaged_cloud_is_set_aside_and_made_again(spec, store, caplog):
    first = capture(spec, store)[0]
    good = files_of(first)
    path = first.artifact.folder / "site-1.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert find_cloud(spec, store) is None
    assert "does not match its checksum" in caplog.text
    again, cached = capture(spec, store)
    assert not cached
    assert files_of(again) == good
    assert len(list((store.root / "damaged").iterdir())) == 1


def test_too_small_a_disk_is_told_before_anything_runs(spec, store, monkeypatch):
    import shutil

    usage = shutil.disk_usage(store.root)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DiskFull, match=r"Capturing texts.jsonl with .* needs .* MB but .* has 0 MB free; free some"):
        capture(spec, store)
    assert work_folders(store) == []


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["numpy.save", "core.activations.work.claim"])
def test_a_disk_that_fills_up_leaves_nothing(spec, store, monkeypatch, where):
    monkeypatch.setattr(where, no_space)
    with pytest.raises(DiskFull, match="nothing half-written was kept"):
        capture(spec, store)
    assert work_folders(store) == []
    assert find_cloud(spec, store) is None


def test_a_disk_that_fills_up_while_work_is_saved_leaves_nothing(spec, store, monkeypatch):
    def no_space_for_tensors(*_, **__):
        raise SafetensorError(f"Error while serializing: I/O error: No space left on device (os error {errno.ENOSPC})")

    monkeypatch.setattr(work, "save_file", no_space_for_tensors)
    with pytest.raises(DiskFull, match="Free some space"):
        capture(spec, store, StopAfter(200))
    assert work_folders(store) == []


def test_points_are_mapped_not_read(spec, store):
    cloud = capture(spec, store)[0]
    assert cloud.points(0).dtype == np.float32
    with pytest.raises(OSError, match="No such file"):
        np.load(cloud.artifact.folder / "site-7.npy")
