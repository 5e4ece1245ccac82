"""What is in the cache, whether it is sound, and what may go."""

import os
import time
from pathlib import Path

import pytest

from core.errors import BadRequest, Busy
from core.store import Store, create_job, maintenance


def fill(store: Store, kind: str, key: str, size: int) -> Path:
    def build(folder: Path) -> dict[str, int]:
        (folder / "data.bin").write_bytes(bytes(size))
        return {}

    spec = {"model": {"name": "toy-model"}, "dataset": {"name": "news", "samples": 20}, "sites": [0, "final"]}
    return store.make(kind, key, spec, build)[0].folder


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, "cloud", "k1", 5000)
    fill(store, "cloud", "k2", 100)
    fill(store, "map", "k3", 9000)
    return store


def test_entries_are_listed_by_size_with_a_description(filled: Store) -> None:
    entries = maintenance.cache_entries(filled)
    assert [(entry.kind, entry.key) for entry in entries] == [("map", "k3"), ("cloud", "k1"), ("cloud", "k2")]
    assert entries[1].bytes > 5000
    assert entries[1].description == "toy-model · news · 20 samples · sites 0, final"
    assert [entry.key for entry in maintenance.cache_entries(filled, "cloud")] == ["k1", "k2"]
    with pytest.raises(BadRequest, match="Nothing of kind 'clud' is stored; there is: cloud, map"):
        maintenance.cache_entries(filled, "clud")


def test_verifying_reads_anew_and_sets_the_damaged_aside(filled: Store) -> None:
    path = filled.folder("cloud", "k1") / "data.bin"
    before = path.stat()
    path.write_bytes(b"x" + bytes(4999))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    results = {entry.key: problem for entry, problem in maintenance.verify_all(filled)}
    assert results["k2"] == results["k3"] == ""
    assert "data.bin does not match its checksum" in results["k1"]
    assert filled.find("cloud", "k1") is None
    assert [entry.kind for entry in maintenance.cache_entries(filled, "damaged")] == ["damaged"]


def test_pruning_says_what_would_go_and_then_does_it(filled: Store) -> None:
    would = maintenance.prune(filled, kind="cloud")
    assert [entry.key for entry in would] == ["k1", "k2"]
    assert len(maintenance.cache_entries(filled)) == 3
    assert maintenance.prune(filled, kind="cloud", dry_run=False) == would
    assert [entry.kind for entry in maintenance.cache_entries(filled)] == ["map"]


def test_pruning_by_age_goes_by_the_last_use(filled: Store) -> None:
    week = 7 * 24 * 3600.0
    long_ago = time.time() - 2 * week
    for key in ("k1", "k2"):
        os.utime(filled.folder("cloud", key), (long_ago, long_ago))
    assert filled.find("cloud", "k1") is not None
    assert [entry.key for entry in maintenance.prune(filled, older_than=week)] == ["k2"]
    with pytest.raises(BadRequest, match="An age of -1 s is below 0"):
        maintenance.prune(filled, older_than=-1)


def test_nothing_goes_while_a_job_may_need_it(filled: Store) -> None:
    job = create_job(filled, "toy", {}, "t-1")
    with pytest.raises(Busy, match=r"1 jobs are queued or running \(t-1\)"):
        maintenance.prune(filled, dry_run=False)
    job.update(state="succeeded")
    assert len(maintenance.prune(filled, dry_run=False)) == 3
    assert job.path.is_dir(), "runs are never pruned"


def test_what_is_being_made_this_moment_stays(filled: Store) -> None:
    with filled.lock("cloud-k1"):
        went = maintenance.prune(filled, kind="cloud", dry_run=False)
    assert [entry.key for entry in went] == ["k2"]


def test_leftovers_of_killed_processes_go_once_they_are_old(store: Store) -> None:
    young, old = store.root / "tmp" / "young", store.root / "tmp" / "old"
    for folder in (young, old):
        folder.mkdir()
        (folder / "data.bin").write_bytes(b"1")
    day_ago = time.time() - maintenance.LEFTOVER_SECONDS - 60
    os.utime(old, (day_ago, day_ago))
    assert [entry.key for entry in maintenance.prune(store, dry_run=False)] == ["old"]
    assert young.is_dir()
