"""Artifacts appear whole or not at all, and are believed only if their checksums hold."""

import errno
import hashlib
import json
import logging
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError

from core.errors import Busy, Cancelled, DamagedArtifact, DiskFull
from core.store import Store, artifacts
from core.store.artifacts import MANIFEST, verify
from core.store.files import checksum, disk_errors, forget_checksums, write_atomically, write_json


def build(folder: Path) -> dict[str, Any]:
    (folder / "deep").mkdir()
    (folder / "points.bin").write_bytes(b"points")
    (folder / "deep" / "rows.bin").write_bytes(b"rows")
    return {"n_rows": 3}


def test_an_artifact_is_made_once_and_found_again(store: Store) -> None:
    made, cached = store.make("cloud", "k1", {"samples": 3}, build)
    assert not cached
    assert made.info == {"n_rows": 3}
    assert made.n_bytes == len(b"points") + len(b"rows")
    assert made.manifest.spec == {"samples": 3}
    assert set(made.manifest.files) == {"points.bin", "deep/rows.bin"}
    again, cached = store.make("cloud", "k1", {}, lambda folder: pytest.fail("made twice"))
    assert cached
    assert again == made == store.find("cloud", "k1")
    assert [(kind, key) for kind, key, _ in store.artifacts()] == [("cloud", "k1")]
    assert not list((store.root / "tmp").iterdir())


def test_what_fails_half_way_leaves_nothing(store: Store) -> None:
    def fail(folder: Path) -> dict[str, Any]:
        build(folder)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        store.make("cloud", "k1", {}, fail)
    assert store.find("cloud", "k1") is None
    assert not list((store.root / "tmp").iterdir())
    assert not store.make("cloud", "k1", {}, build)[1]


def test_what_a_killed_removal_left_does_not_stop_a_new_one(store: Store) -> None:
    folder = store.folder("cloud", "k1")
    folder.mkdir(parents=True)
    (folder / "points.bin").write_bytes(b"old")
    made, _ = store.make("cloud", "k1", {}, build)
    assert (made.folder / "points.bin").read_bytes() == b"points"


def spoil_length(folder: Path) -> None:
    (folder / "points.bin").write_bytes(b"pointsand")


def spoil_content(folder: Path) -> None:
    (folder / "points.bin").write_bytes(b"pointy")


def spoil_presence(folder: Path) -> None:
    (folder / "points.bin").unlink()


def spoil_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_length, "the file points.bin has 9 bytes instead of 6"),
        (spoil_content, "the file points.bin does not match its checksum"),
        (spoil_presence, "the file points.bin is missing"),
        (spoil_manifest, "its manifest cannot be read"),
    ],
)
def test_a_damaged_artifact_is_set_aside_said_aloud_and_made_again(
    store: Store, caplog: pytest.LogCaptureFixture, spoil: Any, reason: str
) -> None:
    made, _ = store.make("cloud", "k1", {}, build)
    spoil(made.folder)
    with pytest.raises(DamagedArtifact, match=reason):
        verify("cloud", "k1", made.folder)
    with caplog.at_level(logging.WARNING):
        assert store.find("cloud", "k1") is None
    assert reason in caplog.text
    assert "It was moved to damaged/cloud-k1-" in caplog.text
    assert len(list((store.root / "damaged").iterdir())) == 1
    assert not store.make("cloud", "k1", {}, build)[1]


def test_setting_aside_what_another_process_took_is_no_error(store: Store) -> None:
    store.set_aside("cloud", "k1", DamagedArtifact("gone"))
    assert not list((store.root / "damaged").iterdir())


def test_a_file_is_read_for_its_checksum_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = store.make("cloud", "k1", {}, build)
    read = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: read.append(file.name) or real(file, name))
    store.find("cloud", "k1")
    assert read == [], "known from the making, though the folder was renamed since"
    forget_checksums()
    store.find("cloud", "k1")
    store.find("cloud", "k1")
    assert sorted(Path(name).name for name in read) == ["points.bin", "rows.bin"]
    write_atomically(made.folder / "points.bin", b"points")
    checksum(made.folder / "points.bin")
    assert len(read) == 3, "another file of the same length is read again"


def test_a_full_disk_is_told_with_the_remedy_and_leaves_nothing(store: Store) -> None:
    def fill(folder: Path) -> dict[str, Any]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskFull, match=r"nothing half-written was kept.*cache prune.*PRIORSCOPE_CACHE"):
        store.make("cloud", "k1", {}, fill)
    assert not list((store.root / "tmp").iterdir())


def test_other_errors_of_the_disk_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_room_is_checked_beforehand(store: Store) -> None:
    store.require_free(1, "A crumb")
    with pytest.raises(DiskFull, match=r"The sea needs 1,000,000,000,000 MB but .* MB free; free some space"):
        store.require_free(10**18, "The sea")


def test_a_held_lock_is_busy_after_the_timeout(store: Store) -> None:
    with (
        store.lock("cloud-k1"),
        pytest.raises(Busy, match=r"'cloud-k1.lock' for over 0.1 s; wait for it or end that process"),
        store.lock("cloud-k1", timeout=0.1),
    ):
        pytest.fail("two hold one lock")
    with store.lock("cloud-k1", timeout=0):
        pass


def test_waiting_for_another_maker_can_be_cancelled(store: Store) -> None:
    told = []

    def cancel(done: int, total: int, message: str = "") -> None:
        told.append(message)
        raise Cancelled("stop")

    with store.lock("cloud-k1"), pytest.raises(Cancelled):
        store.make("cloud", "k1", {}, build, progress=cancel)
    assert told == ["waiting for another process that works on the same"]


def _make_in_process(root: Path, barrier: Any, made: Any) -> None:
    def build_and_tell(folder: Path) -> dict[str, Any]:
        made.put(os.getpid())
        return build(folder)

    barrier.wait()
    Store(root).make("cloud", "k1", {}, build_and_tell)


def test_two_processes_that_want_the_same_make_it_once(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, made = context.Barrier(2), context.Queue()
    both = [context.Process(target=_make_in_process, args=(store.root, barrier, made)) for _ in range(2)]
    for process in both:
        process.start()
    assert made.get(timeout=60) in [process.pid for process in both]
    for process in both:
        process.join(timeout=60)
    assert [process.exitcode for process in both] == [0, 0]
    assert made.empty()
    made.close()
    made.join_thread()


def test_a_reader_sees_the_old_or_the_new_text(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    texts = {"a" * 5000, "b" * 70000}
    write_atomically(path, b"a" * 5000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for text in texts:
                write_atomically(path, text.encode())

    writer = threading.Thread(target=write)
    writer.start()
    seen = {path.read_text() for _ in range(300)}
    stop.set()
    writer.join()
    assert seen <= texts
    assert [item.name for item in tmp_path.iterdir()] == ["status.json"]


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "status.json"
    write_json(path, {"state": "running"})

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_json(path, {"state": "succeeded"})
    assert path.read_text() == '{\n "state": "running"\n}'
    assert [item.name for item in tmp_path.iterdir()] == ["status.json"]


def test_removal_is_whole(store: Store) -> None:
    store.make("cloud", "k1", {}, build)
    store.remove("cloud", "k1")
    assert store.find("cloud", "k1") is None
    assert not list((store.root / "tmp").iterdir())


def test_the_default_folder_is_beside_the_code_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "elsewhere"))
    assert Store.default().root == tmp_path / "elsewhere"
    monkeypatch.delenv("PRIORSCOPE_CACHE")
    assert Store.default().root == Path(artifacts.__file__).resolve().parents[2] / "cache"


def write_with_numpy(folder: Path) -> None:
    with Path("/dev/full").open("wb") as file:
        np.zeros(1_000_000).tofile(file)


def write_with_python(folder: Path) -> None:
    Path("/dev/full").write_bytes(b"x" * 1_000_000)


def write_with_safetensors(folder: Path) -> None:
    raise SafetensorError(f"Error while serializing: I/O error: No space left on device (os error {errno.ENOSPC})")


@pytest.mark.parametrize("write", [write_with_numpy, write_with_python, write_with_safetensors])
def test_a_full_disk_is_known_whoever_writes(store: Store, tmp_path: Path, write: Any) -> None:
    """NumPy raises an `OSError` without a number for a short write, safetensors an error of its own."""
    with pytest.raises(DiskFull, match="Free some space"), disk_errors(tmp_path):
        write(tmp_path)


@pytest.mark.parametrize("error", [SafetensorError("something else"), OSError("something else"), OSError(5, "I/O")])
def test_other_errors_stay_themselves(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), disk_errors(tmp_path):
        raise error


@pytest.mark.parametrize("field", ["info", "spec", "kind", "created"])
def test_everything_in_a_manifest_is_inside_its_checksum(store: Store, field: str) -> None:
    made, _ = store.make("cloud", "k1", {"samples": 3}, build)
    path = made.folder / MANIFEST
    data = json.loads(path.read_text())
    data[field] = {"info": {"n": 7}, "spec": {}, "kind": "map", "created": 5.0}[field]
    path.write_text(json.dumps(data))
    with pytest.raises(DamagedArtifact, match=r"manifest.json does not match its checksum"):
        verify("cloud", "k1", made.folder)
    data.pop("sha256")
    path.write_text(json.dumps(data))
    if field != "kind":
        assert verify("cloud", "k1", made.folder).key == "k1", "version 0.1.0 wrote no checksum of it"
