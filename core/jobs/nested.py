"""Jobs that have other jobs done: each waits in a lane of its own and reports what the inner job does."""

from collections.abc import Callable

from core.engine import client
from core.errors import BadRequest, Cancelled, Failed
from core.progress import Progress
from core.specs import Spec
from core.store import JobFolder, Store

Perform = Callable[[str, Spec], JobFolder]
"""Has a job of a kind done for a spec, and returns its folder."""
_POLL_SECONDS = 0.5


def nested(job: JobFolder, store: Store, progress: Progress) -> Perform:
    """Return a function that has jobs done for a job and reports progress as its own."""

    def perform(kind: str, spec: Spec) -> JobFolder:
        inner = client.submit(kind, spec, store)
        job.log(f"waiting for {inner.id}")
        try:
            while not (status := client.wait(inner, timeout=_POLL_SECONDS)).ended:
                progress(status.done, status.total, f"{inner.id}: {status.message or status.state}")
        except Cancelled:
            client.cancel(inner, store)
            raise
        if status.state == "succeeded":
            return inner
        reason = f"{inner.id} did not succeed ({status.state})" + (
            f": {status.error}" if status.error else "; request it again."
        )
        raise (BadRequest if status.exit_code == BadRequest.exit_code else Failed)(reason)

    return perform
