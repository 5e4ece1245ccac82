"""A process gives back what it has freed."""

import ctypes
import subprocess
import sys

import pytest

SCRAP = """
import ctypes, psutil
from core.engine.memory import give_back, keep_what_is_loaded

BLOCKS, BYTES = 4000, 60_000
keep_what_is_loaded()
holder = [ctypes.create_string_buffer(b"x" * BYTES) for _ in range(BLOCKS)]
pins = holder[::100]  # what stays lies between what goes
holder.append(holder)  # only a collection of garbage frees it
full = psutil.Process().memory_info().rss
del holder
give_back()
freed = full - psutil.Process().memory_info().rss
assert len(pins) == BLOCKS / 100
print(freed / (BLOCKS * BYTES))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc keeps freed memory and gives it")
def test_freed_memory_goes_back_to_the_system_though_something_lies_behind_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRAP], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) > 0.8
