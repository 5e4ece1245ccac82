"""A soft prompt as an adapter of PEFT's prompt tuning, with our provenance beside it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from core.errors import BadRequest
from core.sources.packaged import PACKAGED
from core.specs import TuningSpec
from core.store import JobFolder
from core.store.files import checksum, disk_errors, write_atomically, write_json
from core.store.prompts import read_prompt

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PROVENANCE = "priorscope.json"
START = "priorscope_start.safetensors"
"""The prior sample that the prompt began at, for who imports the adapter here again; PEFT does not read it."""
EMBEDDINGS = "prompt_embeddings"
"""The one tensor of such an adapter, (n_prompt, d_model)."""


def export_peft(run: JobFolder, folder: Path) -> dict[str, Any]:
    """Write a soft run's posterior as an adapter that `peft.PeftModel.from_pretrained` loads.

    PEFT puts the prompt before all tokens, the beginning-of-sequence token among them, and so does a run with
    `prompt_position` before_bos.

    Args:
        run: an ended tuning run with a posterior.
        folder: empty, or not there yet.

    Returns:
        format, folder, files, shape of the prompt, and the base model's name in the adapter.

    Raises:
        BadRequest: a run that PEFT's adapter cannot hold, or a folder with something in it.
        DiskFull: the disk is full.
    """
    spec = exportable(run)
    _, vectors = read_prompt(run.path / "posterior.safetensors")
    prompt = np.ascontiguousarray(vectors[0])
    base = base_model(spec)
    require_empty(folder)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / WEIGHTS, save({EMBEDDINGS: prompt}, metadata={"format": "pt"}))
        if (start := run.path / "prior.safetensors").is_file():
            write_atomically(folder / START, start.read_bytes())
        write_json(folder / CONFIG, adapter_config(prompt.shape, base))
        write_json(folder / PROVENANCE, _provenance(run, spec))
    return {
        "format": "peft",
        "run": run.id,
        "folder": str(folder),
        "files": sorted(path.name for path in folder.iterdir()),
        "shape": list(prompt.shape),
        "base_model": base,
    }


def adapter_config(shape: tuple[int, ...], base: str) -> dict[str, Any]:
    """Return what PEFT must know of a prompt of a shape (n_prompt, d_model)."""
    n_prompt, d_model = shape
    return {
        "peft_type": "PROMPT_TUNING",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "num_virtual_tokens": n_prompt,
        "token_dim": d_model,
        "num_transformer_submodules": 1,
        "prompt_tuning_init": "RANDOM",
        "inference_mode": True,
    }


def base_model(spec: TuningSpec) -> str:
    """Return the name of a run's model for other programs: its hub id, or a folder's name without its place."""
    packaged = PACKAGED.get(spec.model.name)
    if packaged:
        return packaged.hub_id
    return Path(spec.model.name).name if Path(spec.model.name).is_absolute() else spec.model.name


def require_empty(folder: Path) -> None:
    """Check that a folder can be written without writing over anything.

    Raises:
        BadRequest: it is a file, or holds something.
    """
    if folder.is_file():
        raise BadRequest(f"{folder} is a file; name a folder with --out.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadRequest(f"The folder {folder} holds files already; name an empty or a new one with --out.")


def exportable(run: JobFolder) -> TuningSpec:
    """Return a run's spec, after a look whether an adapter can hold it.

    Raises:
        BadRequest: it cannot.
    """
    if run.kind != "tune":
        raise BadRequest(f"{run.id} is a {run.kind} job and has no prompt; name a tuning run.")
    if not run.status().ended or not (run.path / "posterior.safetensors").is_file():
        raise BadRequest(f"Run {run.id} is {run.status().state} and has no posterior; wait for its end.")
    spec = TuningSpec.parse(run.spec)
    if spec.method == "deep":
        raise BadRequest(
            f"Run {run.id} has deep prompts, and PEFT's prompt tuning holds vectors before the tokens only; take "
            "`posterior.safetensors` of its folder, which docs/runs.md describes."
        )
    if spec.prompt_position == "after_bos":
        raise BadRequest(
            f"Run {run.id} has its prompt after the beginning-of-sequence token and PEFT puts it before; "
            "tune with prompt_position before_bos to export it."
        )
    return spec


def _provenance(run: JobFolder, spec: TuningSpec) -> dict[str, Any]:
    path = run.path / "provenance.json"
    return {
        "run": run.id,
        "spec": spec.as_json(exclude={"model", "dataset"}) | {"dataset": _dataset(spec)},
        "provenance": json.loads(path.read_text()) if path.is_file() else None,
        "result": run.result(),
        "posterior_sha256": checksum(run.path / "posterior.safetensors"),
    }


def _dataset(spec: TuningSpec) -> dict[str, Any]:
    """Return the data set without the place of a file: its name alone travels."""
    path = spec.dataset.path
    return spec.dataset.as_json() | {"path": Path(path).name if path else None}
