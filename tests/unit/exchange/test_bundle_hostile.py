"""What a bundle must not do where it is imported: whatever is wrong with it, it is refused and leaves nothing."""

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from core.errors import BadData, BadRequest
from core.exchange.bundle import MANIFEST
from core.exchange.bundle_import import import_bundle, is_bundle
from core.store import Store


def rewrite(folder: Path, change: Any) -> None:
    """Change a bundle's list of files."""
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def enter(folder: Path, name: str, raw: bytes) -> None:
    """Put a file into a bundle, with size and checksum right."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)
    entry = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
    rewrite(folder, lambda manifest: manifest["files"].update({name: entry}))


def refused(folder: Path, other: Store, words: str, error: type[Exception] = BadData) -> None:
    with pytest.raises(error, match=words):
        import_bundle(folder, other)
    assert not list((other.root / "runs").iterdir()), "nothing of a bad bundle is left"


def test_a_damaged_file_is_found_wherever_it_is(folder, other):
    for name in ("runs/t-2/posterior.safetensors", "README.md"):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        refused(folder, other, f"'{name}' in 'bundle' does not match its checksum; fetch the bundle again")
        (folder / name).write_bytes(raw[:-1])
        refused(folder, other, f"{name}' in 'bundle' has .* bytes instead of")
        (folder / name).write_bytes(raw + b"\n")
        refused(folder, other, f"{name}' in 'bundle' has more than")
        (folder / name).unlink()
        refused(folder, other, f"The file '{name}' is missing from the bundle")
        (folder / name).write_bytes(raw)
    import_bundle(folder, other)


@pytest.mark.parametrize(
    "name",
    [
        "runs/../../escaped.json",
        "/etc/spec.json",
        "runs/t-1/../../../spec.json",
        "runs/..",
        "runs/t-1/code.pkl",
        "runs/.hidden/spec.json",
        "runs/t-1/checkpoint/state.safetensors",
        "jobs/e-1/extra.bin",
        "setup.py",
        "runs\\t-1\\spec.json",
        "figures/../x.html",
    ],
)
def test_a_name_that_no_bundle_has_is_refused(folder, other, name):
    entry = {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    rewrite(folder, lambda manifest: manifest["files"].update({name: entry}))
    refused(folder, other, "which a bundle cannot have; nothing was imported")


def test_links_are_not_followed(folder, other, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("mine")
    target = folder / "runs" / "t-1" / "log.txt"
    target.unlink(missing_ok=True)
    enter(folder, "runs/t-1/log.txt", b"mine")
    target.unlink()
    target.symlink_to(secret)
    refused(folder, other, "is a link, which could point anywhere")


def test_a_zip_that_is_none_or_has_a_name_twice(folder, other, tmp_path):
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    refused(tmp_path / "no.zip", other, r"'no.zip' is not a zip file")
    twice = tmp_path / "twice.zip"
    pack(folder, twice)
    with zipfile.ZipFile(twice, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr("README.md", "other words")
    refused(twice, other, r"'README.md' is in the bundle twice")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: manifest.update(format="zip"), "is not a list of a bundle's files"),
        (lambda manifest: manifest.update(version=2), "is of version 2 and this program reads 1; update the program"),
        (lambda manifest: manifest.update(files=[]), "lacks sizes or checksums"),
        (lambda manifest: manifest["files"]["README.md"].update(bytes=-1), "lacks sizes or checksums"),
        (lambda manifest: manifest["files"]["README.md"].update(sha256="../x"), "lacks sizes or checksums"),
        (lambda manifest: manifest.update(files={}), "holds no run"),
    ],
)
def test_a_list_of_files_that_cannot_be_trusted(folder, other, change, words):
    rewrite(folder, change)
    refused(folder, other, words)


def test_a_folder_without_a_list(other, tmp_path):
    assert not is_bundle(tmp_path)
    refused(tmp_path, other, r"The file 'bundle.json' is missing")
    (tmp_path / MANIFEST).write_text("no JSON")
    refused(tmp_path, other, "is not a list of a bundle's files")


def test_what_is_in_the_files_is_looked_at(folder, other):
    run = json.loads((folder / "runs/t-1/spec.json").read_text())
    enter(folder, "runs/t-1/spec.json", json.dumps({**run, "created": 1.0}).encode())
    refused(folder, other, "spec.json does not match its checksum")
    run.pop("sha256")
    enter(folder, "runs/t-1/spec.json", json.dumps({**run, "kind": "toy"}).encode())
    refused(folder, other, "t-1 in the bundle is a toy job that is succeeded; only ended tune jobs are restored")
    enter(folder, "runs/t-1/spec.json", b"[]")
    refused(folder, other, "t-1 in the bundle cannot be read")
    enter(folder, "runs/t-1/spec.json", json.dumps({**run, "spec": {**run["spec"], "steps": 0}}).encode())
    refused(folder, other, "steps: Input should be greater than or equal to 1", BadRequest)
    enter(folder, "runs/t-1/spec.json", json.dumps(run).encode())
    status = json.loads((folder / "runs/t-1/status.json").read_text())
    status.pop("sha256")
    enter(folder, "runs/t-1/status.json", json.dumps({**status, "state": "queued"}).encode())
    refused(folder, other, "is a tune job that is queued")
    enter(folder, "runs/t-1/status.json", json.dumps(status).encode())
    enter(folder, "runs/t-1/posterior.safetensors", b"\x80\x04pickle")
    refused(folder, other, r"t-1 in the bundle cannot be read \(posterior.safetensors cannot be read as safetensors")


def tensors(**named: np.ndarray) -> bytes:
    return save({name: np.ascontiguousarray(values) for name, values in named.items()})


WIDTH, STEPS = 32, np.arange(5)
SOFT, DEEP = np.zeros((4, WIDTH), np.float32), np.zeros((2, 4, WIDTH), np.float32)
ODD_FILES = {
    "created is a word": ("runs/t-1/spec.json", {"created": "soon"}, "spec.json: created"),
    "created is no number": ("runs/t-1/spec.json", {"created": float("nan")}, "spec.json: created"),
    "state": ("runs/t-1/status.json", {"state": "done"}, "status.json: state"),
    "time": ("runs/t-1/status.json", {"finished": 1e300}, "status.json: finished"),
    "loss is a word": ("runs/t-1/result.json", {"validation": {"loss": "low"}}, "result.json: validation.loss"),
    "steps are none": ("jobs/{job}/result.json", {"steps": "all"}, "result.json: steps"),
    "site without numbers": ("jobs/{job}/result.json", {"sites": [{"site": 0}]}, "result.json: sites.0.features"),
    "another run": ("jobs/{job}/result.json", {"run": "t-7"}, "is of the run t-7, not of t-"),
    "imported": ("runs/t-1/provenance.json", {"imported": [1]}, "provenance.json: imported"),
    "list": ("runs/t-1/spec.json", b"[1]", "spec.json holds a list, not an object"),
    "null": ("runs/t-1/status.json", b"null", "status.json holds a NoneType"),
    "deep": ("runs/t-1/result.json", b"[" * 100_000, "result.json cannot be read"),
    "event": ("runs/t-1/events.jsonl", b'{"time": 1, "event": "step", "step": "x", "loss": 1}\n', "events.jsonl: step"),
    "metrics": ("runs/t-1/metrics.parquet", b"PAR1", "metrics.parquet cannot be read as Parquet"),
    "nan": ("runs/t-1/posterior.safetensors", tensors(prompt=SOFT * np.nan), "no table of finite"),
    "width": ("runs/t-1/posterior.safetensors", tensors(prompt=np.zeros((4, 999), np.float32)), "differ"),
    "count": ("runs/t-1/prior.safetensors", tensors(prompt=np.zeros((9, WIDTH), np.float32)), "differ"),
    "name": ("runs/t-1/prior.safetensors", tensors(vectors=SOFT), "holds vectors, not 'prompt'"),
    "type": ("runs/t-1/prior.safetensors", tensors(prompt=SOFT.astype(np.int32)), "no table of finite 32-bit"),
    "blocks": ("runs/t-2/prior.safetensors", tensors(prompt=DEEP, site=np.array([1, -2])), "no block number"),
    "other blocks": ("runs/t-2/prior.safetensors", tensors(prompt=DEEP, site=np.array([0, 2])), "differ"),
    "falling": (
        "runs/t-1/trajectory.safetensors",
        tensors(prompt=np.stack([SOFT] * 5), step=STEPS[::-1]),
        "no rising steps",
    ),
    "too late": (
        "runs/t-1/trajectory.safetensors",
        tensors(prompt=np.stack([SOFT] * 5), step=STEPS + 90),
        "goes on to step 94, after the last one, 4",
    ),
    "nulls": (
        "jobs/{job}/nulls.safetensors",
        tensors(**{"0.a": SOFT[:, :5]}),
        "is no table of finite numbers, 32 wide",
    ),
    "no table": ("jobs/{job}/vectors.parquet", None, "vectors.parquet is missing"),
}


@pytest.mark.parametrize(("name", "content", "words"), ODD_FILES.values(), ids=list(ODD_FILES))
def test_what_no_run_writes_is_refused(folder, other, name, content, words):
    job = next(path.name for path in sorted((folder / "jobs").iterdir()) if holds_run(path, "t-1"))
    name = name.format(job=job)
    if content is None:
        (folder / name).unlink()
        rewrite(folder, lambda manifest: manifest["files"].pop(name))
    elif isinstance(content, bytes):
        enter(folder, name, content)
    else:
        known = json.loads((folder / name).read_text())
        known.pop("sha256", None)
        enter(folder, name, json.dumps({**known, **content}).encode())
    refused(folder, other, words)
    assert not list((other.root / "jobs").iterdir())
    assert not list((other.root / "tmp").iterdir())


def holds_run(job: Path, run: str) -> bool:
    return json.loads((job / "spec.json").read_text())["spec"]["run"] == run


def test_a_prompt_of_another_width_than_its_model_has_is_refused(folder, other):
    wide = {"prior": (4, 64), "posterior": (4, 64), "trajectory": (5, 4, 64)}
    for name, shape in wide.items():
        more = {"step": STEPS} if name == "trajectory" else {}
        enter(folder, f"runs/t-1/{name}.safetensors", tensors(prompt=np.zeros(shape, np.float32), **more))
    refused(folder, other, "the prompt is 64 wide and .* is 32")


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_before_it_is(folder, other, tmp_path):
    bomb = tmp_path / "bomb.zip"
    enter(folder, "runs/t-1/log.txt", b"x" * 15_000_000)
    pack(folder, bomb)
    refused(bomb, other, r"'runs/t-1/log.txt' in 'bomb.zip' unpacks to 15,000,000 bytes from .* more than 200 times")
    rewrite(folder, lambda manifest: manifest["files"]["runs/t-1/log.txt"].update(bytes=3_000_000_000))
    refused(folder, other, r"'runs/t-1/log.txt' in 'bundle' has 3,000,000,000 bytes, and 16,000,000 are allowed")


def test_more_files_than_a_bundle_has_are_refused_before_they_are_listed(folder, other, tmp_path):
    many = tmp_path / "many.zip"
    with zipfile.ZipFile(many, "w") as packed:
        for i in range(20_001):
            packed.writestr(f"figures/{i}", b"")
    refused(many, other, "'many.zip' holds over 20,000 files, more than a bundle has")


def test_a_pipe_in_a_bundle_is_not_waited_for(folder, other):
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    refused(folder, other, r"The file 'README.md' is missing from the bundle")


def pack(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder).as_posix())
