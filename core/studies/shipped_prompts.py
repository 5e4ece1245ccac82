"""The prompts of a finished study in one file, each stored once and in half precision. Free of torch.

Arms with the same prior and seed share their prior sample: those at other rates, with random labels
and with each dose of a regulariser.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import load_file, save_file  # pyright: ignore[reportUnknownVariableType]

from core.store.prompts import RunPrompts

HALF_ERROR = 2.0**-11
"""Largest relative error of a coordinate in half precision; below `SMALLEST` it is absolute."""
SMALLEST = 2.0**-14
"""Below it half precision has steps of 2⁻²⁴, which no prompt shows."""
_KEY = 16


class ShippedPrompts(BaseModel):
    """The prompts of a run, by name in the file.

    Attributes:
        sites: blocks whose inputs are prompted.
        at: step → tensor (n_sites, n_prompt, d_model); the first is the prior sample, the last the posterior.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sites: tuple[int, ...]
    at: Mapping[int, str]


def write_prompts(runs: Mapping[str, RunPrompts], path: Path) -> dict[str, ShippedPrompts]:
    """Write the prompts of runs, by arm, and return where each is found.

    Each differs from the run's own by at most `HALF_ERROR` of a coordinate; a prompt with a
    coordinate beyond half precision (65,504) is kept in single precision.
    """
    tensors: dict[str, NDArray[np.floating]] = {}
    found = {}
    for arm, prompts in runs.items():
        halves = [_half(vectors) for vectors in prompts.vectors]
        keys = [hashlib.sha256(each.tobytes()).hexdigest()[:_KEY] for each in halves]
        tensors |= dict(zip(keys, halves, strict=True))
        found[arm] = ShippedPrompts(sites=prompts.sites, at=dict(zip(prompts.steps.tolist(), keys, strict=True)))
    save_file(tensors, path)
    return found


def read_shipped(shipped: ShippedPrompts, path: Path) -> RunPrompts:
    """Return the prompts of a run from the file that holds them."""
    tensors = load_file(path)
    vectors = [tensors[key].astype(np.float32) for key in shipped.at.values()]
    return RunPrompts(shipped.sites, np.array(list(shipped.at), np.int64), np.stack(vectors))


def _half(vectors: NDArray[np.float32]) -> NDArray[np.floating]:
    with np.errstate(over="ignore"):
        half = vectors.astype(np.float16)
    return half if np.isfinite(half).all() else np.ascontiguousarray(vectors)
