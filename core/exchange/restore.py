"""Imported jobs appear whole in a cache folder, though they did not run there."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from core.store import JobFolder, Store
from core.store.files import disk_errors, sync_folder, sync_tree
from core.store.record_files import read_status, write_digested
from core.store.seal import write_seal


@contextmanager
def prepared(store: Store, place: str, job_id: str, fill: Callable[[Path], None]) -> Iterator[Callable[[], JobFolder]]:
    """Fill and seal a job's folder in `tmp/`, and yield what moves it into place, so that it appears whole.

    Args:
        store: the cache folder.
        place: 'runs' or 'jobs'.
        job_id: the job's id; no job with that id exists.
        fill: writes all files of the job into a fresh folder.

    Raises:
        DiskFull: the disk is full; nothing of the job remains.
    """
    around = store.root / "tmp" / uuid.uuid4().hex
    folder, target = around / job_id, store.root / place / job_id

    def appear() -> JobFolder:
        with disk_errors(store.root):
            folder.replace(target)
            sync_folder(target.parent)
        return JobFolder(target)

    with disk_errors(store.root):
        folder.mkdir(parents=True)
        try:
            fill(folder)
            status = read_status(folder / "status.json")
            write_digested(folder / "status.json", asdict(replace(status, seal=write_seal(folder))))
            sync_tree(folder)
            yield appear
        finally:
            shutil.rmtree(around, ignore_errors=True)
