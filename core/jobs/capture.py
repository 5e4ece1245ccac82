"""Capture activations of a data set, and describe the captured tokens further."""

from core.engine.tasks import Result, Task
from core.jobs.context import texts_and_weights
from core.progress import Progress
from core.specs import CloudSpec
from core.store import JobFolder, Store


def capture_cloud(spec: CloudSpec, _job: JobFolder, store: Store, progress: Progress) -> Result:
    """Capture a cloud, and return its key and size and whether it was there already."""
    from core.activations.capture import capture

    cloud, cached = capture(spec, store, progress)
    return {"key": cloud.key, "n_rows": len(cloud.rows), "sites": list(cloud.sites), "cached": cached}


def annotate_cloud(spec: CloudSpec, _job: JobFolder, store: Store, progress: Progress) -> Result:
    """Add columns to a cloud's rows, and return how many rows there are and whether the columns were there already."""
    from core.activations.annotate import annotate

    columns, cached = annotate(spec, store, progress)
    return {"n_rows": len(columns), "cached": cached}


CAPTURE = Task("capture", "c", CloudSpec, capture_cloud, "heavy", context=texts_and_weights)
ANNOTATE = Task("annotate", "n", CloudSpec, annotate_cloud, "heavy", context=texts_and_weights)
