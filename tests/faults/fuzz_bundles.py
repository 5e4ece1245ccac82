"""Bundles with odd content, whose sizes and checksums are right: taken only if everything in them can be read."""

import hashlib
import json
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from core.exchange.bundle import MANIFEST, export_bundle
from core.exchange.bundle_import import import_bundle
from core.store import Store, damaged_folders, find_job, list_jobs
from core.store.imported import imported
from core.store.losses import read_losses
from core.store.prompts import read_prompts
from tests.faults.mutate import mutated, mutated_bytes
from tests.llama import write_llama
from tests.unit.jobs.measured import tuned, tuning


def cases(rng: random.Random, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield bundles, each with one odd file."""
    whole = _whole()
    names = sorted(json.loads((whole / MANIFEST).read_text())["files"])
    names = [name for name in names if name.startswith(("runs/", "jobs/"))] + [MANIFEST]
    while True:
        name, number = rng.choice(names), rng.getrandbits(48)
        yield f"{name} {number}", lambda name=name, number=number: _import(whole, name, random.Random(number), folder)


@cache
def _whole() -> Path:
    """Return a bundle of a run of a tiny model, made once."""
    root = Path(mkdtemp())
    sizes = {"num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 32, "intermediate_size": 64}
    write_llama(root / "model", [*map(chr, range(32, 127)), "\n"], True, num_hidden_layers=3, **sizes)
    store = Store(root / "cache")
    run = tuned(tuning(root / "model", root / "sums.jsonl"), store, "t-1")
    export_bundle([run], root / "bundle", store)
    return root / "bundle"


def _import(whole: Path, name: str, rng: random.Random, folder: Path) -> str:
    bundle, cache_folder = folder / "bundle", folder / "cache"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, bundle, ignore=shutil.ignore_patterns("figures", "coordinates"))
    manifest = json.loads((bundle / MANIFEST).read_text())
    files = {key: value for key, value in manifest["files"].items() if (bundle / key).exists()}
    if name == MANIFEST:
        (bundle / MANIFEST).write_text(json.dumps(mutated({**manifest, "files": files}, rng)))
    else:
        raw = _odd(bundle / name, rng)
        (bundle / name).write_bytes(raw)
        files[name] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
        (bundle / MANIFEST).write_text(json.dumps({**manifest, "files": files}))
    source = _packed(bundle) if rng.random() < 0.3 else bundle
    store = Store(cache_folder)
    before = set(folder.iterdir())
    try:
        import_bundle(source, store)
    finally:
        outside = set(folder.iterdir()) - before
        assert not outside, f"written outside of the cache: {outside}"
        assert not damaged_folders(store)
        assert not list((store.root / "tmp").iterdir())
    return read_everything(store)


def read_everything(store: Store) -> str:
    """Read all that pages read of runs; anything that cannot be read is an error."""
    for job in list_jobs(store):
        assert job.status().state != "damaged", job.status().error
        assert job.verify() == ""
        find_job(store, job.id)
        job.result()
        if job.kind == "tune":
            read_losses(job)
            read_prompts(job)
            imported(job)
    return ""


def _odd(path: Path, rng: random.Random) -> bytes:
    """Return the content of a file with something odd about it."""
    raw = path.read_bytes()
    if path.suffix == ".json" and rng.random() < 0.8:
        data = json.loads(raw)
        data.pop("sha256", None)
        return json.dumps(mutated(data, rng)).encode()
    if path.suffix == ".jsonl" and rng.random() < 0.8:
        lines = raw.splitlines(keepends=True)
        at = rng.randrange(len(lines))
        lines[at] = json.dumps(mutated(json.loads(lines[at]), rng)).encode() + b"\n"
        return b"".join(lines)
    if path.suffix == ".safetensors" and rng.random() < 0.8:
        return save(odd_tensors(load_file(path), rng))
    return mutated_bytes(raw, rng)


def odd_tensors(tensors: dict[str, np.ndarray], rng: random.Random) -> dict[str, np.ndarray]:
    """Return tensors with one of another name, type, shape or with numbers that are not finite."""
    name = rng.choice(sorted(tensors))
    values = tensors[name]
    odd: list[Callable[[], np.ndarray]] = [
        lambda: values.astype(rng.choice([np.float64, np.int32, np.float16, np.uint8])),
        lambda: np.repeat(values, 2, axis=rng.randrange(values.ndim)),
        lambda: values[..., :0],
        lambda: values.reshape(-1),
        lambda: np.full_like(values, rng.choice([np.nan, np.inf, 1e38]) if values.dtype.kind == "f" else -5),
        lambda: values[None],
    ]
    with np.errstate(all="ignore"):
        changed = np.ascontiguousarray(rng.choice(odd)())
    rest = {key: value for key, value in tensors.items() if key != name or rng.random() < 0.1}
    return {**rest, name if rng.random() < 0.8 else "other": changed}


def _packed(bundle: Path) -> Path:
    out = bundle.with_suffix(".zip")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(bundle).as_posix())
    return out
