"""What a local worker loads first: it closes Dask's pages and metrics, which need no key."""

from typing import Any


def dask_setup(worker: Any) -> None:
    """Stop listening on the port of pages and metrics; called by Dask as the worker starts."""
    worker.http_server.stop()
