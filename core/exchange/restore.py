"""Imported jobs appear whole in a cache folder, though they did not run there."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from core.store import JobFolder, Store
from core.store.files import disk_errors, sync_folder, sync_tree


def appear(store: Store, place: str, job_id: str, fill: Callable[[Path], None]) -> JobFolder:
    """Fill a job's folder elsewhere and then move it into place, so that it appears whole.

    Args:
        store: the cache folder.
        place: 'runs' or 'jobs'.
        job_id: the job's id; no job with that id exists.
        fill: writes all files of the job into a fresh folder.

    Raises:
        DiskFull: the disk is full; nothing of the job remains.
    """
    aside = store.root / place / f".{job_id}.{uuid.uuid4().hex[:8]}"
    target = store.root / place / job_id
    with disk_errors(store.root):
        aside.mkdir()
        try:
            fill(aside)
            sync_tree(aside)
            aside.replace(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return JobFolder(target)
