"""What a capture has so far, on disk, so that an interrupted one continues where it was."""

import math
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.activations.accumulate import Accumulator
from core.specs.cloud import Site
from core.store.record_files import DIGEST
from core.store.seal import arrays_digest

SECONDS_BETWEEN = 15.0
SHARE_OF_TIME = 0.05
"""Saving takes at most about this share of the time: large models save more rarely."""
ZEROS = bytes(1 << 22)
STATE = "state.safetensors"


class Work:
    """The folder of an unfinished capture.

    Arrays are files mapped into memory, each place in them written once, or again with the same
    value if its batch runs again. The sums and the number of the next batch are saved together,
    atomically, after the arrays.

    Attributes:
        arrays: float32, zero at first.
        accumulators: site → sums.
        stage: 0 looks for sinks, 1 captures.
        next_batch: of the stage.
        resumed: whether an earlier attempt left something.
    """

    def __init__(
        self, folder: Path, plan: str, shapes: Mapping[str, tuple[int, ...]], accumulators: dict[Site, Accumulator]
    ) -> None:
        """Open the folder and continue from its content if the plan is the same; else start afresh.

        Args:
            folder: of this capture alone.
            plan: names everything that decides what a batch gives.
            shapes: of the arrays.
            accumulators: fresh ones.

        Raises:
            OSError: no space for the arrays; it is claimed at once, for a disk that fills up while
                one writes into mapped memory ends the process.
        """
        self.folder = folder
        self.accumulators = accumulators
        self.stage = 0
        self.next_batch = 0
        self._plan = plan
        self._seconds_before = 0.0
        self._saved = self._began = time.monotonic()
        self._interval = SECONDS_BETWEEN
        self.resumed = self._arrays_complete(shapes) and self._restore()
        if not self.resumed:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name, shape in shapes.items():
                claim(self._path(name), _n_bytes(shape))
        self.arrays = {
            name: np.memmap(self._path(name), dtype=np.float32, mode="r+", shape=shape)
            for name, shape in shapes.items()
        }

    def save_if_due(self) -> None:
        """Save if the last time is long enough ago."""
        if time.monotonic() - self._saved >= self._interval:
            self.save()

    def save(self) -> None:
        """Save everything up to the batch before `next_batch`.

        Raises:
            OSError: no space.
        """
        began = time.monotonic()
        for array in self.arrays.values():
            array.flush()
        tensors = {
            f"{site}.{name}": tensor.cpu()
            for site, sums in self.accumulators.items()
            for name, tensor in sums.state().items()
        }
        tensors["progress"] = torch.tensor([self.stage, self.next_batch, self.seconds], dtype=torch.float64)
        beside = self.folder / f".{STATE}"
        save_file(tensors, beside, metadata={"plan": self._plan, DIGEST: _digest(tensors, self._plan)})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(self.folder / STATE)
        self._saved = time.monotonic()
        self._interval = max(SECONDS_BETWEEN, (self._saved - began) / SHARE_OF_TIME)

    @property
    def seconds(self) -> float:
        """Return the time spent, over all attempts."""
        return self._seconds_before + time.monotonic() - self._began

    def next_stage(self) -> None:
        """Go on to the next stage's first batch."""
        self.stage, self.next_batch = self.stage + 1, 0

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.f32"

    def _arrays_complete(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        paths = {self._path(name): _n_bytes(shape) for name, shape in shapes.items()}
        return all(path.is_file() and path.stat().st_size == n_bytes for path, n_bytes in paths.items())

    def _restore(self) -> bool:
        try:
            with safe_open(self.folder / STATE, framework="pt") as file:
                if (file.metadata() or {}).get("plan") != self._plan:
                    return False
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                if file.metadata().get(DIGEST) != _digest(tensors, self._plan):
                    return False
        except (OSError, SafetensorError):
            return False
        stage, next_batch, seconds = tensors.pop("progress").tolist()
        self.stage, self.next_batch, self._seconds_before = int(stage), int(next_batch), seconds
        for site, sums in self.accumulators.items():
            sums.restore({name: tensors[f"{site}.{name}"] for name in sums.state()})
        return True


def _digest(tensors: Mapping[str, torch.Tensor], plan: str) -> str:
    return arrays_digest({name: tensor.cpu().numpy() for name, tensor in tensors.items()}, {"plan": plan})


def _n_bytes(shape: tuple[int, ...]) -> int:
    return 4 * math.prod(shape)


def claim(path: Path, n_bytes: int) -> None:
    """Write zeros over the whole length of a file, so that the disk cannot fill up later."""
    with path.open("wb") as file:
        for begin in range(0, n_bytes, len(ZEROS)):
            file.write(ZEROS[: n_bytes - begin])
