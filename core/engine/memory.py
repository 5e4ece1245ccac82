"""What a worker gives back between jobs, so that a long life needs no more memory than its largest job."""

import ctypes
import gc
import sys

CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": 512, "LRU_CACHE_CAPACITY": 1}
"""Variables that a worker is started with, unless they are set already: how many prepared matrix
products oneDNN keeps, one per number of rows, and how many each thread of torch keeps beside it.
Both would keep 1024, a third of a megabyte each. What oneDNN has is found as fast without the
second; what it has not takes 2 ms to prepare."""


def keep_what_is_loaded() -> None:
    """Exempt what is loaded by now, modules above all, from garbage collection, which takes 0.3 s to visit it."""
    if not gc.get_freeze_count():
        gc.freeze()


def give_back() -> None:
    """Collect garbage and return freed memory to the system, which the C library would keep (glibc, in Linux)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)
