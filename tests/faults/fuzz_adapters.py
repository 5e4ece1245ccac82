"""Folders of PEFT adapters with odd content."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from core.exchange.peft_adapter import CONFIG, EMBEDDINGS, PROVENANCE, START, WEIGHTS, adapter_config
from core.exchange.peft_import import import_peft
from core.specs import TuningSpec, parse_prior
from core.store import Store
from tests.faults.fuzz_bundles import odd_tensors, read_everything
from tests.faults.mutate import mutated, mutated_bytes, numbered

SHAPE = (4, 576)


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Return adapters, each with one or two odd files."""
    return numbered("adapter", _import, rng, folder)


def _import(rng: random.Random, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    adapter, store = folder / "adapter", Store(folder / "cache")
    adapter.mkdir()
    spec = TuningSpec(prior=parse_prior("isotropic"), n_prompt=SHAPE[0], prompt_position="before_bos")
    beside = {"spec": spec.as_json(exclude={"model"}), "provenance": {"program": "1"}, "result": {"steps": 3}}
    prompt = np.ones(SHAPE, np.float32)
    documents = {CONFIG: adapter_config(SHAPE, "smollm2-135m").document(), PROVENANCE: beside}
    arrays = {WEIGHTS: {EMBEDDINGS: prompt}, START: {"prompt": prompt}}
    odd = rng.sample([*documents, *arrays], rng.randint(1, 2))
    for name, data in documents.items():
        raw = json.dumps(mutated(data, rng) if name in odd else data).encode()
        (adapter / name).write_bytes(mutated_bytes(raw, rng) if name in odd and rng.random() < 0.2 else raw)
    for name, tensors in arrays.items():
        raw = save(odd_tensors(tensors, rng) if name in odd else tensors)
        (adapter / name).write_bytes(mutated_bytes(raw, rng) if name in odd and rng.random() < 0.2 else raw)
    if rng.random() < 0.3:
        (adapter / PROVENANCE).unlink()
    import_peft(adapter, store, {"name": "smollm2-135m"}, {"name": "math"})
    return read_everything(store)
