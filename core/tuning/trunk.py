"""The frozen part of a model below the first prompted block, run once for each example and kept in the store."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from core.lm.batch import Example, collate
from core.lm.prompted import FastPrompted
from core.lm.trunk import Trunk, name
from core.progress import Progress
from core.specs.base import JsonObject, fingerprint
from core.specs.tuning import TuningSpec
from core.store.artifacts import Artifact, Store

TRUNK = "trunk"
"""Kind of the artifacts that hold streams."""
VERSION = "1"
"""Goes up when the same examples would give other streams."""
TOKENS_AT_ONCE = 4096
"""Of a batch, padding included."""
_ROWS, _SHARED = "rows.npy", "shared.safetensors"


def has_trunk(spec: TuningSpec, sites: Sequence[int]) -> bool:
    """Return whether a run has blocks that no prompt reaches, and keeps what leaves them."""
    return spec.method == "deep" and spec.cache_trunk and sites[0] > 0


def kept_trunk(
    prompted: FastPrompted, n_prompt: int, examples: Sequence[Example], store: Store, progress: Progress
) -> tuple[Trunk, JsonObject]:
    """Return the streams that enter the first prompted block, from the store or computed now, and what they cost.

    They are float32 whatever the model's number format, as the stream itself is.

    Args:
        prompted: the model with its places for prompts.
        n_prompt: vectors, whose positions stay free before the examples.
        examples: all that a run trains and validates on.
        store: where streams are kept.
        progress: in examples.

    Returns:
        the trunk, and site, bytes, seconds (of making it) and cached.

    Raises:
        DiskFull: before the start, or underway; nothing is left.
        Cancelled: by the progress.
    """
    frozen, site = prompted.frozen, prompted.sites[0]
    n_bytes = 4 * frozen.d_model * sum(len(example.ids) for example in examples)
    what = f"Keeping the stream that enters block {site} ({n_bytes / 1e6:,.0f} MB)"
    facts = (frozen.revision, str(frozen.device), str(frozen.dtype), str(site), str(n_prompt), prompted.position)
    key = fingerprint(*facts, str(len(prompted.bos)), _names(examples), VERSION)

    def build(folder: Path) -> JsonObject:
        store.require_free(n_bytes, f"{what}, which cache_trunk asks for,")
        began = time.monotonic()
        _compute(folder, prompted, n_prompt, examples, lambda done: progress(done, len(examples), what))
        return {"site": site, "bytes": n_bytes, "seconds": time.monotonic() - began}

    spec = {"site": site, "n_examples": len(examples), "revision": frozen.revision}
    artifact, cached = store.make(TRUNK, key, spec, build, progress=progress)
    return _open(artifact, examples, frozen.device), {**artifact.info, "cached": cached}


def _compute(folder: Path, prompted: FastPrompted, n_prompt: int, examples: Sequence[Example], tell: Any) -> None:
    starts = _starts(examples)
    rows = np.lib.format.open_memmap(
        folder / _ROWS, "w+", np.float32, (starts[-1] + len(examples[-1].ids), prompted.frozen.d_model)
    )
    shared = None
    # The longest first: what does not fit into memory fails at once.
    order = sorted(range(len(examples)), key=lambda i: -len(examples[i].ids))
    done = 0
    while done < len(order):
        tell(done)
        n = max(1, TOKENS_AT_ONCE // len(examples[order[done]].ids))
        chosen = order[done : done + n]

        def enter(part: slice, chosen: list[int] = chosen) -> torch.Tensor:
            batch = collate([examples[i] for i in chosen[part]]).to(prompted.frozen.device)
            stream = prompted.enter_first(n_prompt, batch.ids).cpu()
            n_shared = len(stream) - batch.ids.numel()
            tokens = stream[n_shared:].view(*batch.ids.shape, -1).numpy()
            for row, i in enumerate(chosen[part]):
                length = len(examples[i].ids)
                rows[starts[i] : starts[i] + length] = tokens[row, :length]
            return stream[:n_shared]

        shared = prompted.portions.each(len(chosen), len(examples[chosen[0]].ids), enter)[-1]
        done += len(chosen)
    rows.flush()
    save_file({"shared": torch.empty(0) if shared is None else shared.contiguous()}, folder / _SHARED)


def _open(artifact: Artifact, examples: Sequence[Example], device: torch.device) -> Trunk:
    rows = np.load(artifact.folder / _ROWS, mmap_mode="r")
    shared = load_file(artifact.folder / _SHARED)["shared"].to(device)
    names = [name(torch.tensor(example.ids)) for example in examples]
    return Trunk(shared, rows, dict(zip(names, _starts(examples), strict=True)))


def _starts(examples: Sequence[Example]) -> list[int]:
    """Return the first row of each example."""
    ends = np.cumsum([len(example.ids) for example in examples])
    return [0, *ends[:-1].tolist()]


def _names(examples: Sequence[Example]) -> str:
    """Return what tells these examples in this order from others."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(np.array([len(example.ids), *example.ids]).tobytes())
    return digest.hexdigest()
