"""What is done where memory runs out in the middle of a batch: less of it at once, and said aloud."""

import gc
import logging
import re
from collections.abc import Callable
from typing import TypeVar

import torch

from core.errors import OutOfMemory

logger = logging.getLogger(__name__)

T = TypeVar("T")
MEMORY_ERRORS = (RuntimeError, MemoryError, OutOfMemory)
"""Classes that errors of too little memory have; of the first one `is_memory` says which."""
_WORDS = re.compile(r"not enough memory|out of memory|cannot allocate memory", re.IGNORECASE)
"""In the errors of torch's allocators: on a CPU it has no class of its own for them."""


def is_memory(error: BaseException) -> bool:
    """Return whether an error says that there is too little memory."""
    own = isinstance(error, MemoryError | torch.OutOfMemoryError | OutOfMemory)
    return own or (isinstance(error, RuntimeError) and _WORDS.search(str(error)) is not None)


def too_large(n_rows: int, width: int, device: torch.device) -> OutOfMemory:
    """Return the error that a batch (n_rows, width) of tokens does not fit into a device's memory."""
    elsewhere = "" if device.type == "cpu" else ", device 'cpu'"
    return OutOfMemory(
        f"{n_rows} × {width} tokens do not fit into the memory of device '{device}'; choose a smaller max_length, "
        f"dtype 'bfloat16'{elsewhere} or a smaller model."
    )


class Portions:
    """How much of a batch is run at once: all of it, until memory runs out; from then on ever less.

    Sums over a batch are then made of parts, so that numbers change by rounding alone; where memory
    suffices nothing is different.
    """

    def __init__(self, device: torch.device) -> None:
        """Begin with whole batches."""
        self._device = device
        self._most: int | None = None
        self._to_release = False

    @property
    def note(self) -> str:
        """Return in words that memory has run out; empty if it has not."""
        return "" if self._most is None else f"at most {self._most:,} tokens at once, since memory ran out"

    def parts(self, n_rows: int, width: int) -> list[slice]:
        """Return which rows of a batch (n_rows, width) to run together, one part after the other."""
        if self._to_release:  # here and not where the error was caught, which still held what had been computed
            self._to_release = False
            gc.collect()
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        n = n_rows if self._most is None else max(1, self._most // max(1, width))
        return [slice(start, min(start + n, n_rows)) for start in range(0, n_rows, n)]

    def shrink(self, n_rows: int, width: int, error: Exception) -> None:
        """Halve what is run at once, after rows (n_rows, width) had too little memory.

        Raises:
            OutOfMemory: not even one row fits.
            Exception: the error itself, if it is another one.
        """
        if not is_memory(error):
            raise error
        if n_rows < 2:
            raise too_large(n_rows, width, self._device) from error
        self._most, self._to_release = n_rows // 2 * width, True
        logger.warning(
            "Memory of device '%s' ran out at %d × %d tokens; from here on %s. That is slower, and numbers change by "
            "rounding alone.",
            self._device,
            n_rows,
            width,
            self.note,
        )

    def each(self, n_rows: int, width: int, run: Callable[[slice], T]) -> list[T]:
        """Run a batch's parts, each again in halves where memory runs out, and return what they give.

        Args:
            n_rows: of the batch.
            width: tokens of a row, padding included.
            run: takes rows; what it has done of rows that fail is done again.

        Raises:
            OutOfMemory: not even one row fits.
        """
        found: list[T] = []
        start = 0
        while start < n_rows:
            stop = start + self.parts(n_rows - start, width)[0].stop
            try:
                found.append(run(slice(start, stop)))
            except MEMORY_ERRORS as error:
                self.shrink(stop - start, width, error)
            else:
                start = stop
        return found
